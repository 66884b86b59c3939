// What gguf_write() writes, gguf_open() reads; and the getters.
#include <math.h>
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

static char path[64];
static lll_error err;
static gguf_file file;
static const float ones[64] = {1, 1};

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/test-gguf-XXXXXX");
    int handle = mkstemp(path);
    return handle < 0 ? 1 : close(handle);
}

static int remove_path(void **state)
{
    (void)state;
    gguf_close(&file);
    return unlink(path);
}

static void reopen(gguf_writer *out)
{
    lll_status status = gguf_write(out, path, &err);
    if (status != LLL_OK)
        fail_msg("%s", err.text);
    gguf_writer_free(out);
    status = gguf_open(&file, path, &err);
    if (status != LLL_OK)
        fail_msg("%s", err.text);
}

static void fill(gguf_writer *out)
{
    static const uint16_t numbers[] = {1, 2, 65535};
    static const gguf_string texts[] = {{"a", 1}, {"", 0}, {"\0b", 2}};
    static const uint64_t dims[] = {32, 2}, vector[] = {5};
    gguf_writer_init(out);
    gguf_set_string(out, "general.architecture", "llama", 5);
    gguf_set_u32(out, "u32", UINT32_MAX);
    gguf_set_u64(out, "u64", UINT64_MAX);
    gguf_set_f32(out, "f32", 0.5f);
    gguf_set_f32(out, "whole", 7.0f);
    gguf_set_bool(out, "yes", true);
    gguf_set_array(out, "numbers", GGUF_U16, numbers, 3);
    gguf_set_strings(out, "texts", texts, 3);
    gguf_add_tensor(out, "vector", DTYPE_F32, vector, 1, ones);
    gguf_add_tensor(out, "matrix", DTYPE_F16, dims, 2, ones);
}

static void there_and_back(void **state)
{
    gguf_writer out;
    gguf_tensor tensor;
    (void)state;
    fill(&out);
    reopen(&out);
    assert_int_equal(file.version, 3);
    assert_int_equal(file.alignment, 32);
    assert_int_equal(file.n_values, 8);
    assert_int_equal(file.n_tensors, 2);
    assert_string_equal(file.path, path);
    // Two lists, sorted once more as pointers, and the name.
    assert_int_equal(file.index_bytes, strlen(path) + 1
                     + 8 * (sizeof(gguf_value) + sizeof(void *))
                     + 2 * (sizeof(gguf_tensor) + sizeof(void *)));
    assert_int_equal(file.n_bytes, file.map.n_bytes);
    assert_int_equal(gguf_find_tensor(&file, "vector", NULL, 0, &tensor,
                                      &err), LLL_OK);
    assert_int_equal(tensor.n_bytes, 20);
    assert_int_equal(tensor.n_elements, 5);
    assert_int_equal(tensor.dims[0], 5);
    assert_int_equal(tensor.dims[3], 1);
    assert_memory_equal(tensor.data, ones, 20);
    const gguf_value *texts = gguf_find_value(&file, "texts");
    assert_non_null(texts);
    assert_int_equal(texts->n_items, 3);
    const unsigned char *cursor = texts->bytes;
    assert_true(gguf_string_is(gguf_next_string(&cursor), "a"));
    assert_int_equal(gguf_next_string(&cursor).n_bytes, 0);
    gguf_string last = gguf_next_string(&cursor);
    assert_int_equal(last.n_bytes, 2);
    assert_memory_equal(last.bytes, "\0b", 2);
    assert_int_equal(gguf_item_i64(gguf_find_value(&file, "numbers"), 2),
                     65535);
}

