// Blocks that a search made: what comes back, what importance does, and what
// numbers at the edge become. Against ggml's errors and the gguf package's
// decoders: tests/test_quant_encode.py.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/quant.h"
#include "common/quant_encode.h"

enum { N = 512 };               // two super-blocks

// Types, and the error of normal numbers that a line of so many codes must
// stay below, as a share of their size.
static const struct { dtype type; double share; } types[] = {
    {DTYPE_Q2_K, 0.27}, {DTYPE_Q3_K, 0.16}, {DTYPE_Q4_K, 0.075},
    {DTYPE_Q5_K, 0.038}, {DTYPE_Q6_K, 0.018}, {DTYPE_Q4_0, 0.095},
    {DTYPE_Q4_1, 0.085}, {DTYPE_Q5_0, 0.048}, {DTYPE_Q5_1, 0.042},
    {DTYPE_Q8_0, 0.007}, {DTYPE_F16, 0.0005}, {DTYPE_BF16, 0.004},
    {DTYPE_F32, 0},
};

enum { N_TYPES = sizeof types / sizeof types[0], N_SUPER = 5, N_SEARCH = 9 };

static float draw(uint32_t *seed)
{
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        sum += (float)(*seed >> 8) / 8388608.0f - 1.0f;
    }
    return sum;
}

static void fill(float *x, float *importance, uint32_t seed)
{
    for (int i = 0; i < N; i++) {
        x[i] = draw(&seed);
        importance[i] = expf(3 * draw(&seed));
    }
}

static size_t row_bytes(dtype type)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    return (size_t)(N / info->block_size * info->block_bytes);
}

// There and back again: the sum of squared errors, each times `weights`.
static double there_and_back(dtype type, const float *x,
                             const float *importance, const float *weights)
{
    uint8_t blocks[4 * N];
    float y[N];
    double sum = 0;
    assert_int_equal(quant_encode_row(type, x, importance, blocks, N, NULL),
                     LLL_OK);
    assert_int_equal(quant_decode(type, blocks, y, N, NULL), LLL_OK);
    for (int i = 0; i < N; i++)
        sum += (weights != NULL ? (double)weights[i] : 1.0)
               * pow((double)x[i] - (double)y[i], 2);
    return sum;
}

static void comes_back(void **unused)
{
    float x[N], importance[N];
    double size = 0;
    (void)unused;
    fill(x, importance, 1);
    for (int i = 0; i < N; i++)
        size += (double)x[i] * (double)x[i];
    for (int t = 0; t < N_TYPES; t++) {
        double share = sqrt(there_and_back(types[t].type, x, NULL, NULL)
                            / size);
        print_message("# %s: error %.4f of the size\n",
                      dtype_name((uint32_t)types[t].type), share);
        assert_true(share <= types[t].share);
    }
}

static void importance_is_worth_it(void **unused)
{
    float x[N], importance[N];
    (void)unused;
    for (int t = 0; t < N_SEARCH; t++) {
        double with = 0, without = 0;
        for (uint32_t seed = 1; seed < 20; seed++) {
            fill(x, importance, seed);
            with += there_and_back(types[t].type, x, importance, importance);
            without += there_and_back(types[t].type, x, NULL, importance);
        }
        assert_true(with < 0.85 * without);
    }
}

static void unit_does_not_matter(void **unused)
{
    float x[N], importance[N], other[N];
    uint8_t a[4 * N], b[4 * N];
    (void)unused;
    fill(x, importance, 5);
    for (int t = 0; t < N_SEARCH; t++) {
        for (int i = 0; i < N; i++)
            other[i] = importance[i] * 0x1p-60f;
        quant_encode_row(types[t].type, x, importance, a, N, NULL);
        quant_encode_row(types[t].type, x, other, b, N, NULL);
        assert_memory_equal(a, b, row_bytes(types[t].type));
    }
    // Zeros alone, and the same number everywhere: all alike.
    for (int t = 0; t < N_SUPER; t++) {
        quant_encode_row(types[t].type, x, NULL, a, N, NULL);
        for (int turn = 0; turn < 2; turn++) {
            for (int i = 0; i < N; i++)
                other[i] = turn ? 8.0f : 0.0f;
            quant_encode_row(types[t].type, x, other, b, N, NULL);
            assert_memory_equal(a, b, row_bytes(types[t].type));
        }
    }
}

