// Models in several files, made by our writer; tests/test_gguf_split.py has
// them made by the gguf package, and every sentence.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/gguf.h"
#include "common/gguf_split.h"
#include "common/gguf_write.h"

enum { N_PARTS = 3 };
static char folder[] = "/tmp/test-gguf-split-XXXXXX";
static char paths[N_PARTS][80];
static lll_error err;

// Part i holds i tensors, aligned to 32, 64 and 128 bytes.
static void write_part(uint32_t i, uint32_t no, uint32_t count,
                       uint32_t n_tensors)
{
    static const float numbers[] = {1, 2, 3, 4, 5, 6};
    static const uint64_t dims[] = {4};
    gguf_writer out;
    gguf_writer_init(&out);
    gguf_set_u32(&out, "general.alignment", 32u << i);
    gguf_set_u32(&out, "split.no", no);
    gguf_set_u32(&out, "split.count", count);
    gguf_set_u32(&out, "split.tensors.count", n_tensors);
    gguf_set_u32(&out, "only.here", i);
    for (uint32_t k = 0; k < i; k++) {
        char name[24];
        snprintf(name, sizeof name, "t%u%u", i, k);
        gguf_add_tensor(&out, name, DTYPE_F32, dims, 1, numbers + k);
    }
    if (gguf_write(&out, paths[i], &err) != LLL_OK)
        fail_msg("%s", err.text);
    gguf_writer_free(&out);
}

static int write_parts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < N_PARTS; i++)
        write_part(i, i, N_PARTS, 3);
    return 0;
}

static void all_parts_are_one_model(void **state)
{
    gguf_file file;
    gguf_tensor tensor;
    uint64_t number;
    (void)state;
    if (gguf_open(&file, paths[0], &err) != LLL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(file.n_others, 2);
    assert_int_equal(file.n_tensors, 3);
    size_t n_bytes = file.map.n_bytes, allocated = strlen(paths[0]) + 1
        + file.n_values * (sizeof(gguf_value) + sizeof(void *))
        + 3 * (sizeof(gguf_tensor) + sizeof(void *));
    for (int i = 0; i < 2; i++) {
        n_bytes += file.others[i].map.n_bytes;
        allocated += sizeof(gguf_part) + strlen(paths[i + 1]) + 1;
    }
    assert_int_equal(file.n_bytes, n_bytes);
    assert_int_equal(file.index_bytes, allocated);
    assert_int_equal(gguf_get_u64(&file, "only.here", &number, &err), LLL_OK);
    assert_int_equal(number, 0);
    assert_int_equal(gguf_find_tensor(&file, "t21", NULL, 0, &tensor, &err),
                     LLL_OK);
    gguf_part part = gguf_part_of(&file, &tensor);
    assert_string_equal(part.path, paths[2]);
    assert_int_equal(part.alignment, 128);
    assert_int_equal(gguf_data_at(&file, &tensor) % 128, 0);
    assert_memory_equal(part.map.bytes + gguf_data_at(&file, &tensor),
                        ((const float[]){2, 3, 4, 5}), 4 * sizeof(float));
    gguf_close(&file);
    assert_null(file.others);
}

// Outputs stay as they were, and nothing stays open: the sanitizers look.
static void refused(void **state)
{
    static const struct { uint32_t i, no, count, total; const char *text; }
    cases[] = {
        {0, 1, 3, 3, "found part 2 of 3 of a model, expected the first"},
        {0, 0, 4, 3, "expected a name that ends in -00001-of-00004.gguf"},
        {1, 2, 3, 3, "found part 3 of 3, expected part 2 of 3"},
        {1, 0, 1, 3, "found a whole model, expected part 2 of 3"},
        {2, 2, 3, 5, "found a part of a model of 5 tensors"},
        {0, 3, 3, 3, "key split.no: found 3, expected 0 to 2"},
    };
    gguf_file file;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_part(cases[i].i, cases[i].no, cases[i].count, cases[i].total);
        assert_int_equal(gguf_open(&file, paths[0], &err), LLL_ERR_FORMAT);
        assert_non_null(strstr(err.text, cases[i].text));
        assert_null(file.path);
        assert_int_equal(gguf_open(&file, paths[0], NULL), LLL_ERR_FORMAT);
        write_part(cases[i].i, cases[i].i, N_PARTS, 3);
    }
    unlink(paths[1]);
    assert_int_equal(gguf_open(&file, paths[0], &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "; it is part 2 of 3 of "));
    assert_int_equal(gguf_open(&file, paths[0], NULL), LLL_ERR_IO);
}

static void names_of_parts(void **state)
{
    char path[32];
    (void)state;
    gguf_split_path("a-00001-of-99999.gguf", 1, path);
    assert_string_equal(path, "a-00002-of-99999.gguf");
    gguf_split_path("-00001-of-99999.gguf", 99998, path);
    assert_string_equal(path, "-99999-of-99999.gguf");
    gguf_split_path("00001-00001-of-12345.gguf", 12344, path);
    assert_string_equal(path, "00001-12345-of-12345.gguf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_parts_are_one_model, write_parts),
        cmocka_unit_test_setup(refused, write_parts),
        cmocka_unit_test(names_of_parts),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    for (int i = 0; i < N_PARTS; i++)
        snprintf(paths[i], sizeof paths[i], "%s/m-%05d-of-%05d.gguf", folder,
                 i + 1, N_PARTS);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < N_PARTS; i++)
        unlink(paths[i]);
    rmdir(folder);
    return failed;
}
