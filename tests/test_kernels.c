// SwiGLU, attention and quantized activations of every set of kernels that
// this machine runs against the scalar text, bit for bit.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels.h"
#include "common/plan.h"
#include "common/quant.h"
#include "tests/tables.h"

static void swiglu_is_the_same(void **unused)
{
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    enum { N = 1003 };
    static float gate[2][N], up[N];
    (void)unused;
    for (int i = 0; i < n_tables; i++) {
        for (int k = 0; k < N; k++) {
            gate[0][k] = gate[1][k] = (float)(k - 500) * 0.31f;
            up[k] = uniform();
        }
        kernels_scalar.swiglu(gate[0], up, N);
        table[i]->swiglu(gate[1], up, N);
        assert_memory_equal(gate[0], gate[1], sizeof gate[0]);
        for (int k = 0; k < N; k++)
            gate[0][k] = gate[1][k] = k % 3 == 0 ? NAN : k % 3 == 1
                                    ? INFINITY : -INFINITY;
        kernels_scalar.swiglu(gate[0], up, N);
        table[i]->swiglu(gate[1], up, N);
        assert_same(table[i]->name, gate[0], gate[1], N);
    }
}

static const float bad_numbers[] = {NAN, INFINITY, -INFINITY, 3e38f};

// Rows of every length up to 70, and numbers of every kind in them.
static void norm_and_addition_are_the_same(void **unused)
{
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    float x[70], weight[70], out[2][72];
    (void)unused;
    for (int round = 0; round < 70 * 9; round++) {
        int n = 1 + round % 70;
        for (int k = 0; k < n; k++) {
            x[k] = uniform() * (round % 2 ? 1.0f : 1e-20f);
            weight[k] = uniform();
        }
        if (round > 70 * 5)
            x[next() % (unsigned)n] = bad_numbers[round % 4];
        for (int i = 0; i < n_tables; i++) {
            out[0][n] = out[1][n] = 5.0f;
            kernels_scalar.norm(out[0], x, weight, n, 1e-5f);
            table[i]->norm(out[1], x, weight, n, 1e-5f);
            assert_same(table[i]->name, out[0], out[1], n + 1);
            kernels_scalar.add(out[0], x, n);
            table[i]->add(out[1], x, n);
            assert_same(table[i]->name, out[0], out[1], n + 1);
        }
    }
}

// Spans that come one after another, from the first, which meets nothing.
static void spans_are_merged_the_same(void **unused)
{
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    (void)unused;
    for (int d = 1; d < 70; d++)
        for (int i = 0; i < n_tables; i++) {
            float out[2][70] = {{0}}, from[70];
            attend_state a = {-INFINITY, 0.0f, out[0]};
            attend_state b = {-INFINITY, 0.0f, out[1]};
            for (int span = 0; span < 12; span++) {
                float maximum = 40.0f * uniform(), total = 1.5f + uniform();
                if (span > 7)
                    maximum = bad_numbers[(span + d) % 4];
                for (int k = 0; k < d; k++)
                    from[k] = uniform();
                kernels_scalar.merge(&a, maximum, total, from, d);
                table[i]->merge(&b, maximum, total, from, d);
                assert_same(table[i]->name, &a.maximum, &b.maximum, 1);
                assert_same(table[i]->name, &a.total, &b.total, 1);
                assert_same(table[i]->name, out[0], out[1], 70);
            }
            kernels_scalar.finish(&a, d);
            table[i]->finish(&b, d);
            assert_same(table[i]->name, out[0], out[1], 70);
        }
}

typedef struct {
    float maximum[100], total[100], out[100 * 96];
} attended;

static void attend_with(const kernels *table, attend_span span, attended *to)
{
    float *scratch = memory(attention_scratch(span.head_dim)
                            * sizeof(float));
    memset(to, 0, sizeof *to);
    span.scratch = scratch;
    span.maximum = to->maximum;
    span.total = to->total;
    span.out = to->out;
    table->attend(&span);
    free(scratch);
}

static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0};

