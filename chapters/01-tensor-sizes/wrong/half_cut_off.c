// replaces common/dtype.c; caught by tests/test_dtype.c
//
// The bits that do not fit are dropped. No number is off by more than one in
// a thousand, and each is off in the same direction.
#include "common/dtype.h"

#define f32_to_f16 right_f32_to_f16
#include "common/dtype.c"
#undef f32_to_f16

// @begin wrong-half-cut-off
uint16_t f32_to_f16(float value)
{
    uint32_t bits = bits_of_float(value);
    uint32_t magnitude = bits & 0x7fffffffu;

    if (magnitude >= 0x477ff000u || magnitude < 0x38800000u)
        return right_f32_to_f16(value);     // NaN, infinity, subnormal: right
    return (uint16_t)((bits >> 16 & 0x8000u)
                      | (magnitude - (112u << 23)) >> 13);
}
// @end wrong-half-cut-off
