// Super-blocks, worked out by hand. Against the gguf package, and on random
// bytes: tests/test_quant_python.py.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/quant_k.h"

// Each six-bit number of the packed twelve bytes stands alone: setting it
// changes no other.
static void scales_of_four_bits_and_two(void **unused)
{
    (void)unused;
    for (int bit = 0; bit < 96; bit++) {
        uint8_t scales[12] = {0};
        int s, m, total = 0, ones = 0;
        scales[bit / 8] = (uint8_t)(1 << bit % 8);
        for (int h = 0; h < 16; h++) {
            s = quant_scale_q3_k(scales, h);
            total += s != 0;
            ones += s != 0 && (s & (s - 1)) == 0;
        }
        for (int b = 0; b < 8; b++) {
            quant_scales_q4_k(scales, b, &s, &m);
            total += (s != 0) + (m != 0);
            ones += (s != 0 && (s & (s - 1)) == 0)
                  + (m != 0 && (m & (m - 1)) == 0);
        }
        assert_true(total == 2 && ones == 2);
    }
}

static void scales_by_hand(void **unused)
{
    // Block 0: scale 63 and minimum 1; block 5: scale 0x2a, minimum 0x15.
    uint8_t q4[12] = {[0] = 0x3f, [4] = 0x01, [9] = 0x5a, [1] = 0x80,
                      [5] = 0x40};
    uint8_t q3[12] = {[3] = 0x25, [8 + 3] = 0x93};
    int s, m;
    (void)unused;
    quant_scales_q4_k(q4, 0, &s, &m);
    assert_true(s == 63 && m == 1);
    quant_scales_q4_k(q4, 5, &s, &m);
    assert_true(s == 0x2a && m == 0x15);
    quant_scales_q4_k(q4, 1, &s, &m);       // its high bits are block 5's
    assert_true(s == 0 && m == 0);
    assert_int_equal(quant_scale_q3_k(q3, 3), 0x35);
    assert_int_equal(quant_scale_q3_k(q3, 7), 0x00);
    assert_int_equal(quant_scale_q3_k(q3, 11), 0x12);
    assert_int_equal(quant_scale_q3_k(q3, 15), 0x20);
}

// value = scale * 3 * nibble - minimum * 2 in block 2, whose codes are the
// low halves of the bytes from 32 on.
static void q4_k_by_hand(void **unused)
{
    static q4_k_block super[2];
    float v[512];
    (void)unused;
    super[1].scale = f32_to_f16(0.5f);
    super[1].minimum = f32_to_f16(4.0f);
    super[1].scales[2] = 3;
    super[1].scales[6] = 2;
    super[1].nibbles[32 + 7] = 0xfa;
    assert_int_equal(quant_decode(DTYPE_Q4_K, super, v, 512, NULL), LLL_OK);
    assert_true(v[256 + 64 + 7] == 0.5f * 3 * 10 - 4.0f * 2);
    assert_true(v[256 + 64 + 8] == -8.0f && v[256 + 96 + 7] == 0.0f);
    for (int i = 0; i < 256; i++)
        assert_true(v[i] == 0.0f);

    open_block open;
    quant_open(DTYPE_Q4_K, super, 8 + 3, &open);
    assert_true(open.run == 32 && open.has_minimum);
    assert_true(open.scale[0] == 0.0f && open.code[7] == 15);
}

static void q6_k_by_hand(void **unused)
{
    static q6_k_block super;
    open_block open;
    (void)unused;
    super.scale = f32_to_f16(0.25f);
    super.scales[10] = -128;
    super.scales[11] = 3;
    super.nibbles[64 + 32 + 31] = 0x0d;     // block 5 = 4 + 1, its last
    super.high[32 + 31] = 2 << 2;
    quant_open(DTYPE_Q6_K, &super, 5, &open);
    assert_true(open.run == 16 && !open.has_minimum);
    assert_true(open.scale[0] == -32.0f && open.scale[1] == 0.75f);
    assert_int_equal(open.code[31], 2 * 16 + 13 - 32);
    assert_int_equal(open.code[0], -32);
}

static void fewer_bits_by_hand(void **unused)
{
    static q2_k_block q2;
    static q3_k_block q3;
    static q5_k_block q5;
    open_block open;
    (void)unused;
    q2.scale = q2.minimum = f32_to_f16(2.0f);
    q2.scales[15] = 0x73;
    q2.codes[32 + 16] = 0x80;
    quant_open(DTYPE_Q2_K, &q2, 7, &open);
    assert_true(open.scale[1] == 6.0f && open.minimum[1] == -14.0f);
    assert_true(open.code[16] == 2 && open.code[15] == 0);

    q3.scale = f32_to_f16(1.0f);
    q3.high[4] = 1 << 6;
    q3.codes[32 + 4] = 3 << 4;
    quant_open(DTYPE_Q3_K, &q3, 6, &open);
    assert_true(open.scale[0] == -32.0f && open.code[4] == 3);
    assert_true(open.code[5] == -4);

    q5.high[9] = 1 << 3;
    q5.nibbles[32 + 9] = 0x12;
    quant_open(DTYPE_Q5_K, &q5, 3, &open);
    assert_true(open.code[9] == 17 && open.code[8] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_of_four_bits_and_two),
        cmocka_unit_test(scales_by_hand),
        cmocka_unit_test(q4_k_by_hand),
        cmocka_unit_test(q6_k_by_hand),
        cmocka_unit_test(fewer_bits_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
