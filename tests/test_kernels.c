// SwiGLU and attention of every set of kernels that this machine runs against
// the scalar text, bit for bit.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels.h"
#include "tests/tables.h"

static void swiglu_is_the_same(void **unused)
{
    const kernels *table[8];
    int n_tables = tables(table, 8);
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

typedef struct {
    float maximum[40], total[40], out[40 * 96];
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

static void spans_are_the_same(void **unused)
{
    static const int dims[] = {16, 32, 64, 80, 96, 20};
    static const int rows[] = {1, 3, 16, 37};
    static float q[40 * 96], kv[2][128 * 96];
    static uint16_t half[2][128 * 96];
    static attended a, b;
    const kernels *table[8];
    int n_tables = tables(table, 8), horizon[40];
    (void)unused;
    for (int i = 0; i < 40 * 96; i++)
        q[i] = uniform();
    for (int i = 0; i < 2 * 128 * 96; i++) {
        kv[i % 2][i / 2] = 3.0f * uniform();
        half[i % 2][i / 2] = f32_to_f16(kv[i % 2][i / 2]);
    }
    for (int d = 0; d < 6; d++)
        for (int n = 1; n <= 128; n += n < 20 ? 1 : 27)
            for (int r = 0; r < 4; r++)
                for (int is_half = 0; is_half < 2; is_half++) {
                    attend_span span = {
                        .q = q, .n_rows = rows[r], .head_dim = dims[d],
                        .type = is_half ? DTYPE_F16 : DTYPE_F32,
                        .keys = is_half ? (void *)half[0] : (void *)kv[0],
                        .values = is_half ? (void *)half[1] : (void *)kv[1],
                        .row_bytes = (size_t)dims[d] * (is_half ? 2 : 4),
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
    const kernels *table[8];
    int n_tables = tables(table, 8), horizon[] = {1, 5, 17, 33, 37};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swiglu_is_the_same),
        cmocka_unit_test(spans_are_the_same),
        cmocka_unit_test(spans_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
