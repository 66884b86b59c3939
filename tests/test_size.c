// Sizes that fit, and sizes that do not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/size.h"

static void products_and_sums(void **state)
{
    (void)state;
    size_t out = 77;
    assert_true(size_mul(0, SIZE_MAX, &out));
    assert_int_equal(out, 0);
    assert_true(size_mul(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(size_mul(SIZE_MAX / 3, 3, &out));
    out = 77;
    assert_false(size_mul(SIZE_MAX / 3 + 1, 3, &out));
    assert_false(size_mul(SIZE_MAX, 2, &out));
    // What is left, 2^63, is larger than both factors.
    assert_false(size_mul((size_t)1 << 33, (size_t)3 << 30, &out));
    assert_false(size_add(SIZE_MAX, 1, &out));
    assert_int_equal(out, 77);
    assert_true(size_add(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
}

static void refused(dtype type, int n_dims, const uint64_t *shape,
                    size_t limit, lll_status code, const char *sentence)
{
    lll_error err;
    size_t n = 5, bytes = 6;
    assert_int_equal(tensor_size(type, shape, n_dims, limit, &n, &bytes,
                                 &err), code);
    assert_string_equal(err.text, sentence);
    assert_int_equal(n, 5);
    assert_int_equal(bytes, 6);
    assert_int_equal(tensor_size(type, shape, n_dims, limit, NULL, NULL,
                                 NULL), code);
}

#define SHAPE(...) (const uint64_t[]){__VA_ARGS__}

static void sizes(void **state)
{
    (void)state;
    size_t n, bytes;
    assert_int_equal(tensor_size(DTYPE_F32, SHAPE(32, 131072, 1024), 3,
                                 SIZE_MAX, &n, &bytes, NULL), LLL_OK);
    assert_true(n == 4294967296 && bytes == 17179869184);
    assert_int_equal(tensor_size(DTYPE_Q4_1, SHAPE(3, 64), 2, SIZE_MAX, &n,
                                 &bytes, NULL), LLL_OK);
    assert_true(n == 192 && bytes == 120);
    assert_int_equal(tensor_size(DTYPE_Q6_K, SHAPE(256), 1, 256, &n, &bytes,
                                 NULL), LLL_OK);
    assert_true(n == 256 && bytes == 210);
    // Exactly at the limits.
    assert_int_equal(tensor_size(DTYPE_F32, SHAPE(INT32_MAX), 1, INT32_MAX,
                                 &n, NULL, NULL), LLL_OK);
    assert_int_equal(tensor_size(DTYPE_I8, SHAPE(UINT64_MAX), 1, SIZE_MAX,
                                 &n, &bytes, NULL), LLL_OK);
    assert_int_equal(tensor_size(DTYPE_F32, SHAPE(1ull << 61), 1, SIZE_MAX,
                                 NULL, &bytes, NULL), LLL_OK);
    assert_true(bytes == 1ull << 63);
}

static void refusals(void **state)
{
    (void)state;
    refused(DTYPE_F32, 3, SHAPE(32, 131072, 1024), INT32_MAX,
            LLL_ERR_OVERFLOW, "tensor size overflow: 32 x 131072 x 1024 does "
            "not fit in 32 bits with a sign");
    refused(DTYPE_F32, 1, SHAPE(2147483648), INT32_MAX, LLL_ERR_OVERFLOW,
            "tensor size overflow: 2147483648 does not fit in 32 bits with a "
            "sign");
    refused(DTYPE_F32, 1, SHAPE(1ull << 62), SIZE_MAX, LLL_ERR_OVERFLOW,
            "tensor size overflow: 4611686018427387904 in bytes does not fit "
            "in 64 bits");
    refused(DTYPE_I8, 2, SHAPE(1ull << 32, 1ull << 32), SIZE_MAX,
            LLL_ERR_OVERFLOW, "tensor size overflow: 4294967296 x 4294967296 "
            "does not fit in 64 bits");
    // A zero is named even where the rest would overflow first.
    refused(DTYPE_F32, 3, SHAPE(UINT64_MAX, UINT64_MAX, 0), SIZE_MAX,
            LLL_ERR_ARGUMENT, "tensor shape 18446744073709551615 x "
            "18446744073709551615 x 0: dimension 3 is 0, expected at least "
            "1");
    refused(DTYPE_Q8_0, 2, SHAPE(32, 33), SIZE_MAX, LLL_ERR_FORMAT,
            "tensor shape 32 x 33: rows of 33 are not whole blocks of 32 "
            "(Q8_0)");
    refused(DTYPE_F32, 0, SHAPE(1), SIZE_MAX, LLL_ERR_ARGUMENT,
            "a tensor has 1 to 8 dimensions, not 0");
    refused(DTYPE_F32, 9, SHAPE(1), SIZE_MAX, LLL_ERR_ARGUMENT,
            "a tensor has 1 to 8 dimensions, not 9");
    refused((dtype)4, 1, SHAPE(1), SIZE_MAX, LLL_ERR_ARGUMENT,
            "the number 4 names no storage type");
    refused((dtype)-1, 1, SHAPE(1), SIZE_MAX, LLL_ERR_ARGUMENT,
            "the number -1 names no storage type");
}

static void texts(void **state)
{
    static const struct { uint64_t n; const char *text; } cases[] = {
        {0, "0 B"}, {1023, "1023 B"}, {1024, "1.00 KiB"},
        {1048570, "1023.99 KiB"}, {1048575, "1.00 MiB"},
        {17179869184, "16.00 GiB"}, {UINT64_MAX, "16.00 EiB"},
    };
    char text[32], shape[16];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_text(cases[i].n, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
    shape_text(SHAPE(1, 22), 2, shape, sizeof shape);
    assert_string_equal(shape, "1 x 22");
    shape_text(SHAPE(123456, 789012), 2, shape, sizeof shape);
    assert_string_equal(shape, "123456...");
    shape_text(SHAPE(UINT64_MAX), 1, shape, sizeof shape);
    assert_string_equal(shape, "...");
    shape_text(SHAPE(5), 1, shape, 3);      // no room even for the dots
    assert_true(strlen(shape) < 3);
    shape_text(SHAPE(5), 0, shape, sizeof shape);
    assert_string_equal(shape, "");
}

static void chains_stay_at_the_largest(void **state)
{
    (void)state;
    assert_true(size_times(6, 7) == 42 && size_plus(6, 7) == 13);
    assert_true(size_times(SIZE_MAX / 2 + 1, 2) == SIZE_MAX);
    assert_true(size_plus(SIZE_MAX, 1) == SIZE_MAX);
    assert_true(size_times(SIZE_MAX, 3) == SIZE_MAX);
    assert_true(size_plus(size_times(SIZE_MAX, SIZE_MAX), 5) == SIZE_MAX);
    assert_true(size_times(SIZE_MAX, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_stay_at_the_largest),
        cmocka_unit_test(products_and_sums),
        cmocka_unit_test(sizes),
        cmocka_unit_test(refusals),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
