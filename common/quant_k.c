#include "common/quant_k.h"

#include <assert.h>

static_assert(sizeof(q2_k_block) == 84, "Q2_K is 84 bytes in a file");
static_assert(sizeof(q3_k_block) == 110, "Q3_K is 110 bytes in a file");
static_assert(sizeof(q4_k_block) == 144, "Q4_K is 144 bytes in a file");
static_assert(sizeof(q5_k_block) == 176, "Q5_K is 176 bytes in a file");
static_assert(sizeof(q6_k_block) == 210, "Q6_K is 210 bytes in a file");

// @begin quant-k-scales
int quant_scale_q3_k(const uint8_t scales[12], int h)
{
    int low = h < 8 ? scales[h] & 15 : scales[h - 8] >> 4;
    int high = scales[8 + h % 4] >> (2 * (h / 4)) & 3;
    return low | high << 4;
}

void quant_scales_q4_k(const uint8_t scales[12], int b, int *scale,
                       int *minimum)
{
    if (b < 4) {
        *scale = scales[b] & 63;
        *minimum = scales[b + 4] & 63;
        return;
    }
    // What six bits leave free in the first eight bytes holds the top of
    // these.
    *scale = (scales[b + 4] & 15) | scales[b - 4] >> 6 << 4;
    *minimum = scales[b + 4] >> 4 | scales[b] >> 6 << 4;
}
// @end quant-k-scales

// @begin quant-k-open-4
// A scale of 11 bits times a whole number of 6 is exact as a float: what
// remains is an ordinary block with scale and minimum.
static void open_scales(uint16_t scale, uint16_t minimum,
                        const uint8_t scales[12], int b, open_block *out)
{
    int s, m;
    quant_scales_q4_k(scales, b, &s, &m);
    out->scale[0] = f16_to_f32(scale) * (float)s;
    out->minimum[0] = -(f16_to_f32(minimum) * (float)m);
}

void quant_open_q4_k(const void *row, size_t b, open_block *out)
{
    const q4_k_block *super = (const q4_k_block *)row + b / 8;
    int in = (int)(b % 8);
    const uint8_t *nibbles = super->nibbles + 32 * (in / 2);
    open_scales(super->scale, super->minimum, super->scales, in, out);
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = in % 2 == 0 ? nibbles[i] & 15 : nibbles[i] >> 4;
}

void quant_open_q5_k(const void *row, size_t b, open_block *out)
{
    const q5_k_block *super = (const q5_k_block *)row + b / 8;
    int in = (int)(b % 8);
    const uint8_t *nibbles = super->nibbles + 32 * (in / 2);
    open_scales(super->scale, super->minimum, super->scales, in, out);
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = (in % 2 == 0 ? nibbles[i] & 15 : nibbles[i] >> 4)
                     + 16 * (super->high[i] >> in & 1);
}
// @end quant-k-open-4

// @begin quant-k-open-6
void quant_open_q6_k(const void *row, size_t b, open_block *out)
{
    const q6_k_block *super = (const q6_k_block *)row + b / 8;
    int in = (int)(b % 8), k = in % 4;
    const uint8_t *nibbles = super->nibbles + 64 * (in / 4) + 32 * (k % 2);
    const uint8_t *high = super->high + 32 * (in / 4);
    for (int run = 0; run < 2; run++)
        out->scale[run] = f16_to_f32(super->scale)
                        * (float)super->scales[2 * in + run];
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = (k < 2 ? nibbles[i] & 15 : nibbles[i] >> 4)
                     + 16 * (high[i] >> 2 * k & 3) - 32;
}
// @end quant-k-open-6

// @begin quant-k-open-2
void quant_open_q2_k(const void *row, size_t b, open_block *out)
{
    const q2_k_block *super = (const q2_k_block *)row + b / 8;
    int in = (int)(b % 8);
    for (int run = 0; run < 2; run++) {
        int both = super->scales[2 * in + run];
        out->scale[run] = f16_to_f32(super->scale) * (float)(both & 15);
        out->minimum[run] = -(f16_to_f32(super->minimum)
                              * (float)(both >> 4));
    }
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = super->codes[32 * (in / 4) + i] >> 2 * (in % 4) & 3;
}

void quant_open_q3_k(const void *row, size_t b, open_block *out)
{
    const q3_k_block *super = (const q3_k_block *)row + b / 8;
    int in = (int)(b % 8);
    for (int run = 0; run < 2; run++) {
        int scale = quant_scale_q3_k(super->scales, 2 * in + run) - 32;
        out->scale[run] = f16_to_f32(super->scale) * (float)scale;
    }
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = (super->codes[32 * (in / 4) + i] >> 2 * (in % 4) & 3)
                     + 4 * (super->high[i] >> in & 1) - 4;
}
// @end quant-k-open-2
