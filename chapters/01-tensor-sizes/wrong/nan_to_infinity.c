// replaces common/dtype.c; caught by tests/test_dtype.c
//
// BF16 is the upper half of a float, so keep the upper half, rounded. A NaN
// can have all its bits in the other one.
#include "common/dtype.h"

#define f32_to_bf16 right_f32_to_bf16
#include "common/dtype.c"
#undef f32_to_bf16

// @begin wrong-nan-to-infinity
uint16_t f32_to_bf16(float value)
{
    uint32_t bits = bits_of_float(value);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}
// @end wrong-nan-to-infinity
