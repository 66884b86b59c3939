// How far weights moved: sums that can be made by hand, and what has no
// other form.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/quant.h"
#include "common/weight_error.h"

enum { ROWS = 2, COLUMNS = 4 };

static gguf_tensor matrix(dtype type, const void *data, size_t n_bytes)
{
    return (gguf_tensor){
        .name = {"x.weight", 8}, .type = type, .n_dims = 2,
        .dims = {COLUMNS, ROWS, 1, 1}, .n_elements = ROWS * COLUMNS,
        .n_bytes = n_bytes, .data = data};
}

static void against_another_tensor(void **state)
{
    const float a[] = {3, 4, 0, 0, 1, 2, 2, 4};
    const float b[] = {3, 4, 0, 2, 1, 2, 2, 3};
    weight_error e = {0}, all = {0};
    lll_error err;
    (void)state;
    gguf_tensor one = matrix(DTYPE_F32, a, sizeof a);
    gguf_tensor two = matrix(DTYPE_F32, b, sizeof b);
    assert_int_equal(weight_error_tensor(&one, &two, DTYPE_Q8_0, &e, &err),
                     LLL_OK);
    assert_true(e.numbers == 8 && e.bytes == sizeof b);
    assert_true(e.squares == 50 && e.error_squares == 5 && e.largest == 2);
    assert_true(fabs(weight_error_relative(&e) - sqrt(0.1)) < 1e-15);
    weight_error_add(&e, &all);
    weight_error_add(&e, &all);
    assert_true(all.numbers == 16 && all.squares == 100 && all.largest == 2);
    assert_true(weight_error_relative(&all) == weight_error_relative(&e));
}

// 1/3 is no BF16: the error is what rounding to 8 bits leaves.
static void encoded_on_the_way(void **state)
{
    float a[ROWS * COLUMNS];
    weight_error e = {0};
    lll_error err;
    (void)state;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        a[i] = i == 5 ? 1.0f / 3 : (float)i;
    gguf_tensor one = matrix(DTYPE_F32, a, sizeof a);
    assert_int_equal(weight_error_tensor(&one, NULL, DTYPE_BF16, &e, &err),
                     LLL_OK);
    assert_true(e.bytes == 16 && e.numbers == 8);
    assert_true(e.largest == fabs(0.333984375 - (double)(1.0f / 3)));
}

static void what_is_no_number_stays(void **state)
{
    const float a[] = {1, 1, 1, 1, 1, 1, 1, 1};
    const float b[] = {1, 1, NAN, 1, 1, 1, 5, 1};
    weight_error e = {0}, none = {0};
    lll_error err;
    (void)state;
    gguf_tensor one = matrix(DTYPE_F32, a, sizeof a);
    gguf_tensor two = matrix(DTYPE_F32, b, sizeof b);
    assert_int_equal(weight_error_tensor(&one, &two, DTYPE_F32, &e, &err),
                     LLL_OK);
    assert_true(isnan(e.largest) && isnan(weight_error_relative(&e)));
    weight_error_add(&none, &e);
    assert_true(isnan(e.largest));
    assert_true(weight_error_relative(&none) == 0);
}

static void a_type_without_encoder_is_refused(void **state)
{
    const float a[ROWS * COLUMNS] = {0};
    weight_error e = {0};
    lll_error err;
    (void)state;
    gguf_tensor one = matrix(DTYPE_F32, a, sizeof a);
    // A row of 4 is no whole number of blocks of 32.
    assert_int_not_equal(
        weight_error_tensor(&one, NULL, DTYPE_Q8_0, &e, &err), LLL_OK);
    assert_true(e.numbers == 0 && e.bytes == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_another_tensor),
        cmocka_unit_test(encoded_on_the_way),
        cmocka_unit_test(what_is_no_number_stays),
        cmocka_unit_test(a_type_without_encoder_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
