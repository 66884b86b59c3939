// Every set of kernels that this machine runs against the scalar text, bit
// for bit: types, block counts, row counts, extreme blocks, pieces, threads.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/linear.h"
#include "common/quant.h"
#include "tests/tables.h"

enum { MAX_ROWS = 64, GUARD = 64 };

static const dtype types[] = {
    DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q5_0, DTYPE_Q5_1, DTYPE_Q8_0, DTYPE_Q2_K,
    DTYPE_Q3_K, DTYPE_Q4_K, DTYPE_Q5_K, DTYPE_Q6_K, DTYPE_F16, DTYPE_BF16,
    DTYPE_F32
};
enum { N_TYPES = sizeof types / sizeof types[0], N_BLOCKED = 10 };

// Where the halves stand in a block that scale it.
static const int scales[DTYPE_COUNT][2] = {
    [DTYPE_Q4_0] = {0, 0},   [DTYPE_Q4_1] = {0, 2},   [DTYPE_Q5_0] = {0, 0},
    [DTYPE_Q5_1] = {0, 2},   [DTYPE_Q8_0] = {0, 0},   [DTYPE_Q2_K] = {80, 82},
    [DTYPE_Q3_K] = {108, 108}, [DTYPE_Q4_K] = {0, 2}, [DTYPE_Q5_K] = {0, 2},
    [DTYPE_Q6_K] = {208, 208}
};

// n numbers, or the multiple of a block that is next above.
static int whole(dtype type, int n)
{
    int block = dtype_find((uint32_t)type)->block_size;
    return (n + block - 1) / block * block;
}

typedef struct {
    dtype type;
    int n_outputs, n_inputs, n_x;
    unsigned char *weight;
    float *x, *out;
    matmul m;
    unsigned char *team_memory;
    activations a;
    void *a_memory;
} setup;

static void start_team(setup *s, int n_threads)
{
    lll_error err;
    s->team_memory = memory(threads_bytes(n_threads));
    assert_int_equal(threads_start(&s->m.team, n_threads, s->team_memory,
                                   &err), LLL_OK);
    s->m.scratch_bytes = matmul_scratch_bytes(s->n_inputs);
    s->m.scratch = memory((size_t)n_threads * s->m.scratch_bytes);
}

static void stop_team(setup *s)
{
    threads_stop(s->m.team);
    free(s->m.scratch);
    free(s->team_memory);
}

static void start(setup *s, int n_threads)
{
    start_team(s, n_threads);
    s->m.kernels = &kernels_scalar;
    size_t n = (size_t)s->n_inputs;
    const dtype_info *info = dtype_find(s->type);
    s->weight = memory((size_t)s->n_outputs * n / (size_t)info->block_size
                       * (size_t)info->block_bytes);
    s->x = memory((size_t)s->n_x * n * sizeof(float));
    s->out = memory(((size_t)s->n_x * (size_t)s->n_outputs + GUARD)
                    * sizeof(float));
    s->a_memory = memory(activations_bytes(s->n_x, s->n_inputs));
}

static void stop(setup *s)
{
    stop_team(s);
    free(s->weight);
    free(s->x);
    free(s->out);
    free(s->a_memory);
}

// Any bytes are codes and small scales; the large ones are 0.01 to 0.02, of
// either sign.
static void fill_blocks(setup *s, size_t n)
{
    const dtype_info *info = dtype_find((uint32_t)s->type);
    size_t size = (size_t)info->block_bytes;
    n /= (size_t)info->block_size;
    for (size_t i = 0; i < n * size; i++)
        s->weight[i] = (unsigned char)next();
    for (size_t i = 0; i < 2 * n; i++) {
        uint16_t scale = f32_to_f16((1.5f + 0.5f * uniform()) * 0.01f
                                    * (next() & 1 ? 1.0f : -1.0f));
        memcpy(s->weight + i / 2 * size + scales[s->type][i % 2], &scale, 2);
    }
}