static void getters(void **state)
{
    gguf_writer out;
    uint64_t n = 3;
    double x = 3;
    bool truth = false;
    gguf_string text = {"old", 3};
    (void)state;
    fill(&out);
    reopen(&out);
    assert_int_equal(gguf_get_u64(&file, "u32", &n, &err), LLL_OK);
    assert_true(n == UINT32_MAX);
    assert_int_equal(gguf_get_u64(&file, "u64", &n, &err), LLL_OK);
    assert_true(n == UINT64_MAX);
    assert_int_equal(gguf_get_u64(&file, "whole", &n, &err), LLL_OK);
    assert_int_equal(n, 7);
    assert_int_equal(gguf_get_f64(&file, "f32", &x, &err), LLL_OK);
    assert_true(x == 0.5);
    assert_int_equal(gguf_get_f64(&file, "u32", &x, &err), LLL_OK);
    assert_true(x == (double)UINT32_MAX);
    assert_int_equal(gguf_get_bool(&file, "yes", &truth, &err), LLL_OK);
    assert_true(truth);
    assert_int_equal(gguf_get_string(&file, "general.architecture", &text,
                                     &err), LLL_OK);
    assert_true(gguf_string_is(text, "llama"));
    assert_false(gguf_string_is(text, "llam"));
    assert_false(gguf_string_is(text, "llama2"));

    n = 3, x = 3;
    assert_int_equal(gguf_get_u64(&file, "f32", &n, &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "key f32: found F32 0.5, expected a "
                           "whole number"));
    assert_int_equal(gguf_get_u64(&file, "yes", &n, &err), LLL_ERR_FORMAT);
    assert_int_equal(gguf_get_u64(&file, "numbers", &n, &err),
                     LLL_ERR_FORMAT);
    assert_int_equal(gguf_get_f64(&file, "u64", &x, &err), LLL_ERR_FORMAT);
    assert_int_equal(gguf_get_f64(&file, "texts", &x, &err), LLL_ERR_FORMAT);
    assert_int_equal(gguf_get_bool(&file, "u32", &truth, &err),
                     LLL_ERR_FORMAT);
    assert_int_equal(gguf_get_string(&file, "u32", &text, &err),
                     LLL_ERR_FORMAT);
    assert_int_equal(gguf_get_u64(&file, "nothing", &n, &err),
                     LLL_ERR_NOT_FOUND);
    assert_int_equal(gguf_get_f64(&file, "nothing", &x, &err),
                     LLL_ERR_NOT_FOUND);
    assert_int_equal(gguf_get_bool(&file, "nothing", &truth, &err),
                     LLL_ERR_NOT_FOUND);
    assert_int_equal(gguf_get_string(&file, "nothing", &text, &err),
                     LLL_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "the key nothing is missing"));
    assert_true(n == 3 && x == 3);
    assert_null(gguf_find_value(&file, ""));
}