static void spans_are_the_same(void **unused)
{
    static const int dims[] = {16, 32, 64, 80, 96, 20};
    static const int rows[] = {1, 3, 8, 37, 100};
    static float q[100 * 96], numbers[128 * 96];
    static uint16_t kv[3][2][2 * 128 * 96];     // of each type
    static attended a, b;
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table), horizon[100];
    (void)unused;
    for (int i = 0; i < 100 * 96; i++)
        q[i] = uniform();
    for (int is_value = 0; is_value < 2; is_value++) {
        for (int i = 0; i < 128 * 96; i++)
            numbers[i] = 3.0f * uniform();
        for (int t = 0; t < 3; t++)
            (void)quant_encode(types[t], numbers, kv[t][is_value], 128 * 96,
                               NULL);
    }
    for (int d = 0; d < 6; d++)
        for (int n = 1; n <= 128; n += n < 20 ? 1 : 27)
            for (int r = 0; r < 5; r++)
                for (int t = 0; t < 3; t++) {
                    if (plan_kv_check(types[t], dims[d], NULL) != LLL_OK)
                        continue;
                    attend_span span = {
                        .q = q, .n_rows = rows[r], .head_dim = dims[d],
                        .type = types[t], .keys = kv[t][0],
                        .values = kv[t][1],
                        .row_bytes = plan_kv_row(types[t], dims[d]),
                        .n_positions = n, .visible = n % 2 ? NULL : horizon};
                    for (int k = 0; k < rows[r]; k++)
                        horizon[k] = 1 + (n - 1) * (k + 1) / rows[r];
                    attend_with(&kernels_scalar, span, &a);
                    for (int i = 0; i < n_tables; i++) {
                        attend_with(table[i], span, &b);
                        assert_memory_equal(&a, &b, sizeof a);
                    }
                }
}

// Keys and values that are not finite: where a score is NaN the largest one
// skips it, and totals and outputs are NaN where the taught text's are.
static void spans_not_finite(void **unused)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    static float q[5 * 32], kv[2][40 * 32];
    static attended a, b;
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table), horizon[] = {1, 5, 17, 33, 37};
    (void)unused;
    for (int i = 0; i < 5 * 32; i++)
        q[i] = i / 32 == 4 ? 0.5f : uniform();
    attend_span span = {.q = q, .n_rows = 5, .head_dim = 32,
                        .type = DTYPE_F32, .keys = kv[0], .values = kv[1],
                        .row_bytes = 32 * sizeof(float), .n_positions = 37,
                        .visible = horizon};
    for (int at = 0; at < 37 * 2 * 3; at++) {
        for (int i = 0; i < 2 * 40 * 32; i++)
            kv[i % 2][i / 2] = uniform();
        int position = at / 6, all = at % 5 == 0;
        for (int j = all ? 0 : position; j <= position; j++)
            kv[at / 3 % 2][j * 32 + 7] = bad[at % 3];
        attend_with(&kernels_scalar, span, &a);
        for (int i = 0; i < n_tables; i++) {
            attend_with(table[i], span, &b);
            assert_same(table[i]->name, a.maximum, b.maximum, 5);
            assert_same(table[i]->name, a.total, b.total, 5);
            assert_same(table[i]->name, a.out, b.out, 5 * 32);
        }
    }
}

// A row of a cache, and what its numbers come back as.
static void compare_rows(const kernels *table, const float *row, int n)
{
    static uint16_t a[1024], b[1024];
    static float back[2][512];
    for (int t = 0; t < 3; t++) {
        if (plan_kv_check(types[t], n, NULL) != LLL_OK)
            continue;
        memset(a, 0x55, sizeof a);
        memset(b, 0x55, sizeof b);
        kernels_scalar.encode(types[t], row, a, n);
        table->encode(types[t], row, b, n);
        (void)quant_decode(types[t], a, back[0], (size_t)n, NULL);
        (void)quant_decode(types[t], b, back[1], (size_t)n, NULL);
        assert_same(table->name, back[0], back[1], n);
        size_t bytes = plan_kv_row(types[t], n);
        if (types[t] == DTYPE_Q8_0)     // codes too, and only one NaN
            assert_memory_equal(a, b, sizeof a);
        assert_memory_equal((char *)a + bytes, (char *)b + bytes,
                            sizeof a - bytes);
    }
}

static void rows_are_encoded_the_same(void **unused)
{
    static const float sizes[] = {1.0f, 0x1p-20f, 0x1p-119f, 0x1p-130f,
                                  1e6f, 1e38f, 0.0f};
    static const float bad[] = {NAN, INFINITY, -INFINITY, -0.0f, 65504.0f,
                                65520.0f, 1e-7f, 0x1p-149f};
    static float row[512];
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    (void)unused;
    for (int round = 0; round < 1500; round++) {
        int n = round % 3 == 0 ? 1 + (int)(next() % 100)
                               : 32 * (1 + (int)(next() % 4));
        for (int i = 0; i < n; i++)
            row[i] = sizes[round % 7] * uniform();
        // A scale of 2 or so: every other code is half-way between two.
        if (round % 5 == 0)
            for (int i = 0; i < n; i++)
                row[i] = i % 32 == 0 ? 254.0f : (float)(next() % 509) - 254;
        if (round % 11 == 0)
            row[next() % (unsigned)n] = bad[round / 11 % 8];
        for (int i = 0; i < n_tables; i++)
            compare_rows(table[i], row, n);
    }
}

