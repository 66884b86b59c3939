#include "common/kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/norm.h"
#include "common/quant.h"

// @begin kernels-bundle
int activations_bundle(const activations *x, int t)
{
    int left = x->n_rows - t / ACTIVATIONS_BUNDLE * ACTIVATIONS_BUNDLE;
    return left < ACTIVATIONS_BUNDLE ? left : ACTIVATIONS_BUNDLE;
}

size_t activations_block(const activations *x, int t, int b)
{
    int within = t % ACTIVATIONS_BUNDLE;
    size_t n_blocks = (size_t)(x->n_columns / QUANT_BLOCK);
    return (size_t)(t - within) * n_blocks
           + (size_t)b * (size_t)activations_bundle(x, t) + (size_t)within;
}

void activations_block_nan(const activations *x, size_t block)
{
    memset(x->codes + block * QUANT_BLOCK, 0, QUANT_BLOCK);
    x->scales[block] = x->sums[block] = NAN;
    x->half_sums[2 * block] = x->half_sums[2 * block + 1] = 0;
}
// @end kernels-bundle

// @begin kernels-round
// Adding 1.5 * 2^23 leaves no room for a fraction: the adder itself rounds to
// the nearest whole number, ties to even, and the number's low byte is the
// low byte of the sum's bits. No cast that could overflow, and the same two
// operations on every instruction set.
static int8_t round_to_code(float value)
{
    float shifted = value + 0x1.8p23f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return (int8_t)(uint8_t)(bits & 255);
}
// @end kernels-round

// @begin kernels-quantize
static void quantize_scalar(const activations *x, int t)
{
    const float *row = x->values + (size_t)t * (size_t)x->n_columns;
    for (int b = 0; b < x->n_columns / QUANT_BLOCK; b++) {
        size_t block = activations_block(x, t, b);
        float largest = 0.0f, poison = 0.0f;
        for (int i = 0; i < QUANT_BLOCK; i++) {
            float value = row[b * QUANT_BLOCK + i];
            largest = fmaxf(largest, fabsf(value));     // skips NaN
            poison += value * 0.0f;     // NaN if one is infinite or NaN
        }
        if (isnan(poison)) {
            activations_block_nan(x, block);
            continue;
        }
        float scale = largest / 127.0f;
        if (scale <= QUANT_TINY)     // 1 / scale must stay finite
            scale = 0.0f;
        float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
        int8_t *codes = x->codes + block * QUANT_BLOCK;
        int half[2] = {0, 0};
        for (int i = 0; i < QUANT_BLOCK; i++) {
            codes[i] = round_to_code(row[b * QUANT_BLOCK + i] * inverse);
            half[i / 16] += codes[i];
        }
        x->scales[block] = scale;
        x->sums[block] = scale * (float)(half[0] + half[1]);
        for (int k = 0; k < 2; k++)     // 16 * 127 at most
            x->half_sums[2 * block + (size_t)k] = (int16_t)half[k];
    }
}
// @end kernels-quantize

// @begin kernels-dot-q8
// A run of weights against its activations, w_i = d_w c_i + m_w and
// x_i = d_x k_i:
//     sum_i w_i x_i = d_w d_x sum(c_i k_i) + m_w d_x sum(k_i)
// The first sum is of integers; the second was made with the activations,
// once for all rows of the weight.
static float add_run(const open_block *w, int run, const activations *x,
                     size_t block, float sum)
{
    const int8_t *code = x->codes + block * QUANT_BLOCK;
    const int16_t *half = x->half_sums + 2 * block;
    // |c| <= 128 and |k| <= 127: 32 products reach 520192 at most.
    int32_t isum = 0;
    for (int i = run * w->run; i < (run + 1) * w->run; i++)
        isum += w->code[i] * code[i];
    sum = fmaf(w->scale[run] * x->scales[block], (float)isum, sum);
    if (!w->has_minimum)
        return sum;
    float s = w->run == QUANT_BLOCK ? x->sums[block]
                                    : x->scales[block] * (float)half[run];
    return fmaf(w->minimum[run], s, sum);
}

