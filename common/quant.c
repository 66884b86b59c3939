#include "common/quant.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/quant_k.h"

// The structs are read straight from the file, so no padding may creep in.
static_assert(sizeof(q8_0_block) == 34, "Q8_0 is 34 bytes in a file");
static_assert(sizeof(q4_0_block) == 18, "Q4_0 is 18 bytes in a file");
static_assert(sizeof(q4_1_block) == 20, "Q4_1 is 20 bytes in a file");
static_assert(sizeof(q5_0_block) == 22, "Q5_0 is 22 bytes in a file");
static_assert(sizeof(q5_1_block) == 24, "Q5_1 is 24 bytes in a file");

// @begin quant-nibble
int quant_nibble(const uint8_t *nibbles, int i)
{
    // Not neighbours: halves that lie 16 apart leave a vector register in
    // their right order with one AND and one shift.
    return i < 16 ? nibbles[i] & 15 : nibbles[i - 16] >> 4;
}
// @end quant-nibble

// @begin quant-open-blocks
static void open_q8_0(const void *row, size_t b, open_block *out)
{
    const q8_0_block *block = (const q8_0_block *)row + b;
    out->scale[0] = f16_to_f32(block->scale);
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = block->code[i];
}

static void open_q4_0(const void *row, size_t b, open_block *out)
{
    const q4_0_block *block = (const q4_0_block *)row + b;
    out->scale[0] = f16_to_f32(block->scale);
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = quant_nibble(block->nibbles, i) - 8;
}

static void open_q4_1(const void *row, size_t b, open_block *out)
{
    const q4_1_block *block = (const q4_1_block *)row + b;
    out->scale[0] = f16_to_f32(block->scale);
    out->minimum[0] = f16_to_f32(block->minimum);
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = quant_nibble(block->nibbles, i);
}
// @end quant-open-blocks

// @begin quant-open-blocks-5
static int five_bits(const uint8_t *nibbles, const uint8_t *high, int i)
{
    return quant_nibble(nibbles, i) | (high[i / 8] >> i % 8 & 1) << 4;
}

static void open_q5_0(const void *row, size_t b, open_block *out)
{
    const q5_0_block *block = (const q5_0_block *)row + b;
    out->scale[0] = f16_to_f32(block->scale);
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = five_bits(block->nibbles, block->high, i) - 16;
}

static void open_q5_1(const void *row, size_t b, open_block *out)
{
    const q5_1_block *block = (const q5_1_block *)row + b;
    out->scale[0] = f16_to_f32(block->scale);
    out->minimum[0] = f16_to_f32(block->minimum);
    for (int i = 0; i < QUANT_BLOCK; i++)
        out->code[i] = five_bits(block->nibbles, block->high, i);
}
// @end quant-open-blocks-5

// @begin quant-encode-q8
void quant_nan_q8_0(q8_0_block *block)
{
    block->scale = f32_to_f16(NAN);
    memset(block->code, 0, sizeof block->code);
}

