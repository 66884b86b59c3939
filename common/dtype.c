#include "common/dtype.h"

#include <ctype.h>
#include <string.h>

// @begin dtype-table
// Name, numbers in a block, bytes of a block; behind them what the bytes
// hold. "codes 4+16": one bit of each code is in the 4, four are in the 16.
static const dtype_info table[DTYPE_COUNT] = {
    [DTYPE_F32]     = {"F32",       1,   4},
    [DTYPE_F16]     = {"F16",       1,   2},
    [DTYPE_BF16]    = {"BF16",      1,   2},
    [DTYPE_F64]     = {"F64",       1,   8},
    [DTYPE_I8]      = {"I8",        1,   1}, [DTYPE_I16] = {"I16", 1, 2},
    [DTYPE_I32]     = {"I32",       1,   4}, [DTYPE_I64] = {"I64", 1, 8},
    [DTYPE_Q8_0]    = {"Q8_0",     32,  34},  // scale 2, codes 32
    [DTYPE_Q8_1]    = {"Q8_1",     32,  36},  // scale 2, sum 2, codes 32
    [DTYPE_Q4_0]    = {"Q4_0",     32,  18},  // scale 2, codes 16
    [DTYPE_Q4_1]    = {"Q4_1",     32,  20},  // scale 2, minimum 2, codes 16
    [DTYPE_Q5_0]    = {"Q5_0",     32,  22},  // scale 2, codes 4+16
    [DTYPE_Q5_1]    = {"Q5_1",     32,  24},  // 2+2, codes 4+16
    [DTYPE_Q2_K]    = {"Q2_K",    256,  84},  // 2+2, scales 16, codes 64
    [DTYPE_Q3_K]    = {"Q3_K",    256, 110},  // 2, scales 12, codes 32+64
    [DTYPE_Q4_K]    = {"Q4_K",    256, 144},  // 2+2, scales 12, codes 128
    [DTYPE_Q5_K]    = {"Q5_K",    256, 176},  // 2+2, scales 12, codes 32+128
    [DTYPE_Q6_K]    = {"Q6_K",    256, 210},  // 2, scales 16, codes 128+64
    [DTYPE_Q8_K]    = {"Q8_K",    256, 292},  // scale 4, codes 256, sums 32
// @end dtype-table
// @begin dtype-table-rare
    [DTYPE_IQ1_S]   = {"IQ1_S",   256,  50},
    [DTYPE_IQ1_M]   = {"IQ1_M",   256,  56},
    [DTYPE_IQ2_XXS] = {"IQ2_XXS", 256,  66},
    [DTYPE_IQ2_XS]  = {"IQ2_XS",  256,  74},
    [DTYPE_IQ2_S]   = {"IQ2_S",   256,  82},
    [DTYPE_IQ3_XXS] = {"IQ3_XXS", 256,  98},
    [DTYPE_IQ3_S]   = {"IQ3_S",   256, 110},
    [DTYPE_IQ4_NL]  = {"IQ4_NL",   32,  18},
    [DTYPE_IQ4_XS]  = {"IQ4_XS",  256, 136},
    [DTYPE_TQ1_0]   = {"TQ1_0",   256,  54},
    [DTYPE_TQ2_0]   = {"TQ2_0",   256,  66},
    [DTYPE_MXFP4]   = {"MXFP4",    32,  17},
    [DTYPE_NVFP4]   = {"NVFP4",    64,  36},  // scales 4, codes 32
    [DTYPE_Q1_0]    = {"Q1_0",    128,  18},  // scale 2, signs 16
};
// @end dtype-table-rare

// @begin dtype-find
const dtype_info *dtype_find(uint32_t type)
{
    // The table has holes: numbers that once named a type and no longer do.
    if (type >= DTYPE_COUNT || table[type].name == NULL)
        return NULL;
    return &table[type];
}
// @end dtype-find

// @begin dtype-names
const char *dtype_name(uint32_t type)
{
    const dtype_info *info = dtype_find(type);
    return info != NULL ? info->name : "unknown type";
}

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && toupper((unsigned char)*a)
                         == toupper((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool dtype_by_name(const char *name, dtype *type)
{
    for (int i = 0; i < DTYPE_COUNT; i++) {
        if (table[i].name != NULL && same_name(name, table[i].name)) {
            *type = (dtype)i;
            return true;
        }
    }
    return false;
}
// @end dtype-names

// @begin dtype-bits
// Reading a float's bits through a pointer of another type is undefined in
// C; memcpy is the defined way, and compilers turn it into nothing.
static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
// @end dtype-bits

// @begin dtype-f16-decode
float f16_to_f32(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = (half >> 10) & 31;
    uint32_t fraction = half & 1023;

    if (exponent == 31)        // infinity, or NaN when a fraction is set
        return float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0) {       // subnormal: fraction times 2^-24, exactly
        float magnitude = (float)fraction * 0x1p-24f;
        return float_of_bits(sign | bits_of_float(magnitude));
    }
    // The bias moves from 15 to 127, the fraction from 10 bits to 23.
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}
// @end dtype-f16-decode

// @begin dtype-f16-encode
uint16_t f32_to_f16(float value)
{
    uint32_t bits = bits_of_float(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    uint32_t magnitude = bits & 0x7fffffffu;

    if (magnitude > 0x7f800000u)                    // NaN stays NaN
        return sign | 0x7e00u;
    if (magnitude >= 0x477ff000u)                   // 65520 and above
        return sign | 0x7c00u;                      // round to infinity
    if (magnitude < 0x38800000u) {                  // below 2^-14: subnormal
        // Adding 0.5 puts the unit of the last place at 2^-24, so that the
        // adder itself rounds to the nearest multiple, ties to even.
        float sum = float_of_bits(magnitude) + 0.5f;
        return sign | (uint16_t)(bits_of_float(sum) - 0x3f000000u);
    }
    // 13 bits go. Adding half of their unit, less one when the last bit
    // kept is even, rounds to nearest with ties to even.
    uint32_t last_kept = magnitude >> 13 & 1;
    magnitude += 0x0fffu + last_kept;
    return sign | (uint16_t)((magnitude - (112u << 23)) >> 13);
}
// @end dtype-f16-encode

// @begin dtype-bf16
float bf16_to_f32(uint16_t brain)
{
    return float_of_bits((uint32_t)brain << 16);
}

uint16_t f32_to_bf16(float value)
{
    uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40u);      // a quiet NaN
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}
// @end dtype-bf16