static float dot_q8(dtype type, const void *row, const activations *x, int t)
{
    float sum = 0.0f;
    for (int b = 0; b < x->n_columns / QUANT_BLOCK; b++) {
        open_block w;
        quant_open(type, row, (size_t)b, &w);
        for (int run = 0; run < QUANT_BLOCK / w.run; run++)
            sum = add_run(&w, run, x, activations_block(x, t, b), sum);
    }
    return sum;
}
// @end kernels-dot-q8

// @begin kernels-tiles
// Here a panel is rows that are neighbours.
static int rows_end(const kernel_tile *tile)
{
    int end = (tile->first_panel + tile->n_panels) * KERNEL_PANEL;
    return end < tile->n_rows ? end : tile->n_rows;
}

static const void *tile_row(const kernel_tile *tile, int r)
{
    return (const unsigned char *)tile->weight
           + (size_t)(tile->first_row + r) * tile->row_bytes;
}

static void tile_f32_scalar(const kernel_tile *tile)
{
    size_t n = (size_t)tile->n_inputs;
    for (int r = tile->first_panel * KERNEL_PANEL; r < rows_end(tile); r++) {
        // Once for all rows of x; the type was checked at load.
        float *row = tile->scratch;
        (void)quant_decode(tile->type, tile_row(tile, r), row, n, NULL);
        for (int t = 0; t < tile->x->n_rows; t++)
            tile->out[(size_t)t * tile->out_stride + (size_t)r] =
                dot_f32(tile->x->values + (size_t)t * n, row, tile->n_inputs);
    }
}

// @end kernels-tiles

// @begin kernels-tiles-2
static void tile_q8_scalar(const kernel_tile *tile)
{
    if (!quant_is_blocked(tile->type)) {
        tile_f32_scalar(tile);
        return;
    }
    for (int r = tile->first_panel * KERNEL_PANEL; r < rows_end(tile); r++)
        for (int t = 0; t < tile->x->n_rows; t++)
            tile->out[(size_t)t * tile->out_stride + (size_t)r] =
                dot_q8(tile->type, tile_row(tile, r), tile->x, t);
}
// @end kernels-tiles-2

// @begin kernels-add
static void add_scalar(float *to, const float *from, int n)
{
    for (int i = 0; i < n; i++)
        to[i] += from[i];
}
// @end kernels-add

// @begin kernels-swiglu
// silu(x) = x / (1 + e^-x): close to x where x is large, to 0 where it is
// very negative.
static void swiglu_scalar(float *gate, const float *up, int n)
{
    for (int i = 0; i < n; i++)
        gate[i] = gate[i] / (1.0f + exp_f32(-gate[i])) * up[i];
}
// @end kernels-swiglu

// @begin kernels-attend
static void encode_scalar(dtype type, const float *numbers, void *row, int n)
{
    (void)quant_encode(type, numbers, row, (size_t)n, NULL);
}

// All rows of a span as floats.
static const float *decode_rows(const attend_span *span, const void *rows,
                                float *to)
{
    size_t n = (size_t)span->head_dim;
    for (int j = 0; j < span->n_positions; j++)
        (void)quant_decode(span->type, (const unsigned char *)rows
                                       + (size_t)j * span->row_bytes,
                           to + (size_t)j * n, n, NULL);
    return to;
}

// Blocks are decoded first; the rest is the text of chapter 6.
static void attend_scalar(const attend_span *span)
{
    attend_span plain = *span;
    if (quant_is_blocked(span->type)) {
        float *keys = span->scratch + 16 * ATTENTION_SPAN;
        float *values = keys + ATTENTION_SPAN * (size_t)span->head_dim;
        plain.type = DTYPE_F32;
        plain.row_bytes = (size_t)span->head_dim * sizeof(float);
        plain.keys = decode_rows(span, span->keys, keys);
        plain.values = decode_rows(span, span->values, values);
    }
    attend_span_scalar(&plain);
}
// @end kernels-attend

