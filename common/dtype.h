#ifndef COMMON_DTYPE_H
#define COMMON_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The ways in which a tensor's numbers can be stored. A type cuts a row into
// blocks of `block_size` numbers and stores each in `block_bytes` bytes; for
// the plain types a block is one number. The values are those of the GGUF
// file format, so a type read from a file needs no translation.
//
// Taught in chapter 1. Source: docs/gguf.md in ggml-org/ggml, "ggml_type".

// @begin dtype-list
typedef enum {
    DTYPE_F32 = 0,      DTYPE_F16 = 1,      DTYPE_Q4_0 = 2,
    DTYPE_Q4_1 = 3,     DTYPE_Q5_0 = 6,     DTYPE_Q5_1 = 7,
    DTYPE_Q8_0 = 8,     DTYPE_Q8_1 = 9,     DTYPE_Q2_K = 10,
    DTYPE_Q3_K = 11,    DTYPE_Q4_K = 12,    DTYPE_Q5_K = 13,
    DTYPE_Q6_K = 14,    DTYPE_Q8_K = 15,    DTYPE_IQ2_XXS = 16,
    DTYPE_IQ2_XS = 17,  DTYPE_IQ3_XXS = 18, DTYPE_IQ1_S = 19,
    DTYPE_IQ4_NL = 20,  DTYPE_IQ3_S = 21,   DTYPE_IQ2_S = 22,
    DTYPE_IQ4_XS = 23,  DTYPE_I8 = 24,      DTYPE_I16 = 25,
    DTYPE_I32 = 26,     DTYPE_I64 = 27,     DTYPE_F64 = 28,
    DTYPE_IQ1_M = 29,   DTYPE_BF16 = 30,    DTYPE_TQ1_0 = 34,
    DTYPE_TQ2_0 = 35,   DTYPE_MXFP4 = 39,   DTYPE_NVFP4 = 40,
    DTYPE_Q1_0 = 41,
    DTYPE_COUNT = 42    // one above the largest
} dtype;
// @end dtype-list

// @begin dtype-info
typedef struct {
    const char *name;   // "Q4_0"; NULL for a number that names no type
    int block_size;     // numbers in a block
    int block_bytes;    // bytes of a block
} dtype_info;
// @end dtype-info

// @begin dtype-promise
// The row of the table for `type`, or NULL when the number (from a file, say)
// names no type.
const dtype_info *dtype_find(uint32_t type);

// The type called `name` in any case ("q4_0", "Q4_0"); false when there is
// none, and then *type is left as it was.
bool dtype_by_name(const char *name, dtype *type);

// "Q4_0", or "unknown type" for a number that names none. The text is valid
// for ever.
const char *dtype_name(uint32_t type);
// @end dtype-promise

// @begin dtype-half-promise
// Half precision (IEEE 754 binary16) and bfloat16, stored in 16 bits.
// The conversions to float are exact; the ones from float round to nearest,
// ties to even, keep infinities and turn every NaN into a quiet NaN.
float    f16_to_f32(uint16_t half);
uint16_t f32_to_f16(float value);
float    bf16_to_f32(uint16_t brain);
uint16_t f32_to_bf16(float value);
// @end dtype-half-promise

#endif
