// The table of types, and both 16-bit formats, every value of them.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/dtype.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void names(void **state)
{
    (void)state;
    int n = 0;
    for (uint32_t t = 0; t < 100; t++) {
        const dtype_info *info = dtype_find(t);
        dtype found = DTYPE_COUNT;
        if (info == NULL)
            continue;
        n++;
        assert_true(dtype_by_name(info->name, &found));
        assert_int_equal(found, t);
        assert_string_equal(dtype_name(t), info->name);
        int size = info->block_size;        // 1, or 32, 64, 128, 256
        assert_true(size == 1 || (size >= 32 && size <= 256
                                  && (size & (size - 1)) == 0));
        assert_true(info->block_bytes > 0);
    }
    assert_int_equal(n, 34);
    dtype type = DTYPE_F64;
    assert_true(dtype_by_name("q4_k", &type));
    assert_int_equal(type, DTYPE_Q4_K);
    assert_false(dtype_by_name("q4", &type));
    assert_false(dtype_by_name("", &type));
    assert_int_equal(type, DTYPE_Q4_K);
    assert_null(dtype_find(4));             // Q4_2, long gone
    assert_null(dtype_find(UINT32_MAX));
    assert_string_equal(dtype_name(4), "unknown type");
}

// The definition, in double: (-1)^s 2^(e-15) (1 + f/1024).
static double half_by_definition(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double sign = half >> 15 ? -1 : 1;
    if (exponent == 31)
        return fraction != 0 ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(1024 + fraction, exponent - 25);
}

static void every_half(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        double want = half_by_definition((uint16_t)i);
        float got = f16_to_f32((uint16_t)i);
        if (isnan(want)) {
            assert_true(isnan(got));
            assert_int_equal(f32_to_f16(got), (i & 0x8000) | 0x7e00);
            continue;
        }
        assert_int_equal(bits_of(got), bits_of((float)want));
        assert_int_equal(f32_to_f16(got), i);
    }
}

// Between two neighbours: below, at and above the middle.
static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x7bff; i++) {
        float low = f16_to_f32((uint16_t)i);
        float high = f16_to_f32((uint16_t)(i + 1));
        float middle = (float)(((double)low + (double)high) / 2);
        uint32_t even = i % 2 == 0 ? i : i + 1;
        assert_int_equal(f32_to_f16(nextafterf(middle, 0)), i);
        assert_int_equal(f32_to_f16(middle), even);
        assert_int_equal(f32_to_f16(nextafterf(middle, 1e9f)), i + 1);
        assert_int_equal(f32_to_f16(-middle), even | 0x8000);
    }
    assert_int_equal(f32_to_f16(65519.996f), 0x7bff);
    assert_int_equal(f32_to_f16(65520), 0x7c00);
    assert_int_equal(f32_to_f16(-1e30f), 0xfc00);
    assert_int_equal(f32_to_f16(INFINITY), 0x7c00);
    assert_int_equal(f32_to_f16(-0.0f), 0x8000);
    assert_int_equal(f32_to_f16(1e-30f), 0);
    assert_int_equal(f32_to_f16(of_bits(0x7f800001)) & 0x7e00, 0x7e00);
}

static void every_bfloat(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        float value = bf16_to_f32((uint16_t)i);
        assert_int_equal(bits_of(value), i << 16);
        if (isnan(value)) {
            assert_int_equal(f32_to_bf16(value), i | 0x40);
            continue;
        }
        assert_int_equal(f32_to_bf16(value), i);
        if ((i & 0x7fff) == 0x7f80)         // infinity has no neighbour
            continue;
        uint32_t even = i % 2 == 0 ? i : i + 1;
        assert_int_equal(f32_to_bf16(of_bits(i << 16 | 0x7fff)), i);
        assert_int_equal(f32_to_bf16(of_bits(i << 16 | 0x8000)), even);
        assert_int_equal(f32_to_bf16(of_bits(i << 16 | 0x8001)), i + 1);
    }
    // A NaN whose upper half alone would read as infinity.
    assert_int_equal(f32_to_bf16(of_bits(0x7f800001)), 0x7fc0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(every_half),
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(every_bfloat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