static void numbers_of_every_type(void **state)
{
    static const struct { gguf_type type; unsigned char bytes[8];
                          int64_t i; double f; } cases[] = {
        {GGUF_U8, {0xff}, 255, 255}, {GGUF_I8, {0xff}, -1, -1},
        {GGUF_U16, {0, 0x80}, 32768, 32768},
        {GGUF_I16, {0, 0x80}, -32768, -32768},
        {GGUF_U32, {0, 0, 0, 0x80}, 2147483648, 2147483648.0},
        {GGUF_I32, {0, 0, 0, 0x80}, -2147483648, -2147483648.0},
        {GGUF_U64, {0, 0, 0, 0, 0, 0, 0, 0x80}, INT64_MAX, 0x1p63},
        {GGUF_I64, {0, 0, 0, 0, 0, 0, 0, 0x80}, INT64_MIN, -0x1p63},
        {GGUF_F32, {0, 0, 0x80, 0x7f}, INT64_MAX, INFINITY},
        {GGUF_F32, {0, 0, 0x80, 0xff}, INT64_MIN, -INFINITY},
        {GGUF_F32, {0, 0, 0x20, 0xc0}, -2, -2.5},
        {GGUF_F64, {0, 0, 0, 0, 0, 0, 0xe0, 0x43}, INT64_MAX, 0x1p63},
        {GGUF_BOOL, {1}, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gguf_value value = {.type = cases[i].type, .n_items = 1,
                            .item_type = cases[i].type,
                            .bytes = cases[i].bytes};
        assert_true(gguf_item_i64(&value, 0) == cases[i].i);
        assert_true(gguf_item_f64(&value, 0) == cases[i].f);
    }
    const gguf_value nan = {.item_type = GGUF_F32, .n_items = 1, .bytes =
                            (const unsigned char[]){0, 0, 0xc0, 0x7f}};
    assert_int_equal(gguf_item_i64(&nan, 0), 0);
    assert_int_equal(gguf_item_u64(&nan, 0), 0);
    assert_true(isnan(gguf_item_f64(&nan, 0)));
    const gguf_value large = {.item_type = GGUF_U64, .n_items = 1, .bytes =
                              cases[6].bytes};
    assert_true(gguf_item_u64(&large, 0) == 0x8000000000000000u);
    const gguf_value below = {.item_type = GGUF_I64, .n_items = 1, .bytes =
                              cases[7].bytes};
    assert_int_equal(gguf_item_u64(&below, 0), 0);
    const gguf_value infinite = {.item_type = GGUF_F32, .n_items = 1,
                                 .bytes = cases[8].bytes};
    assert_true(gguf_item_u64(&infinite, 0) == UINT64_MAX);
}

// An array without items may be the last thing in a file: the byte behind it
// may be on a page that is not there.
static void nothing_behind_an_empty_array(void **state)
{
    gguf_writer out;
    uint64_t n = 3;
    double x = 3;
    (void)state;
    gguf_writer_init(&out);
    gguf_set_array(&out, "empty", GGUF_U64, ones, 0);
    reopen(&out);
    gguf_value *value = &file.values[0];
    assert_int_equal(value->n_items, 0);
    value->bytes = NULL;
    for (int t = GGUF_U8; t < GGUF_TYPE_COUNT; t++) {
        value->item_type = (gguf_type)t;
        assert_true(gguf_item_f64(value, 0) == 0);
        assert_int_equal(gguf_item_i64(value, 0), 0);
        assert_int_equal(gguf_item_u64(value, 0), 0);
        assert_int_equal(gguf_get_u64(&file, "empty", &n, NULL),
                         LLL_ERR_FORMAT);
        assert_int_equal(gguf_get_f64(&file, "empty", &x, NULL),
                         LLL_ERR_FORMAT);
    }
    assert_true(n == 3 && x == 3);
}

static void no_digit_is_lost(void **state)
{
    static const uint64_t two_53 = (uint64_t)1 << 53;
    gguf_writer out;
    uint64_t n = 0;
    double x = 3;
    (void)state;
    gguf_writer_init(&out);
    gguf_set_u64(&out, "most", two_53);
    gguf_set_u64(&out, "more", two_53 + 1);
    reopen(&out);
    assert_int_equal(gguf_get_f64(&file, "more", &x, &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "found U64 9007199254740993, "));
    assert_true(x == 3);
    assert_int_equal(gguf_get_f64(&file, "most", &x, &err), LLL_OK);
    assert_true(x == 0x1p53);
    assert_int_equal(gguf_get_u64(&file, "more", &n, &err), LLL_OK);
    assert_true(n == two_53 + 1);
}

static void shapes(void **state)
{
    static const uint64_t right[] = {32, 2}, swapped[] = {2, 32};
    gguf_writer out;
    gguf_tensor tensor = {.n_dims = 9};
    (void)state;
    fill(&out);
    reopen(&out);
    assert_int_equal(gguf_find_tensor(&file, "matrix", swapped, 2, &tensor,
                                      &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "tensor matrix: expected [2, 32], found "
                           "[32, 2]"));
    assert_int_equal(gguf_find_tensor(&file, "matrix", right, 1, &tensor,
                                      &err), LLL_ERR_FORMAT);
    assert_int_equal(gguf_find_tensor(&file, "matri", right, 2, &tensor,
                                      &err), LLL_ERR_NOT_FOUND);
    assert_int_equal(tensor.n_dims, 9);
    assert_int_equal(gguf_find_tensor(&file, "matrix", right, 2, &tensor,
                                      &err), LLL_OK);
    assert_int_equal(tensor.n_dims, 2);
}

// More names than fit in any small table: every one is found, no other.
static void many_names(void **state)
{
    enum { N = 5000 };
    static const uint64_t dims[] = {1};
    gguf_writer out;
    char name[32];
    (void)state;
    gguf_writer_init(&out);
    gguf_set_u32(&out, "general.alignment", 8);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(name, sizeof name, "blk.%u.w", i);
        gguf_set_u32(&out, name, i);
        gguf_add_tensor(&out, name, DTYPE_F32, dims, 1, ones);
    }
    reopen(&out);
    assert_int_equal(file.alignment, 8);
    for (uint32_t i = 0; i < N + 100; i++) {
        uint64_t n = 0;
        gguf_tensor tensor;
        snprintf(name, sizeof name, "blk.%u.w", i);
        lll_status want = i < N ? LLL_OK : LLL_ERR_NOT_FOUND;
        assert_int_equal(gguf_get_u64(&file, name, &n, NULL), want);
        assert_int_equal(n, i < N ? i : 0);
        assert_int_equal(gguf_find_tensor(&file, name, NULL, 0, &tensor,
                                          NULL), want);
    }
}

