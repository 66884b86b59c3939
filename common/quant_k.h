#ifndef COMMON_QUANT_K_H
#define COMMON_QUANT_K_H

#include <stddef.h>
#include <stdint.h>

#include "common/quant.h"

// Super-blocks: 256 numbers as eight blocks of 32 that share one scale in
// F16, and one minimum where the type has minimums. Each block (in Q2_K,
// Q3_K and Q6_K each half of a block) has a small whole number of its own
// that multiplies the shared scale. Taught in chapter 7.
// Source: the layouts are those of GGUF files, described in docs/gguf.md in
// ggml-org/ggml; the sizes are those of dtype.c.

enum { QUANT_SUPER = 256, QUANT_SUPER_BLOCKS = QUANT_SUPER / QUANT_BLOCK };

// In all five, b is the block of 32 in the super-block, 0..7, i the number
// in the block, 0..31, and h = 2 b + i / 16 the half block, 0..15.

// @begin quant-k-blocks-16
// value = scale * (scales[h] & 15) * code - minimum * (scales[h] >> 4).
// The code has 2 bits: bits 2 (b mod 4) and up of codes[32 (b / 4) + i].
typedef struct {
    uint8_t scales[16];
    uint8_t codes[64];
    uint16_t scale, minimum;    // F16
} q2_k_block;

// value = scale * (s[h] - 32) * (code - 4), s of 6 bits: quant_scale_q3_k().
// The two low bits of the code as in Q2_K, the third is bit b of high[i].
typedef struct {
    uint8_t high[32];
    uint8_t codes[64];
    uint8_t scales[12];
    uint16_t scale;
} q3_k_block;
// @end quant-k-blocks-16

// @begin quant-k-blocks
// value = scale * s[b] * nibble - minimum * m[b], s and m of 6 bits:
// quant_scales_q4_k(). The nibble is the low half of nibbles[32 (b / 2) + i]
// where b is even, else the high half.
typedef struct {
    uint16_t scale, minimum;
    uint8_t scales[12];
    uint8_t nibbles[128];
} q4_k_block;

// The same, with a fifth bit: bit b of high[i].
typedef struct {
    uint16_t scale, minimum;
    uint8_t scales[12];
    uint8_t high[32];
    uint8_t nibbles[128];
} q5_k_block;

// value = scale * scales[h] * (code - 32). With q = b / 4 and k = b mod 4,
// the low four bits of the code are the low (k < 2) or high half of
// nibbles[64 q + 32 (k mod 2) + i], the others bits 2k, 2k + 1 of
// high[32 q + i].
typedef struct {
    uint8_t nibbles[128];
    uint8_t high[64];
    int8_t scales[16];
    uint16_t scale;
} q6_k_block;
// @end quant-k-blocks

// Scale of half block h, 0..63, as packed in a Q3_K block: its low four bits
// are half h / 8 of byte h mod 8, its high two bits 2 (h / 4) and up of byte
// 8 + h mod 4.
int quant_scale_q3_k(const uint8_t scales[12], int h);

// Scale and minimum of block b, 0..63, as packed in Q4_K and Q5_K. For the
// first four blocks: low six bits of byte b, and of byte b + 4. For the
// others: low and high half of byte b + 4, with two bits more above them,
// the high bits of byte b - 4, and of byte b.
void quant_scales_q4_k(const uint8_t scales[12], int b, int *scale,
                       int *minimum);

// Lay open block b of 32, counted from the row's first: see quant_open().
void quant_open_q2_k(const void *row, size_t b, open_block *out);
void quant_open_q3_k(const void *row, size_t b, open_block *out);
void quant_open_q4_k(const void *row, size_t b, open_block *out);
void quant_open_q5_k(const void *row, size_t b, open_block *out);
void quant_open_q6_k(const void *row, size_t b, open_block *out);

#endif