static void fill(setup *s)
{
    size_t n = (size_t)s->n_outputs * (size_t)s->n_inputs;
    float *values = memory(n * sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = uniform();
    // The types of 256 numbers have a search in place of an encoder.
    if (quant_encode(s->type, values, s->weight, n, NULL) != LLL_OK)
        fill_blocks(s, n);
    free(values);
    for (size_t i = 0; i < (size_t)s->n_x * (size_t)s->n_inputs; i++)
        s->x[i] = uniform() * (float)(1 + i % 7);
}

static void run_with(setup *s, const kernels *table, float *out)
{
    size_t n = (size_t)s->n_x * (size_t)s->n_outputs;
    for (size_t i = 0; i < n + GUARD; i++)
        out[i] = 12345.0f;
    s->m.kernels = table;
    activations_set(&s->a, &s->m, s->x, s->n_x, s->n_inputs, s->a_memory);
    matmul_job job = {s->type, s->weight, s->n_outputs, s->n_inputs, out};
    matmul_run(&s->m, &s->a, &job, 1);
    for (size_t i = n; i < n + GUARD; i++)
        assert_true(out[i] == 12345.0f);
}

static void compare_tables(setup *s)
{
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    size_t bytes = ((size_t)s->n_x * (size_t)s->n_outputs + GUARD)
                   * sizeof(float);
    float *expected = memory(bytes);
    run_with(s, &kernels_scalar, expected);
    for (int i = 0; i < n_tables; i++) {
        run_with(s, table[i], s->out);
        if (memcmp(expected, s->out, bytes) != 0)
            fail_msg("%s differs from scalar: %s %d x %d, %d rows of x, "
                     "mode %d", table[i]->name, dtype_name(s->type),
                     s->n_outputs, s->n_inputs, s->n_x, (int)s->m.mode);
    }
    free(expected);
}

static void compare(dtype type, int n_outputs, int n_inputs, int n_x,
                    int n_threads, matmul_mode mode)
{
    setup s = {.type = type, .n_outputs = n_outputs, .n_inputs = n_inputs,
               .n_x = n_x};
    s.m.mode = mode;
    start(&s, n_threads);
    fill(&s);
    compare_tables(&s);
    stop(&s);
}

static void every_block_count(void **unused)
{
    (void)unused;
    for (int t = 0; t < N_TYPES; t++)
        for (int blocks = 1; blocks <= 9; blocks++)
            for (int n_x = 1; n_x <= 9; n_x++)
                for (int mode = 0; mode < 2; mode++)
                    compare(types[t], 37, whole(types[t], 1) * blocks, n_x, 1,
                            (matmul_mode)mode);
}

static void real_row_lengths(void **unused)
{
    static const int length[] = {64, 576, 1536, 2048, 5632};
    static const int n_x[] = {1, 2, 17, 64};
    (void)unused;
    for (int t = 0; t < N_TYPES; t++)
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 4; k++) {
                int n_outputs = i >= 3 ? 33 : 67;
                int n = whole(types[t], length[i]);
                compare(types[t], n_outputs, n, n_x[k], 1 + (i + k) % 5,
                        MATMUL_Q8);
                if (k % 2 == 0)
                    compare(types[t], n_outputs, n, n_x[k], 1 + k,
                            MATMUL_F32);
            }
}