static void the_first_failure_is_kept(void **state)
{
    static const uint64_t dims[] = {33};
    gguf_writer out;
    (void)state;
    gguf_writer_init(&out);
    gguf_add_tensor(&out, "odd", DTYPE_Q8_0, dims, 1, ones);
    gguf_add_tensor(&out, "five", DTYPE_F32, dims, 5, ones);
    gguf_set_array(&out, "strings", GGUF_STRING, ones, 1);
    assert_int_equal(gguf_write(&out, path, &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "not written: tensor odd: tensor shape "
                           "33: rows of 33"));
    gguf_writer_free(&out);
    gguf_writer_init(&out);
    gguf_set_u32(&out, "general.alignment", 48);
    assert_int_equal(gguf_write(&out, path, &err), LLL_ERR_ARGUMENT);
    gguf_writer_free(&out);
    gguf_writer_free(&out);
}

// What the reader would refuse is not written.
static void not_written(void **state)
{
    static const uint64_t dims[] = {4};
    static const char *const sentences[] = {
        "key a is there a second time", "tensor t is there a second time",
        "a key of 0 bytes, expected 1 to 65535",
        "key general.alignment: found U64, expected U32",
        "key general.alignment: found ARRAY, expected U32",
        "key general.alignment is there a second time",
    };
    char start[128];
    (void)state;
    snprintf(start, sizeof start, "%s: not written: ", path);
    for (int i = 0; i < 6; i++) {
        gguf_writer out;
        fill(&out);
        gguf_set_u32(&out, "a", 1);
        gguf_add_tensor(&out, "t", DTYPE_F32, dims, 1, ones);
        if (i == 0)
            gguf_set_string(&out, "a", "b", 1);
        else if (i == 1)
            gguf_add_tensor(&out, "t", DTYPE_F16, dims, 1, ones);
        else if (i == 2)
            gguf_set_u32(&out, "", 1);
        else if (i == 3)
            gguf_set_u64(&out, "general.alignment", 32);
        else if (i == 4)
            gguf_set_array(&out, "general.alignment", GGUF_U32, ones, 1);
        for (int n = 0; i == 5 && n < 2; n++)
            gguf_set_u32(&out, "general.alignment", 32);
        assert_int_equal(gguf_write(&out, path, &err), LLL_ERR_ARGUMENT);
        assert_ptr_equal(strstr(err.text, start), err.text);
        assert_non_null(strstr(err.text, sentences[i]));
        gguf_writer_free(&out);
    }
}