// @begin kernels-spin
// Twelve sums that do not wait for each other, of codes 5 and 3. What is
// volatile is read each time, or a compiler would multiply once for all.
enum { SPIN_SUMS = 12 };

static double spin_q8_scalar(int rounds, uint32_t *result)
{
    volatile const uint8_t w = 5;
    const int8_t x[4] = {3, 3, 3, 3};
    int32_t sum[SPIN_SUMS] = {0};
    for (int i = 0; i < rounds; i++)
        for (int j = 0; j < SPIN_SUMS; j++)
            for (int k = 0; k < 4; k++)
                sum[j] += w * x[k];
    *result = 0;
    for (int j = 0; j < SPIN_SUMS; j++)
        *result += (uint32_t)sum[j];
    return (double)rounds * SPIN_SUMS * 4;
}

static double spin_f32_scalar(int rounds, float *result)
{
    float sum[SPIN_SUMS];
    *result = 0.0f;
    for (int j = 0; j < SPIN_SUMS; j++)
        sum[j] = (float)j;
    for (int i = 0; i < rounds; i++)        // towards 1 from all of them
        for (int j = 0; j < SPIN_SUMS; j++)
            sum[j] = sum[j] * 0.5f + 0.5f;
    for (int j = 0; j < SPIN_SUMS; j++)
        *result += sum[j];
    return (double)rounds * SPIN_SUMS;
}
// @end kernels-spin

// @begin kernels-table
const kernels kernels_scalar = {
    "scalar", quantize_scalar, tile_q8_scalar, tile_f32_scalar,
    rmsnorm, add_scalar, swiglu_scalar, attend_scalar, attend_merge,
    attend_finish, encode_scalar, spin_q8_scalar, spin_f32_scalar
};

// The other sets stand in kernels/, a folder that not every chapter has. Its
// sets.h is their list, the fastest first; here are the three uses of it.
#ifdef HAVE_KERNELS
#include "common/kernels/cpu.h"
#define SET(set, chosen) extern const kernels kernels_##set;
#include "common/kernels/sets.h"
#undef SET
#endif
static bool runs_anywhere(void)
{
    return true;
}
// @end kernels-table

// @begin kernels-sets
// The fastest first.
static const struct {
    const kernels *table;
    bool (*runs_here)(void);
    bool chosen;                // without being named
} sets[] = {
#ifdef HAVE_KERNELS
#define SET(set, chosen) {&kernels_##set, cpu_runs_##set, chosen},
#include "common/kernels/sets.h"
#undef SET
#endif
    {&kernels_scalar, runs_anywhere, true}
};
enum { N_SETS = sizeof sets / sizeof sets[0] };
// @end kernels-sets

// @begin kernels-names
const char *kernels_names(void)
{
    return "auto"
#ifdef HAVE_KERNELS
#define SET(set, chosen) " " #set
#include "common/kernels/sets.h"
#undef SET
#endif
           " scalar";
}
// @end kernels-names

// @begin kernels-select
lll_status kernels_select(const char *name, const kernels **out,
                          lll_error *err)
{
    bool automatic = name == NULL || strcmp(name, "auto") == 0;
    for (int i = 0; i < N_SETS; i++) {
        if (automatic ? !sets[i].chosen
                      : strcmp(name, sets[i].table->name) != 0)
            continue;
        if (sets[i].runs_here()) {
            *out = sets[i].table;
            return LLL_OK;
        }
        if (!automatic)
            return lll_fail(err, LLL_ERR_UNSUPPORTED,
                            "this processor cannot run the %s instructions; "
                            "leave --isa out to get the fastest that it can",
                            name);
    }
    return lll_fail(err, LLL_ERR_UNSUPPORTED,
                    "no kernels are called %s; this program has: %s", name,
                    kernels_names());
}
// @end kernels-select
