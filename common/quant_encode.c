#include "common/quant_encode.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/quant.h"
#include "common/quant_fit.h"
#include "common/quant_k.h"

// @begin encode-shapes
// What a search has to know of a type.
typedef struct {
    dtype type;
    int n_parts, part;          // so many lines of so many numbers
    int top, zero;              // codes are 0..top, and zero stands for 0
    fit_minimum minimum;
    int lowest, highest;        // scale and minimum of a part, as a code;
                                // 0, 0: they are F16
} search_shape;

static const search_shape shapes[] = {
    {DTYPE_Q4_0, 1, 32, 15, 8, FIT_TIED, 0, 0},
    {DTYPE_Q4_1, 1, 32, 15, 0, FIT_FREE, 0, 0},
    {DTYPE_Q5_0, 1, 32, 31, 16, FIT_TIED, 0, 0},
    {DTYPE_Q5_1, 1, 32, 31, 0, FIT_FREE, 0, 0},
    {DTYPE_Q2_K, 16, 16, 3, 0, FIT_BELOW_ZERO, 0, 15},
    {DTYPE_Q3_K, 16, 16, 7, 4, FIT_TIED, -32, 31},
    {DTYPE_Q4_K, 8, 32, 15, 0, FIT_BELOW_ZERO, 0, 63},
    {DTYPE_Q5_K, 8, 32, 31, 0, FIT_BELOW_ZERO, 0, 63},
    {DTYPE_Q6_K, 16, 16, 63, 32, FIT_TIED, -128, 127},
};

static const search_shape *find_shape(dtype type)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].type == type)
            return &shapes[i];
    return NULL;
}
// @end encode-shapes

// @begin encode-found
// A block as the search leaves it, before a type packs it.
typedef struct {
    const search_shape *shape;
    const float *values, *weights;      // [256]
    uint16_t scale, minimum;            // F16, shared by the parts
    int scales[16], minimums[16];       // codes; a minimum's counts down
    uint8_t codes[FIT_MAX];
} found_block;

static fit_span part_of(const found_block *f, int p)
{
    const search_shape *shape = f->shape;
    return (fit_span){f->values + p * shape->part,
                      f->weights + p * shape->part, shape->part, shape->top,
                      shape->minimum, shape->zero};
}
// @end encode-found

// @begin encode-share
// Scales of the parts in whole steps of a shared one: the largest takes the
// code farthest from zero. Minimums likewise.
static void share_scales(found_block *f, const fit_line *lines)
{
    const search_shape *shape = f->shape;
    int farthest = shape->lowest < 0 ? shape->lowest : shape->highest;
    float largest = 0.0f, deepest = 0.0f;
    for (int p = 0; p < shape->n_parts; p++) {
        if (fabsf(lines[p].scale) > fabsf(largest))
            largest = lines[p].scale;
        deepest = fmaxf(deepest, -lines[p].minimum);
    }
    f->scale = f32_to_f16(largest / (float)farthest);
    f->minimum = f32_to_f16(deepest / (float)shape->highest);
}

static int nearest(float value, float step, int lowest, int highest)
{
    float code = step != 0.0f ? value / step : 0.0f;
    if (!(code > (float)lowest))            // NaN becomes something, too
        return lowest;
    return code < (float)highest ? (int)floorf(code + 0.5f) : highest;
}
// @end encode-share

// @begin encode-choose
// Which whole steps for part p, and which codes? The nearest, or one beside
// it: rounding the scale moved the line, and a neighbour may lie better.
static void choose_part(found_block *f, int p, const fit_line *line)
{
    const search_shape *shape = f->shape;
    const fit_span s = part_of(f, p);
    bool tied = shape->minimum == FIT_TIED;
    float step = f16_to_f32(f->scale), down = f16_to_f32(f->minimum);
    int scale = nearest(line->scale, step, shape->lowest, shape->highest);
    int minimum = tied ? 0 : nearest(-line->minimum, down, 0, shape->highest);
    float best = INFINITY;
    uint8_t codes[FIT_MAX];
    f->scales[p] = scale;
    f->minimums[p] = minimum;
    for (int a = scale - 1; a <= scale + 1; a++)
        for (int b = minimum - !tied; b <= minimum + !tied; b++) {
            float width = step * (float)a;
            float cost = fit_codes(&s, width, tied ? -(float)s.zero * width
                                              : -down * (float)b, codes);
            if (!(cost < best) || a < shape->lowest || a > shape->highest
                || b < 0 || b > shape->highest)
                continue;
            best = cost;
            f->scales[p] = a;
            f->minimums[p] = b;
            memcpy(f->codes + p * s.n, codes, (size_t)s.n);
        }
}
// @end encode-choose