// Each number is off by at most half a code, and one that is not finite is
// not lost.
static void eight_bits_are_near(void **unused)
{
    float row[64], back[64];
    q8_0_block block[2];
    (void)unused;
    for (int round = 0; round < 100; round++) {
        float largest[2] = {0};
        for (int i = 0; i < 64; i++) {
            row[i] = uniform() * (i < 32 ? 1.0f : 40.0f);
            largest[i / 32] = fmaxf(largest[i / 32], fabsf(row[i]));
        }
        kernels_scalar.encode(DTYPE_Q8_0, row, block, 64);
        (void)quant_decode(DTYPE_Q8_0, block, back, 64, NULL);
        for (int i = 0; i < 64; i++)    // half a code, and the scale as F16
            assert_true(fabsf(row[i] - back[i]) <= largest[i / 32]
                                                   * (0.5f / 127 + 0x1p-11f));
        row[round % 32] = round % 2 ? NAN : -INFINITY;
        kernels_scalar.encode(DTYPE_Q8_0, row, block, 64);
        (void)quant_decode(DTYPE_Q8_0, block, back, 64, NULL);
        for (int i = 0; i < 64; i++)
            assert_int_equal(isnan(back[i]) != 0, i < 32);
    }
}

static void quantized_activations(void **unused)
{
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    enum { N = 32 * 40 };
    static float x[11 * N], scale[2][11 * N / 32], sum[2][11 * N / 32];
    static int8_t code[2][11 * N];
    static int16_t half[2][11 * N / 16];
    (void)unused;
    for (int i = 0; i < 11 * N; i++)
        x[i] = uniform() * powf(10.0f, (float)(i % N / 32) - 20.0f);
    for (int i = 0; i < 64; i++)
        x[i] = i < 32 ? 0.0f : (float)(i - 32) * 0.5f - 8.0f;
    activations a = {11, N, x, code[0], scale[0], sum[0], half[0]};
    activations b = {11, N, x, code[1], scale[1], sum[1], half[1]};
    for (int t = 0; t < a.n_rows; t++)
        kernels_scalar.quantize(&a, t);
    for (int i = 0; i < n_tables; i++) {
        for (int t = 0; t < b.n_rows; t++)
            table[i]->quantize(&b, t);
        assert_memory_equal(code[0], code[1], sizeof code[0]);
        assert_memory_equal(scale[0], scale[1], sizeof scale[0]);
        assert_memory_equal(sum[0], sum[1], sizeof sum[0]);
        assert_memory_equal(half[0], half[1], sizeof half[0]);
        memset(code[1], 0, sizeof code[1]);
    }
    for (int i = 0; i < 11 * N; i++) {
        size_t block = activations_block(&a, i / N, i % N / 32);
        float d = scale[0][block];
        float back = d * code[0][block * 32 + (size_t)(i % 32)];
        assert_true(fabsf(x[i] - back) <= 0.5001f * d + 1e-34f);
    }
}

static void not_finite_blocks(void **unused)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    (void)unused;
    for (int i = 0; i < n_tables; i++)
        for (int at = 0; at < 32 * 3; at++) {
            float x[64], scale[2], sum[2];
            int8_t code[64], zero[32] = {0};
            int16_t half[4] = {7, 7, 7, 7};
            activations a = {1, 64, x, code, scale, sum, half};
            for (int k = 0; k < 64; k++)
                x[k] = 1e30f * uniform();
            x[at / 3] = bad[at % 3];
            memset(code, 1, sizeof code);
            table[i]->quantize(&a, 0);
            assert_true(isnan(scale[0]) && isnan(sum[0]));
            assert_true(half[0] == 0 && half[1] == 0);
            assert_memory_equal(code, zero, 32);
            assert_true(isfinite(scale[1]) && isfinite(sum[1]));
        }
}

static void unknown_set_is_refused(void **unused)
{
    const kernels *table = NULL;
    lll_error err;
    (void)unused;
    assert_int_equal(kernels_select("mmx", &table, &err),
                     LLL_ERR_UNSUPPORTED);
    assert_null(table);
    assert_non_null(strstr(err.text, "scalar"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swiglu_is_the_same),
        cmocka_unit_test(norm_and_addition_are_the_same),
        cmocka_unit_test(spans_are_merged_the_same),
        cmocka_unit_test(spans_are_the_same),
        cmocka_unit_test(spans_not_finite),
        cmocka_unit_test(rows_are_encoded_the_same),
        cmocka_unit_test(eight_bits_are_near),
        cmocka_unit_test(quantized_activations),
        cmocka_unit_test(not_finite_blocks),
        cmocka_unit_test(unknown_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
