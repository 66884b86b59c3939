// Every call to the system fails once: the first, the second, and so on until
// the work gets done. Each time the caller gets one sentence, nothing stays
// open or allocated (the sanitizer looks), and the disk is as it was.
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
#include "common/gguf_write.h"
#include "tests/folder.h"

void failing_set(int n);
bool failing_happened(void);

enum { MOST_CALLS = 200 };
static char folder[64], path[128], second[128];
static lll_error err;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-failing-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    // The names of a model in two parts; alone, the first is a model as well.
    snprintf(path, sizeof path, "%s/a-00001-of-00002.gguf", folder);
    snprintf(second, sizeof second, "%s/a-00002-of-00002.gguf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(second);
    return rmdir(folder);
}

// The lowest number that is free: larger when something stayed open.
static int next_handle(void)
{
    int handle = dup(0);
    assert_true(handle >= 0);
    close(handle);
    return handle;
}

static const float data[2000];
static const uint64_t dims[] = {40, 50};

static lll_status write_model(uint32_t generation)
{
    gguf_writer out;
    gguf_writer_init(&out);
    gguf_set_u32(&out, "generation", generation);
    gguf_set_string(&out, "general.architecture", "llama", 5);
    gguf_add_tensor(&out, "a", DTYPE_F32, dims, 2, data);
    gguf_add_tensor(&out, "b", DTYPE_F32, dims, 2, data);
    lll_status status = gguf_write(&out, path, &err);
    gguf_writer_free(&out);
    return status;
}

static void write_parts(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        gguf_writer out;
        gguf_writer_init(&out);
        gguf_set_u32(&out, "split.no", i);
        gguf_set_u32(&out, "split.count", 2);
        gguf_add_tensor(&out, i == 0 ? "a" : "b", DTYPE_F32, dims, 2, data);
        assert_int_equal(gguf_write(&out, i == 0 ? path : second, &err),
                         LLL_OK);
        gguf_writer_free(&out);
    }
}

static uint64_t generation(void)
{
    gguf_file file;
    uint64_t n = 0;
    assert_int_equal(gguf_open(&file, path, NULL), LLL_OK);
    assert_int_equal(gguf_get_u64(&file, "generation", &n, NULL), LLL_OK);
    gguf_close(&file);
    return n;
}

static void a_good_sentence(lll_status status)
{
    assert_true(status == LLL_ERR_MEMORY || status == LLL_ERR_IO);
    assert_int_equal(err.code, status);
    assert_true(strstr(err.text, path) == err.text
                || strstr(err.text, second) == err.text);
    assert_true(strlen(err.text) > strlen(path) + 10);
}

// How often it is refused until it opens.
static int open_until_it_works(void)
{
    static const gguf_file closed;
    int handle = next_handle();
    for (int n = 1; n < MOST_CALLS; n++) {
        gguf_file file;
        failing_set(n);
        lll_status status = gguf_open(&file, path, &err);
        bool happened = failing_happened();
        failing_set(0);
        assert_int_equal(status != LLL_OK, happened);
        if (!happened) {
            gguf_close(&file);
            assert_int_equal(next_handle(), handle);
            return n - 1;
        }
        a_good_sentence(status);
        assert_memory_equal(&file, &closed, sizeof file);
        assert_int_equal(next_handle(), handle);
    }
    return MOST_CALLS;
}

static void opening(void **state)
{
    (void)state;
    // open, fstat, mmap; the name, two lists and three orders of them.
    assert_int_equal(write_model(1), LLL_OK);
    int n = open_until_it_works();
    assert_true(n >= 9 && n < MOST_CALLS);
    // All of it twice, but for the order of tensors by name; and the parts.
    write_parts();
    int n_parts = open_until_it_works();
    assert_true(n_parts >= 2 * n && n_parts < MOST_CALLS);
}

static void writing(void **state)
{
    int handle = next_handle(), n_refused = 0, n = 1;
    (void)state;
    assert_int_equal(write_model(1), LLL_OK);
    for (; n < MOST_CALLS; n++) {
        failing_set(n);
        lll_status status = write_model(2);
        bool happened = failing_happened();
        failing_set(0);
        assert_int_equal(next_handle(), handle);
        assert_int_equal(folder_entries(folder), 1);
        // That the folder could not be synced is no failure: the file is
        // whole, and it is there.
        assert_int_equal(generation(), status == LLL_OK ? 2 : 1);
        if (!happened)
            break;
        if (status == LLL_OK) {
            assert_int_equal(write_model(1), LLL_OK);
        } else {
            a_good_sentence(status);
            n_refused++;
        }
    }
    // The lists growing; the names; path, partial, buffer; open, write, sync,
    // rename.
    assert_true(n_refused >= 9 && n < MOST_CALLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(writing, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