// The largest magnitude becomes 127, and the rest follows.
static void encode_q8_0(const float *values, void *to)
{
    q8_0_block *block = to;
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

// @begin quant-pack
// Rounds down, so that the caller's + 0.5 makes it "to nearest".
static uint8_t clip_code(float code, uint8_t most)
{
    if (!(code > 0.0f))         // also NaN, which no cast may see
        return 0;
    return code < (float)most ? (uint8_t)code : most;
}

// The low four bits of 32 codes, and the fifth ones.
static void pack_nibbles(const uint8_t *code, uint8_t *nibbles)
{
    for (int i = 0; i < 16; i++)
        nibbles[i] = (uint8_t)((code[i] & 15) | (code[i + 16] & 15) << 4);
}

static void pack_high(const uint8_t *code, uint8_t *high)
{
    memset(high, 0, QUANT_BLOCK / 8);
    for (int i = 0; i < QUANT_BLOCK; i++)
        high[i / 8] |= (uint8_t)((code[i] >> 4) << i % 8);
}
// @end quant-pack

// @begin quant-pack-block
void quant_pack(dtype type, uint16_t scale, uint16_t minimum,
                const uint8_t code[QUANT_BLOCK], void *block)
{
    q4_0_block *q4_0 = block;
    q4_1_block *q4_1 = block;
    q5_0_block *q5_0 = block;
    q5_1_block *q5_1 = block;
    if (type == DTYPE_Q4_0) {
        q4_0->scale = scale;
        pack_nibbles(code, q4_0->nibbles);
    } else if (type == DTYPE_Q4_1) {
        q4_1->scale = scale;
        q4_1->minimum = minimum;
        pack_nibbles(code, q4_1->nibbles);
    } else if (type == DTYPE_Q5_0) {
        q5_0->scale = scale;
        pack_nibbles(code, q5_0->nibbles);
        pack_high(code, q5_0->high);
    } else if (type == DTYPE_Q5_1) {
        q5_1->scale = scale;
        q5_1->minimum = minimum;
        pack_nibbles(code, q5_1->nibbles);
        pack_high(code, q5_1->high);
    }
}
// @end quant-pack-block

// @begin quant-encode-signed
// Codes 0..2 middle - 1 of a type without minimum, and its scale.
static uint16_t scale_and_codes(const float *values, int middle,
                                uint8_t *code)
{
    // The number farthest from zero, with its sign: it becomes code 0, that
    // is -middle, because the codes reach farther down than up.
    float farthest = values[0];
    for (int i = 1; i < QUANT_BLOCK; i++)
        if (fabsf(values[i]) > fabsf(farthest))
            farthest = values[i];

    float scale = farthest / (float)-middle;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    float shift = (float)middle + 0.5f;
    for (int i = 0; i < QUANT_BLOCK; i++)
        code[i] = clip_code(values[i] * inverse + shift,
                            (uint8_t)(2 * middle - 1));
    return f32_to_f16(scale);
}
// @end quant-encode-signed

// @begin quant-encode-signed-2
static void encode_q4_0(const float *values, void *block)
{
    uint8_t code[QUANT_BLOCK];
    uint16_t scale = scale_and_codes(values, 8, code);
    quant_pack(DTYPE_Q4_0, scale, 0, code, block);
}

static void encode_q5_0(const float *values, void *block)
{
    uint8_t code[QUANT_BLOCK];
    uint16_t scale = scale_and_codes(values, 16, code);
    quant_pack(DTYPE_Q5_0, scale, 0, code, block);
}
// @end quant-encode-signed-2

// @begin quant-encode-minimum
// Codes 0..most of a type with a minimum.
static uint16_t codes_above(const float *values, uint8_t most,
                            uint16_t *minimum, uint8_t *code)
{
    float low = values[0], high = values[0];
    for (int i = 1; i < QUANT_BLOCK; i++) {
        low = fminf(low, values[i]);
        high = fmaxf(high, values[i]);
    }
    float scale = (high - low) / (float)most;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    for (int i = 0; i < QUANT_BLOCK; i++)
        code[i] = clip_code((values[i] - low) * inverse + 0.5f, most);
    *minimum = f32_to_f16(low);
    return f32_to_f16(scale);
}

static void encode_q4_1(const float *values, void *block)
{
    uint8_t code[QUANT_BLOCK];
    uint16_t minimum, scale = codes_above(values, 15, &minimum, code);
    quant_pack(DTYPE_Q4_1, scale, minimum, code, block);
}

static void encode_q5_1(const float *values, void *block)
{
    uint8_t code[QUANT_BLOCK];
    uint16_t minimum, scale = codes_above(values, 31, &minimum, code);
    quant_pack(DTYPE_Q5_1, scale, minimum, code, block);
}
// @end quant-encode-minimum

const char *quant_names(void)
{
    return "F32, F16, BF16, Q8_0, Q5_0, Q5_1, Q4_0, Q4_1, Q2_K, Q3_K, Q4_K, "
           "Q5_K, Q6_K";
}

static lll_status unsupported(dtype type, const char *what, lll_error *err)
{
    return lll_fail(err, LLL_ERR_UNSUPPORTED,
                    "%s is not a type that can be %s here; expected one of "
                    "%s", dtype_name((uint32_t)type), what, quant_names());
}

// @begin quant-types
// A type in a row: how a block of 32 is laid open, how one is encoded (the
// types of 256 numbers have a search of their own: quant_encode.h), how many
// numbers share a scale.
static const struct {
    void (*open)(const void *row, size_t b, open_block *out);
    void (*encode)(const float *values, void *block);
    int run;
    bool has_minimum;
} types[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = {open_q8_0, encode_q8_0, 32, false},
    [DTYPE_Q4_0] = {open_q4_0, encode_q4_0, 32, false},
    [DTYPE_Q4_1] = {open_q4_1, encode_q4_1, 32, true},
    [DTYPE_Q5_0] = {open_q5_0, encode_q5_0, 32, false},
    [DTYPE_Q5_1] = {open_q5_1, encode_q5_1, 32, true},
    [DTYPE_Q2_K] = {quant_open_q2_k, NULL, 16, true},
    [DTYPE_Q3_K] = {quant_open_q3_k, NULL, 16, false},
    [DTYPE_Q4_K] = {quant_open_q4_k, NULL, 32, true},
    [DTYPE_Q5_K] = {quant_open_q5_k, NULL, 32, true},
    [DTYPE_Q6_K] = {quant_open_q6_k, NULL, 16, false},
};
// @end quant-types

// @begin quant-supports
bool quant_is_blocked(dtype type)
{
    return (unsigned)type < DTYPE_COUNT && types[type].open != NULL;
}

static bool is_plain(dtype type)
{
    return type == DTYPE_F32 || type == DTYPE_F16 || type == DTYPE_BF16;
}

bool quant_is_supported(dtype type)
{
    return is_plain(type) || quant_is_blocked(type);
}

static bool can_encode(dtype type)
{
    return is_plain(type)
           || (quant_is_blocked(type) && types[type].encode != NULL);
}
// @end quant-supports

// @begin quant-open
void quant_open(dtype type, const void *row, size_t b, open_block *out)
{
    out->run = types[type].run;
    out->has_minimum = types[type].has_minimum;
    types[type].open(row, b, out);
}

static void decode_block(const open_block *block, float *values)
{
    for (int i = 0; i < QUANT_BLOCK; i++) {
        int run = i / block->run;
        values[i] = block->scale[run] * (float)block->code[i];
        if (block->has_minimum)
            values[i] += block->minimum[run];
    }
}
// @end quant-open

// @begin quant-decode
lll_status quant_decode(dtype type, const void *blocks, float *values,
                        size_t n, lll_error *err)
{
    const uint16_t *halves = blocks;
    open_block block;
    if (!quant_is_supported(type))
        return unsupported(type, "decoded", err);

    if (type == DTYPE_F32)
        memcpy(values, blocks, n * sizeof *values);
    for (size_t i = 0; i < n && type == DTYPE_F16; i++)
        values[i] = f16_to_f32(halves[i]);
    for (size_t i = 0; i < n && type == DTYPE_BF16; i++)
        values[i] = bf16_to_f32(halves[i]);
    for (size_t i = 0; i < n / QUANT_BLOCK && quant_is_blocked(type); i++) {
        quant_open(type, blocks, i, &block);
        decode_block(&block, values + i * QUANT_BLOCK);
    }
    return LLL_OK;
}
// @end quant-decode

// @begin quant-encode
lll_status quant_encode(dtype type, const float *values, void *blocks,
                        size_t n, lll_error *err)
{
    uint16_t *halves = blocks;
    unsigned char *next = blocks;
    if (!can_encode(type))
        return unsupported(type, "encoded", err);

    if (type == DTYPE_F32)
        memcpy(blocks, values, n * sizeof *values);
    for (size_t i = 0; i < n && type == DTYPE_F16; i++)
        halves[i] = f32_to_f16(values[i]);
    for (size_t i = 0; i < n && type == DTYPE_BF16; i++)
        halves[i] = f32_to_bf16(values[i]);
    const dtype_info *info = dtype_find((uint32_t)type);
    for (size_t i = 0; i < n && quant_is_blocked(type);
         i += (size_t)info->block_size) {
        types[type].encode(values + i, next);
        next += info->block_bytes;
    }
    return LLL_OK;
}
// @end quant-encode