// In a file a NUL is a letter: two names that differ behind one are two.
static void names_with_nul(void **state)
{
    static const uint64_t dims[] = {4};
    gguf_writer out;
    (void)state;
    gguf_writer_init(&out);
    gguf_add_named(&out, (gguf_string){"t\0u", 3}, DTYPE_F32, dims, 1, ones);
    gguf_add_named(&out, (gguf_string){"t\0v", 3}, DTYPE_F32, dims, 1, ones);
    gguf_add_tensor(&out, "t", DTYPE_F32, dims, 1, ones);
    gguf_add_tensor(&out, "", DTYPE_F32, dims, 1, ones);
    reopen(&out);
    assert_int_equal(file.n_tensors, 4);
    assert_int_equal(file.tensors[1].name.n_bytes, 3);
    assert_memory_equal(file.tensors[1].name.bytes, "t\0v", 3);
}

// Wherever the lists end, the data begin at the next multiple of 32, and at
// once when that is where they end.
static void data_behind_any_lists(void **state)
{
    static const uint64_t dims[] = {4};
    static const float numbers[] = {1, 2, 3, 4};
    (void)state;
    for (size_t n = 1; n <= 32; n++) {
        gguf_writer out;
        gguf_tensor tensor;
        gguf_close(&file);
        gguf_writer_init(&out);
        gguf_set_string(&out, "k", "12345678901234567890123456789012", n);
        gguf_add_tensor(&out, "t", DTYPE_F32, dims, 1, numbers);
        reopen(&out);
        assert_int_equal(gguf_find_tensor(&file, "t", dims, 1, &tensor, &err),
                         LLL_OK);
        assert_true(gguf_data_at(&file, &tensor) - file.lists_end < 32);
        assert_memory_equal(tensor.data, numbers, sizeof numbers);
    }
}

// A text so long that its end, as a sum, stands in the header again.
static void lengths_that_wrap(void **state)
{
    unsigned char bytes[] = "GGUF\3\0\0\0\0\0\0\0\0\0\0\0"
                            "\1\0\0\0\0\0\0\0" "\1\0\0\0\0\0\0\0k"
                            "\x8\0\0\0" "12345678";
    (void)state;
    const size_t n_bytes = sizeof bytes - 1;
    for (uint64_t end = 0; end < n_bytes; end++) {
        uint64_t length = end - n_bytes;            // below 0: near 2^64
        memcpy(bytes + n_bytes - 8, &length, sizeof length);
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(bytes, 1, n_bytes, out), n_bytes);
        assert_int_equal(fclose(out), 0);
        assert_int_equal(gguf_open(&file, path, &err), LLL_ERR_FORMAT);
        assert_non_null(strstr(err.text, "key k: 1844674407370955"));
        assert_non_null(strstr(err.text, "only 0 bytes remain"));
    }
}

static void empty_and_closed(void **state)
{
    gguf_writer out;
    gguf_file zeroed = {0};
    (void)state;
    gguf_writer_init(&out);
    reopen(&out);
    assert_int_equal(file.n_values, 0);
    assert_null(gguf_find_value(&file, "a"));
    gguf_close(&zeroed);
    gguf_close(&file);
    assert_null(file.map.bytes);
    assert_int_equal(gguf_open(&file, "/nonexistent", &err), LLL_ERR_IO);
    assert_null(file.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_and_back, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(getters, make_path, remove_path),
        cmocka_unit_test(numbers_of_every_type),
        cmocka_unit_test_setup_teardown(nothing_behind_an_empty_array,
                                        make_path, remove_path),
        cmocka_unit_test_setup_teardown(no_digit_is_lost, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(shapes, make_path, remove_path),
        cmocka_unit_test_setup_teardown(many_names, make_path, remove_path),
        cmocka_unit_test_setup_teardown(the_first_failure_is_kept, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(not_written, make_path, remove_path),
        cmocka_unit_test_setup_teardown(names_with_nul, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(data_behind_any_lists, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(lengths_that_wrap, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(empty_and_closed, make_path,
                                        remove_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
