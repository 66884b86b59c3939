#ifndef COMMON_QUANT_H
#define COMMON_QUANT_H

#include <stddef.h>
#include <stdint.h>

#include "common/dtype.h"
#include "common/error.h"

// Quantized rows: what the blocks hold, and how to decode and encode them.
// A row is a whole number of blocks. Taught in chapter 7.
// Source: the block layouts are those of GGUF files, described in
// docs/gguf.md in ggml-org/ggml and named after what they hold.

enum { QUANT_BLOCK = 32 };

// @begin quant-blocks
// value[i] = scale * code[i]
typedef struct {
    uint16_t scale;             // F16
    int8_t code[32];            // -128..127
} q8_0_block;

// value[i] = scale * (nibble[i] - 8). Byte j holds number j in its low half
// and number j + 16 in its high half.
typedef struct {
    uint16_t scale;
    uint8_t nibbles[16];
} q4_0_block;

// value[i] = scale * nibble[i] + minimum
typedef struct {
    uint16_t scale;
    uint16_t minimum;
    uint8_t nibbles[16];
} q4_1_block;
// @end quant-blocks

// Decode n numbers. n is a multiple of the type's block size.
// LLL_ERR_UNSUPPORTED   this type's numbers can not be decoded (yet)
lll_status quant_decode(dtype type, const void *blocks, float *values,
                        size_t n, lll_error *err);
// Is there a decoder, and a product in matmul.h, for this type?
int quant_is_supported(dtype type);

// Encode n numbers. LLL_ERR_UNSUPPORTED where there is no encoder.
lll_status quant_encode(dtype type, const float *values, void *blocks,
                        size_t n, lll_error *err);

#endif
