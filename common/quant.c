#include "common/quant.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// The structs are read straight from the file, so no padding may creep in.
static_assert(sizeof(q8_0_block) == 34, "Q8_0 is 34 bytes in a file");
static_assert(sizeof(q4_0_block) == 18, "Q4_0 is 18 bytes in a file");
static_assert(sizeof(q4_1_block) == 20, "Q4_1 is 20 bytes in a file");

// @begin quant-nibble
int quant_nibble(const uint8_t *nibbles, int i)
{
    // Not neighbours: halves that lie 16 apart leave a vector register in
    // their right order with one AND and one shift.
    return i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
}
// @end quant-nibble

bool quant_is_blocked(dtype type)
{
    return type == DTYPE_Q8_0 || type == DTYPE_Q4_0 || type == DTYPE_Q4_1;
}

bool quant_is_supported(dtype type)
{
    return quant_is_blocked(type) || type == DTYPE_F32 || type == DTYPE_F16
           || type == DTYPE_BF16;
}

// @begin quant-decode-blocks
static void decode_q8_0(const q8_0_block *block, float *values)
{
    float scale = f16_to_f32(block->scale);
    for (int i = 0; i < QUANT_BLOCK; i++)
        values[i] = scale * (float)block->code[i];
}

static void decode_q4_0(const q4_0_block *block, float *values)
{
    float scale = f16_to_f32(block->scale);
    for (int i = 0; i < QUANT_BLOCK; i++)
        values[i] = scale * (float)(quant_nibble(block->nibbles, i) - 8);
}

static void decode_q4_1(const q4_1_block *block, float *values)
{
    float scale = f16_to_f32(block->scale);
    float minimum = f16_to_f32(block->minimum);
    for (int i = 0; i < QUANT_BLOCK; i++)
        values[i] = scale * (float)quant_nibble(block->nibbles, i) + minimum;
}
// @end quant-decode-blocks

static lll_status unsupported(dtype type, const char *what, lll_error *err)
{
    return lll_fail(err, LLL_ERR_UNSUPPORTED,
                    "%s is not a type that can be %s here; F32, F16, BF16, "
                    "Q8_0, Q4_0 and Q4_1 are",
                    dtype_name((uint32_t)type), what);
}

// @begin quant-decode
lll_status quant_decode(dtype type, const void *blocks, float *values,
                        size_t n, lll_error *err)
{
    const q8_0_block *q8_0 = blocks;
    const q4_0_block *q4_0 = blocks;
    const q4_1_block *q4_1 = blocks;
    const uint16_t *halves = blocks;
    if (!quant_is_supported(type))
        return unsupported(type, "decoded", err);

    if (type == DTYPE_F32)
        memcpy(values, blocks, n * sizeof *values);
    for (size_t i = 0; i < n && type == DTYPE_F16; i++)
        values[i] = f16_to_f32(halves[i]);
    for (size_t i = 0; i < n && type == DTYPE_BF16; i++)
        values[i] = bf16_to_f32(halves[i]);
    for (size_t i = 0; i < n / QUANT_BLOCK; i++) {
        if (type == DTYPE_Q8_0)
            decode_q8_0(&q8_0[i], values + i * QUANT_BLOCK);
        else if (type == DTYPE_Q4_0)
            decode_q4_0(&q4_0[i], values + i * QUANT_BLOCK);
        else if (type == DTYPE_Q4_1)
            decode_q4_1(&q4_1[i], values + i * QUANT_BLOCK);
    }
    return LLL_OK;
}
// @end quant-decode

// @begin quant-encode-q8
void quant_nan_q8_0(q8_0_block *block)
{
    block->scale = f32_to_f16(NAN);
    memset(block->code, 0, sizeof block->code);
}