// @begin encode-refit
// All codes stay: least squares for the two numbers that are shared. Each
// value is scale * u - minimum * v, with whole u and v.
static void refit_shared(found_block *f)
{
    const search_shape *shape = f->shape;
    int zero = shape->minimum == FIT_TIED ? shape->zero : 0;
    double uu = 0, uv = 0, vv = 0, ux = 0, vx = 0;
    for (int i = 0; i < shape->n_parts * shape->part; i++) {
        int p = i / shape->part;
        double u = f->scales[p] * (f->codes[i] - zero);
        double v = f->minimums[p], w = (double)f->weights[i];
        double x = (double)f->values[i];
        uu += w * u * u;
        uv += w * u * v;
        vv += w * v * v;
        ux += w * u * x;
        vx += w * v * x;
    }
    double width = uu * vv - uv * uv;
    double scale = ux / uu, minimum = 0;
    if (width > 1e-9 * uu * vv) {           // else the two are one
        scale = (ux * vv - uv * vx) / width;
        minimum = (ux * uv - uu * vx) / width;
    }
    if (!(uu > 0) || minimum < 0 || scale * (double)f16_to_f32(f->scale) <= 0)
        return;
    f->scale = f32_to_f16((float)scale);
    f->minimum = f32_to_f16((float)minimum);
}
// @end encode-refit

// @begin encode-search
static void search_block(found_block *f)
{
    const search_shape *shape = f->shape;
    fit_line lines[16] = {{0.0f, 0.0f, 0.0f}};
    fit_span s = part_of(f, 0);
    for (int p = 0; p < shape->n_parts; p++) {
        s = part_of(f, p);
        lines[p] = fit_search(&s, f->codes + p * shape->part);
    }
    if (shape->n_parts == 1) {              // nothing is shared
        f->scale = f32_to_f16(lines[0].scale);
        f->minimum = f32_to_f16(lines[0].minimum);
        float step = f16_to_f32(f->scale);
        (void)fit_codes(&s, step, s.minimum == FIT_TIED
                        ? -(float)s.zero * step : f16_to_f32(f->minimum),
                        f->codes);
        return;
    }
    share_scales(f, lines);
    for (int p = 0; p < shape->n_parts; p++)
        choose_part(f, p, &lines[p]);
    refit_shared(f);
    for (int p = 0; p < shape->n_parts; p++)
        choose_part(f, p, &lines[p]);
}
// @end encode-search

// @begin encode-pack-few
// Bits above the second: bit b of byte i for number i of block b.
static void pack_high_bit(const found_block *f, int bit, uint8_t high[32])
{
    memset(high, 0, 32);
    for (int i = 0; i < QUANT_SUPER; i++)
        high[i % 32] |= (uint8_t)((f->codes[i] >> bit & 1) << i / 32);
}

// The two low bits, four blocks beside one another in 32 bytes.
static void pack_twos(const found_block *f, uint8_t codes[64])
{
    memset(codes, 0, 64);
    for (int i = 0; i < QUANT_SUPER; i++)
        codes[i / 128 * 32 + i % 32] |= (uint8_t)((f->codes[i] & 3)
                                                  << i / 32 % 4 * 2);
}

// @end encode-pack-few

// @begin encode-pack-q2-q3
static void pack_q2_k(const found_block *f, q2_k_block *out)
{
    for (int h = 0; h < 16; h++)
        out->scales[h] = (uint8_t)(f->scales[h] | f->minimums[h] << 4);
    pack_twos(f, out->codes);
    out->scale = f->scale;
    out->minimum = f->minimum;
}

static void pack_q3_k(const found_block *f, q3_k_block *out)
{
    memset(out->scales, 0, sizeof out->scales);
    for (int h = 0; h < 16; h++) {
        int s = f->scales[h] + 32;
        out->scales[h % 8] |= (uint8_t)((s & 15) << h / 8 * 4);
        out->scales[8 + h % 4] |= (uint8_t)(s >> 4 << h / 4 * 2);
    }
    pack_twos(f, out->codes);
    pack_high_bit(f, 2, out->high);
    out->scale = f->scale;
}
// @end encode-pack-q2-q3