// Columns that never met anything are not given up: what nobody asks for is
// as good as if everybody asked the same.
static void zeros_are_not_given_up(void **unused)
{
    float x[N], importance[N], only[N];
    (void)unused;
    for (int i = 0; i < N; i++) {
        importance[i] = i % 256 < 32 ? 0.0f : 1.0f;
        only[i] = 1.0f - importance[i];
    }
    for (int t = 0; t < N_SEARCH; t++) {
        double with = 0, without = 0;
        float unused_importance[N];
        for (uint32_t seed = 1; seed < 20; seed++) {
            fill(x, unused_importance, seed);
            with += there_and_back(types[t].type, x, importance, only);
            without += there_and_back(types[t].type, x, NULL, only);
        }
        assert_true(with < 1.1 * without);
    }
}

static void simple_types_are_left_alone(void **unused)
{
    float x[N], importance[N];
    uint8_t a[4 * N], b[4 * N];
    (void)unused;
    fill(x, importance, 9);
    for (int t = N_SUPER; t < N_TYPES; t++) {
        quant_encode_row(types[t].type, x, NULL, a, N, NULL);
        quant_encode(types[t].type, x, b, N, NULL);
        assert_memory_equal(a, b, row_bytes(types[t].type));
    }
}

static void at_the_edge(void **unused)
{
    static const float odd[] = {0.0f, -0.0f, 1e-30f, 0.5f, -2.0f, 1e12f,
                                -3e38f, INFINITY, NAN};
    float x[N], y[N];
    uint8_t blocks[4 * N];
    (void)unused;
    for (int t = 0; t < N_SUPER; t++)
        for (int k = 0; k < 9; k++) {
            for (int i = 0; i < N; i++)
                x[i] = odd[k];
            quant_encode_row(types[t].type, x, NULL, blocks, N, NULL);
            quant_decode(types[t].type, blocks, y, N, NULL);
            for (int i = 0; i < N; i++)
                if (k < 3)
                    assert_true(y[i] == 0.0f);
                else if (k < 5)
                    assert_true(fabsf(y[i] - x[i]) < 0.005f * fabsf(x[i]));
                else if (k < 8)
                    assert_false(isfinite(y[i]));
        }
}

// Any bits at all: nothing may be undefined, whatever comes out.
static void any_bits(void **unused)
{
    float x[N], importance[N];
    uint8_t blocks[4 * N];
    uint32_t seed = 77;
    (void)unused;
    for (int trial = 0; trial < 40; trial++) {
        for (int i = 0; i < N; i++) {
            uint32_t bits = (seed = seed * 1664525u + 1013904223u);
            memcpy(&x[i], &bits, sizeof bits);
            importance[i] = trial % 2 ? fabsf(x[i]) : 1e38f;
        }
        for (int t = 0; t < N_TYPES; t++)
            quant_encode_row(types[t].type, x, importance, blocks, N, NULL);
    }
}

static void says_what_it_cannot(void **unused)
{
    float x[N] = {0};
    uint8_t blocks[N];
    lll_error err;
    (void)unused;
    assert_int_equal(quant_encode_row(DTYPE_IQ2_S, x, NULL, blocks, N, &err),
                     LLL_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "IQ2_S"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(importance_is_worth_it),
        cmocka_unit_test(unit_does_not_matter),
        cmocka_unit_test(zeros_are_not_given_up),
        cmocka_unit_test(simple_types_are_left_alone),
        cmocka_unit_test(at_the_edge),
        cmocka_unit_test(any_bits),
        cmocka_unit_test(says_what_it_cannot),
    };
    return cmocka_run_group_tests_name("quant_encode", tests, NULL, NULL);
}