// Float rows need not be a multiple of anything.
static void odd_row_lengths(void **unused)
{
    static const dtype plain[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    (void)unused;
    for (int t = 0; t < 3; t++)
        for (int n = 1; n <= 50; n++)
            for (int n_x = 1; n_x <= 5; n_x += 2)
                for (int mode = 0; mode < 2; mode++)
                    compare(plain[t], 19, n, n_x, 1, (matmul_mode)mode);
}

static void every_row_count(void **unused)
{
    (void)unused;
    for (int t = 0; t < N_TYPES; t++)
        for (int n_outputs = 1; n_outputs <= 70; n_outputs += 3)
            compare(types[t], n_outputs, whole(types[t], 96),
                    1 + n_outputs % 11, 2, MATMUL_Q8);
}

// Codes at their limits, scales large and tiny, of both signs.
static void fill_extreme(setup *s, int kind)
{
    static const uint16_t scale[] = {0x3c00, 0xbc00, 0x0001, 0x7bff, 0};
    const dtype_info *info = dtype_find((uint32_t)s->type);
    size_t n_blocks = (size_t)s->n_outputs * (size_t)s->n_inputs
                      / (size_t)info->block_size;
    size_t size = (size_t)info->block_bytes;
    for (size_t b = 0; b < n_blocks; b++) {
        unsigned char *block = s->weight + b * size;
        for (size_t i = 0; i < size; i++)
            block[i] = (unsigned char)(kind == 0 ? 0 : kind == 1 ? 255
                     : kind == 2 ? 128 : kind == 3 ? 127 : (int)next());
        for (size_t i = 0; i < 2; i++)
            memcpy(block + scales[s->type][i], &scale[(b + i) % 5], 2);
    }
    for (size_t i = 0; i < (size_t)s->n_x * (size_t)s->n_inputs; i++)
        s->x[i] = i / 32 % 4 == 0 ? 1.0f : i / 32 % 4 == 1 ? -1e30f
                : i / 32 % 4 == 2 ? 0.0f : (next() & 1 ? 1e-38f : -1e-38f);
}

static void extreme_blocks(void **unused)
{
    (void)unused;
    for (int t = 0; t < N_BLOCKED; t++)
        for (int kind = 0; kind < 5; kind++)
            for (int n_x = 1; n_x <= 9; n_x += 4) {
                setup s = {.type = types[t], .n_outputs = 48,
                           .n_inputs = whole(types[t], 160), .n_x = n_x};
                start(&s, 1);
                fill_extreme(&s, kind);
                compare_tables(&s);
                stop(&s);
            }
}

// Rows of x in pieces of any size give the bits of all rows together, and so
// does every number of threads.
static void run_in_pieces(const setup *s, int piece, float *out)
{
    setup part = *s;
    for (int t = 0; t < s->n_x; t += piece) {
        part.x = s->x + t * s->n_inputs;
        part.n_x = s->n_x - t < piece ? s->n_x - t : piece;
        float *to = memory(((size_t)part.n_x * (size_t)s->n_outputs + GUARD)
                           * sizeof *to);
        run_with(&part, s->m.kernels, to);
        memcpy(out + t * s->n_outputs, to, (size_t)part.n_x
                                           * (size_t)s->n_outputs
                                           * sizeof *out);
        free(to);
    }
}

static void batches_and_threads(void **unused)
{
    static const int pieces[] = {1, 2, 3, 5, 63, 64, 65, 511};
    const kernels *table;
    (void)unused;
    assert_int_equal(kernels_select("auto", &table, NULL), LLL_OK);
    for (int t = 0; t < N_TYPES; t++) {
        setup s = {.type = types[t], .n_outputs = 80, .n_x = 511,
                   .n_inputs = whole(types[t], 96)};
        size_t bytes = 511 * 80 * sizeof(float);
        float *out = memory(bytes);
        start(&s, 1);
        fill(&s);
        run_with(&s, table, s.out);
        for (int i = 0; i < 8 + 16; i++) {
            stop_team(&s);
            start_team(&s, i < 8 ? 2 : i - 6);          // up to 17
            run_in_pieces(&s, i < 8 ? pieces[i] : 511, out);
            assert_memory_equal(out, s.out, bytes);
        }
        free(out);
        stop(&s);
    }
}

// The product of decoded weights and decoded activations, in float64.
static double exact_product(const setup *s, int row, int t, double *size)
{
    float values[QUANT_BLOCK];
    double sum = 0.0;
    *size = 0.0;
    const dtype_info *info = dtype_find((uint32_t)s->type);
    size_t row_bytes = (size_t)(s->n_inputs / info->block_size)
                       * (size_t)info->block_bytes;
    float *weight = memory((size_t)s->n_inputs * sizeof *weight);
    (void)quant_decode(s->type, s->weight + (size_t)row * row_bytes, weight,
                       (size_t)s->n_inputs, NULL);
    for (int b = 0; b < s->n_inputs / QUANT_BLOCK; b++) {
        size_t block = activations_block(&s->a, t, b);
        for (int i = 0; i < QUANT_BLOCK; i++) {
            values[i] = s->a.scales[block]
                      * (float)s->a.codes[block * QUANT_BLOCK + (size_t)i];
            double product = (double)weight[b * QUANT_BLOCK + i]
                           * (double)values[i];
            sum += product;
            *size += fabs(product);
        }
    }
    free(weight);
    return sum;
}

// Against another way of computing: decode everything, multiply in float64.
// Each fused step rounds to 2^-24 of a sum that is never above the sum of
// all magnitudes, twice or four times a block; decoding rounds once more. A
// minimum much larger than the values it lifts makes its own sums large: it
// counts as a part of the magnitudes, hence the factor.
static void products_are_right(void **unused)
{
    (void)unused;
    for (int t = 0; t < N_BLOCKED; t++) {
        setup s = {.type = types[t], .n_outputs = 37, .n_x = 5,
                   .n_inputs = whole(types[t], 576)};
        double largest = 0.0, limit = 4.0 * s.n_inputs / 32 * 0x1p-24;
        start(&s, 1);
        fill(&s);
        run_with(&s, &kernels_scalar, s.out);
        for (int i = 0; i < 37 * 5; i++) {
            double size, want = exact_product(&s, i % 37, i / 37, &size);
            largest = fmax(largest, fabs((double)s.out[i] - want) / size);
        }
        print_message("%s: %.1e of the magnitudes, limit %.1e\n",
                      dtype_name(s.type), largest, limit);
        assert_true(largest <= limit);
        stop(&s);
    }
}

// One number that is not finite makes all outputs of its row of x NaN, and
// no others, in every table.
static void not_finite(void **unused)
{
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    (void)unused;
    for (int t = 0; t < N_BLOCKED; t++)
        for (int n_x = 1; n_x <= 11; n_x += 2)
            for (int at = 0; at < 96; at += 19) {
                int n = whole(types[t], 96);
                setup s = {.type = types[t], .n_outputs = 37,
                           .n_inputs = n, .n_x = n_x};
                start(&s, 1);
                fill(&s);
                s.x[n_x / 2 * n + at] = bad[at % 4];
                for (int i = 0; i < n_tables; i++) {
                    run_with(&s, table[i], s.out);
                    for (int k = 0; k < n_x * 37; k++)
                        assert_int_equal(isnan(s.out[k]) != 0,
                                         k / 37 == n_x / 2);
                }
                stop(&s);
            }
}

// A type that no quantized product knows is multiplied as floats.
static void other_types_as_floats(void **unused)
{
    const kernels *table[MOST_TABLES];
    int n_tables = tables(table);
    (void)unused;
    for (int t = N_BLOCKED; t < N_TYPES; t++) {
        setup s = {.type = types[t], .n_outputs = 37, .n_inputs = 96,
                   .n_x = 5};
        static float expected[5 * 37 + GUARD];
        start(&s, 1);
        fill(&s);
        run_with(&s, &kernels_scalar, expected);
        kernel_tile tile = {
            s.type, s.weight, s.type == DTYPE_F32 ? 96 * 4 : 96 * 2, 96, 0,
            37, 0, 3, &s.a, s.out, 37, s.m.scratch};
        for (int i = 0; i < n_tables; i++) {
            memset(s.out, 0, 5 * 37 * sizeof *s.out);
            table[i]->tile_q8(&tile);
            assert_memory_equal(s.out, expected, 5 * 37 * sizeof *s.out);
        }
        stop(&s);
    }
}

static void biases_and_bytes(void **unused)
{
    static float x[3 * 32], weight[2][8 * 32], bias[8], y[2][3 * 8];
    lll_error err;
    matmul m = {.kernels = &kernels_scalar, .mode = MATMUL_F32};
    (void)unused;
    for (int i = 0; i < 8 * 32; i++)
        weight[0][i] = weight[1][i] = uniform();
    for (int i = 0; i < 3 * 32; i++)
        x[i] = uniform();
    for (int i = 0; i < 8; i++)
        bias[i] = (float)i;
    void *team = memory(threads_bytes(1));
    assert_int_equal(threads_start(&m.team, 1, team, &err), LLL_OK);
    m.scratch_bytes = matmul_scratch_bytes(32);
    m.scratch = memory(m.scratch_bytes);
    linear plain = {.type = DTYPE_F32, .weight = weight[0],
                    .n_outputs = 8, .n_inputs = 32};
    linear biased = {.type = DTYPE_F32, .weight = weight[1], .bias = bias,
                     .n_outputs = 8, .n_inputs = 32};
    const linear *layers[] = {&plain, &biased};
    float *outs[] = {y[0], y[1]};
    activations a;
    activations_set(&a, &m, x, 3, 32, NULL);
    linear_forward(&m, layers, 2, &a, outs);
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < 8; i++)
            assert_true(y[1][t * 8 + i] == y[0][t * 8 + i] + bias[i]);
    assert_int_equal(m.weight_bytes, 2 * sizeof weight[0]);
    threads_stop(m.team);
    free(m.scratch);
    free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_block_count),
        cmocka_unit_test(real_row_lengths),
        cmocka_unit_test(odd_row_lengths),
        cmocka_unit_test(every_row_count),
        cmocka_unit_test(extreme_blocks),
        cmocka_unit_test(batches_and_threads),
        cmocka_unit_test(products_are_right),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(other_types_as_floats),
        cmocka_unit_test(biases_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