// The largest magnitude becomes 127, and the rest follows.
static void encode_q8_0(const float *values, q8_0_block *block)
{
    float largest = 0.0f, poison = 0.0f;
    for (int i = 0; i < QUANT_BLOCK; i++) {
        largest = fmaxf(largest, fabsf(values[i]));     // skips NaN
        poison += values[i] * 0.0f;     // NaN if one is infinite or NaN
    }
    if (isnan(poison)) {
        quant_nan_q8_0(block);
        return;
    }
    float scale = largest / 127.0f;
    // Codes come from the scale before it is rounded to F16. Dividing by
    // the rounded one would be a little better; files are not made so.
    float inverse = scale > QUANT_TINY ? 1.0f / scale : 0.0f;
    block->scale = f32_to_f16(scale);
    for (int i = 0; i < QUANT_BLOCK; i++)
        block->code[i] = (int8_t)roundf(values[i] * inverse);
}
// @end quant-encode-q8

// @begin quant-encode-q4-0
// Rounds down, so that the caller's + 0.5 makes it "to nearest".
static unsigned clip_nibble(float code)
{
    if (!(code > 0.0f))         // also NaN, which no cast may see
        return 0;
    return code < 15.0f ? (unsigned)code : 15;
}

static void pack_nibbles(const unsigned *code, uint8_t *nibbles)
{
    for (int i = 0; i < 16; i++)
        nibbles[i] = (uint8_t)(code[i] | code[i + 16] << 4);
}

static void encode_q4_0(const float *values, q4_0_block *block)
{
    // The number farthest from zero, with its sign: it becomes code 0, that
    // is -8, because the codes -8..7 reach farther down than up.
    float farthest = values[0];
    for (int i = 1; i < QUANT_BLOCK; i++)
        if (fabsf(values[i]) > fabsf(farthest))
            farthest = values[i];

    float scale = farthest / -8.0f;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    unsigned code[QUANT_BLOCK];
    for (int i = 0; i < QUANT_BLOCK; i++)
        code[i] = clip_nibble(values[i] * inverse + 8.5f);
    block->scale = f32_to_f16(scale);
    pack_nibbles(code, block->nibbles);
}
// @end quant-encode-q4-0

// @begin quant-encode-q4-1
static void encode_q4_1(const float *values, q4_1_block *block)
{
    float low = values[0], high = values[0];
    for (int i = 1; i < QUANT_BLOCK; i++) {
        low = fminf(low, values[i]);
        high = fmaxf(high, values[i]);
    }
    float scale = (high - low) / 15.0f;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    unsigned code[QUANT_BLOCK];
    for (int i = 0; i < QUANT_BLOCK; i++)
        code[i] = clip_nibble((values[i] - low) * inverse + 0.5f);
    block->scale = f32_to_f16(scale);
    block->minimum = f32_to_f16(low);
    pack_nibbles(code, block->nibbles);
}
// @end quant-encode-q4-1

// @begin quant-encode
lll_status quant_encode(dtype type, const float *values, void *blocks,
                        size_t n, lll_error *err)
{
    q8_0_block *q8_0 = blocks;
    q4_0_block *q4_0 = blocks;
    q4_1_block *q4_1 = blocks;
    uint16_t *halves = blocks;
    if (!quant_is_supported(type))
        return unsupported(type, "encoded", err);

    if (type == DTYPE_F32)
        memcpy(blocks, values, n * sizeof *values);
    for (size_t i = 0; i < n && type == DTYPE_F16; i++)
        halves[i] = f32_to_f16(values[i]);
    for (size_t i = 0; i < n && type == DTYPE_BF16; i++)
        halves[i] = f32_to_bf16(values[i]);
    for (size_t i = 0; i < n / QUANT_BLOCK; i++) {
        if (type == DTYPE_Q8_0)
            encode_q8_0(values + i * QUANT_BLOCK, &q8_0[i]);
        else if (type == DTYPE_Q4_0)
            encode_q4_0(values + i * QUANT_BLOCK, &q4_0[i]);
        else if (type == DTYPE_Q4_1)
            encode_q4_1(values + i * QUANT_BLOCK, &q4_1[i]);
    }
    return LLL_OK;
}
// @end quant-encode