// @begin encode-pack-nibbles
// Scales and minimums of six bits, sixteen in twelve bytes: those of the last
// four blocks lend their two high bits to the bytes of the first four.
static void pack_scales(const found_block *f, uint8_t out[12])
{
    for (int b = 0; b < 4; b++) {
        int s = f->scales[b + 4], m = f->minimums[b + 4];
        out[b] = (uint8_t)(f->scales[b] | s >> 4 << 6);
        out[b + 4] = (uint8_t)(f->minimums[b] | m >> 4 << 6);
        out[b + 8] = (uint8_t)((s & 15) | (m & 15) << 4);
    }
}

// Low halves for `apart` numbers, high halves for as many behind them.
static void pack_nibbles(const found_block *f, int apart, uint8_t *out)
{
    memset(out, 0, 128);
    for (int i = 0; i < QUANT_SUPER; i++)
        out[i / (2 * apart) * apart + i % apart]
            |= (uint8_t)((f->codes[i] & 15) << i / apart % 2 * 4);
}

// @end encode-pack-nibbles

// @begin encode-pack-q4-q6
static void pack_q4_k(const found_block *f, q4_k_block *out)
{
    out->scale = f->scale;
    out->minimum = f->minimum;
    pack_scales(f, out->scales);
    pack_nibbles(f, 32, out->nibbles);
}

static void pack_q5_k(const found_block *f, q5_k_block *out)
{
    out->scale = f->scale;
    out->minimum = f->minimum;
    pack_scales(f, out->scales);
    pack_high_bit(f, 4, out->high);
    pack_nibbles(f, 32, out->nibbles);
}

static void pack_q6_k(const found_block *f, q6_k_block *out)
{
    pack_nibbles(f, 64, out->nibbles);
    memset(out->high, 0, sizeof out->high);
    for (int i = 0; i < QUANT_SUPER; i++)
        out->high[i / 128 * 32 + i % 32] |= (uint8_t)(f->codes[i] >> 4
                                                      << i / 32 % 4 * 2);
    for (int h = 0; h < 16; h++)
        out->scales[h] = (int8_t)f->scales[h];
    out->scale = f->scale;
}
// @end encode-pack-q4-q6

// @begin encode-block
static void pack(const found_block *f, void *block)
{
    switch (f->shape->type) {
    case DTYPE_Q2_K: pack_q2_k(f, block); break;
    case DTYPE_Q3_K: pack_q3_k(f, block); break;
    case DTYPE_Q4_K: pack_q4_k(f, block); break;
    case DTYPE_Q5_K: pack_q5_k(f, block); break;
    case DTYPE_Q6_K: pack_q6_k(f, block); break;
    default:
        quant_pack(f->shape->type, f->scale, f->minimum, f->codes, block);
    }
}

// Weights of a block, with a mean of 1 so that their unit does not matter.
// A column that a text never woke counts a little, too: if it did not, any
// line would do for a part of such columns, and the first would be taken.
#define LEAST_WEIGHT 1e-4

static void weigh(const float *importance, int n, float *weights)
{
    double sum = 0;
    for (int i = 0; i < n && importance != NULL; i++)
        sum += (double)importance[i];
    for (int i = 0; i < n; i++)
        weights[i] = importance != NULL && sum > 0
                   ? (float)(((double)importance[i] * n / sum + LEAST_WEIGHT)
                             / (1 + LEAST_WEIGHT)) : 1.0f;
}
// @end encode-block

// @begin encode-row
lll_status quant_encode_row(dtype type, const float *values,
                            const float *importance, void *blocks, size_t n,
                            lll_error *err)
{
    const search_shape *shape = find_shape(type);
    float weights[FIT_MAX] = {0};
    if (shape == NULL || (importance == NULL && shape->n_parts == 1))
        return quant_encode(type, values, blocks, n, err);

    size_t size = (size_t)(shape->n_parts * shape->part);
    size_t bytes = (size_t)dtype_find((uint32_t)type)->block_bytes;
    for (size_t b = 0; b < n / size; b++) {
        found_block f = {.shape = shape, .values = values + b * size,
                         .weights = weights};
        weigh(importance != NULL ? importance + b * size : NULL, (int)size,
              weights);
        search_block(&f);
        pack(&f, (unsigned char *)blocks + b * bytes);
    }
    return LLL_OK;
}
// @end encode-row
