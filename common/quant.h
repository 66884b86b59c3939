#ifndef COMMON_QUANT_H
#define COMMON_QUANT_H

#include <stdbool.h>
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

// @begin quant-blocks-5
// value[i] = scale * (code[i] - 16), the code a nibble with a fifth bit above
// it: bit i of the 32 in `high`, lowest byte first.
typedef struct {
    uint16_t scale;
    uint8_t high[4];
    uint8_t nibbles[16];
} q5_0_block;

// value[i] = scale * code[i] + minimum
typedef struct {
    uint16_t scale;
    uint16_t minimum;
    uint8_t high[4];
    uint8_t nibbles[16];
} q5_1_block;
// @end quant-blocks-5

// @begin quant-open-block
// What 32 numbers of any block type come to. A run is what shares a scale:
// all 32, or 16 of them.
//     value[i] = scale[i / run] * code[i]          exact as a float, and
//              + minimum[i / run]                  where the type has one
typedef struct {
    int run;                    // 32 or 16
    bool has_minimum;
    float scale[2], minimum[2];
    int code[QUANT_BLOCK];      // less its offset: -8..7 in Q4_0
} open_block;
// @end quant-open-block

// A scale whose inverse could be infinite; F16 makes a zero of it anyway.
#define QUANT_TINY 0x1p-120f

// What a block becomes that holds a number which is not finite.
void quant_nan_q8_0(q8_0_block *block);

// Code i of a block of 32: 0..15, low halves first.
int quant_nibble(const uint8_t *nibbles, int i);

// Pack a block of Q4_0, Q4_1, Q5_0 or Q5_1: what an encoder has chosen.
// scale, minimum   F16; the minimum of a type that has none is not looked at
// code             0..15 or 0..31
void quant_pack(dtype type, uint16_t scale, uint16_t minimum,
                const uint8_t code[QUANT_BLOCK], void *block);

// Can the numbers of this type be decoded and multiplied here?
bool quant_is_supported(dtype type);
// Does it cut rows into blocks of 32 that multiply quantized activations?
// A block of the type in the file may be eight of those: quant_k.h.
bool quant_is_blocked(dtype type);
// The names of the types that are supported, with commas, for sentences.
const char *quant_names(void);

// Lay open block b of 32, counted from the row's first; only for types that
// are blocked.
void quant_open(dtype type, const void *row, size_t b, open_block *out);

// Decode n numbers; `blocks` needs no more alignment than two bytes (four
// for F32). n is a multiple of the type's block size.
// LLL_ERR_UNSUPPORTED   there is no decoder for the type; values untouched
lll_status quant_decode(dtype type, const void *blocks, float *values,
                        size_t n, lll_error *err);

// Encode n finite numbers. Scales are F16: a block whose scale exceeds
// 65504 becomes infinite, one below 2^-25 becomes zero. A block of Q8_0 with
// a number that is not finite decodes to NaN everywhere.
// LLL_ERR_UNSUPPORTED   there is no encoder for the type, or it is a search:
//                       quant_encode.h has those; blocks untouched
lll_status quant_encode(dtype type, const float *values, void *blocks,
                        size_t n, lll_error *err);

#endif
