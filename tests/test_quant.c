// Decoding and encoding of blocks: values worked out by hand, the limits of
// each type, and what is refused. Against the gguf package:
// tests/test_quant_python.py.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/quant.h"

static void decodes_by_hand(void **unused)
{
    q8_0_block q8 = {f32_to_f16(0.5f), {[0] = -128, [1] = 127, [31] = 3}};
    q4_0_block q4 = {f32_to_f16(-2.0f), {[0] = 0xf0, [15] = 0x18}};
    q4_1_block q1 = {f32_to_f16(0.25f), f32_to_f16(-1.0f), {[0] = 0xf4}};
    float v[32];
    (void)unused;
    assert_int_equal(quant_decode(DTYPE_Q8_0, &q8, v, 32, NULL), LLL_OK);
    assert_true(v[0] == -64.0f && v[1] == 63.5f && v[2] == 0.0f
                && v[31] == 1.5f);
    assert_int_equal(quant_decode(DTYPE_Q4_0, &q4, v, 32, NULL), LLL_OK);
    assert_true(v[0] == 16.0f && v[16] == -14.0f);      // 0-8 and 15-8
    assert_true(v[15] == 0.0f && v[31] == 14.0f);       // 8-8 and 1-8
    assert_int_equal(quant_decode(DTYPE_Q4_1, &q1, v, 32, NULL), LLL_OK);
    assert_true(v[0] == 0.0f && v[16] == 2.75f && v[1] == -1.0f);
}

// The farthest number sets the scale of Q4_0, with its sign, and comes back
// whole; the other end has one step less.
static void encodes_by_hand(void **unused)
{
    (void)unused;
    for (int sign = -1; sign <= 1; sign += 2) {
        float x[32] = {[3] = 4.0f * (float)sign, [4] = -4.0f * (float)sign,
                       [20] = 0.5f, [31] = -1.2f}, y[32];
        q4_0_block block;
        quant_encode(DTYPE_Q4_0, x, &block, 32, NULL);
        assert_true(f16_to_f32(block.scale) == -0.5f * (float)sign);
        assert_int_equal(block.nibbles[3] & 15, 0);
        assert_int_equal(block.nibbles[4], sign < 0 ? 0x9f : 0x7f);
        quant_decode(DTYPE_Q4_0, &block, y, 32, NULL);
        assert_true(y[3] == x[3] && y[4] == -3.5f * (float)sign);
        assert_true(y[20] == 0.5f && y[31] == -1.0f && y[0] == 0.0f);
    }
}

// Largest error of a block, in units of its step.
static void stays_within_half_a_step(void **unused)
{
    static const struct { dtype type; float steps; } limit[] = {
        // Half a step, and what F16 takes from the scale: up to 2^-11 of
        // the largest value, that is 127 or 15 steps. Q4_0 clips: the end
        // opposite to the largest value may miss a whole step.
        {DTYPE_Q8_0, 0.5f + 127 * 0x1p-11f},
        {DTYPE_Q4_0, 1.0f + 8 * 0x1p-11f},
        {DTYPE_Q4_1, 0.5f + 30 * 0x1p-11f},
        {DTYPE_Q5_0, 1.0f + 16 * 0x1p-11f},
        {DTYPE_Q5_1, 0.5f + 62 * 0x1p-11f}};
    static const float codes[DTYPE_COUNT] = {        // to the end, or in all
        [DTYPE_Q8_0] = 127, [DTYPE_Q4_0] = 8, [DTYPE_Q4_1] = 15,
        [DTYPE_Q5_0] = 16, [DTYPE_Q5_1] = 31};
    float x[32], y[32];
    uint8_t block[34];
    (void)unused;
    for (int t = 0; t < 5; t++)
        for (int seed = 1; seed < 200; seed++) {
            float low = 1e30f, high = -1e30f;
            for (int i = 0; i < 32; i++) {
                x[i] = sinf((float)(seed * 37 + i * i));
                low = fminf(low, x[i]);
                high = fmaxf(high, x[i]);
            }
            bool lifted = limit[t].type == DTYPE_Q4_1
                          || limit[t].type == DTYPE_Q5_1;
            float step = (lifted ? high - low : fmaxf(-low, high))
                         / codes[limit[t].type];
            assert_int_equal(quant_encode(limit[t].type, x, block, 32, NULL),
                             LLL_OK);
            assert_int_equal(quant_decode(limit[t].type, block, y, 32, NULL),
                             LLL_OK);
            for (int i = 0; i < 32; i++)
                assert_true(fabsf(x[i] - y[i]) <= limit[t].steps * step);
        }
}

static void encodes_flat_blocks(void **unused)
{
    static const dtype types[] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_Q4_1,
                                  DTYPE_Q5_0, DTYPE_Q5_1};
    static const float values[] = {0.0f, -0.0f, 1.0f, -2.0f, 1e-45f, 1e30f,
                                   -3e38f};
    float x[32], y[32];
    uint8_t block[34];
    (void)unused;
    for (int t = 0; t < 5; t++)
        for (int k = 0; k < 7; k++) {
            for (int i = 0; i < 32; i++)
                x[i] = values[k];
            quant_encode(types[t], x, block, 32, NULL);
            quant_decode(types[t], block, y, 32, NULL);
            if (k < 4)
                for (int i = 0; i < 32; i++)
                    assert_true(fabsf(y[i] - x[i])
                                <= 0x1p-10f * fabsf(x[i]));
        }
}

static void plain_types_round_trip(void **unused)
{
    float x[5] = {1.0f, -0.375f, 65504.0f, 0.0f, 0x1p-24f}, y[5];
    uint16_t half[5];
    (void)unused;
    assert_int_equal(quant_encode(DTYPE_F16, x, half, 5, NULL), LLL_OK);
    assert_int_equal(quant_decode(DTYPE_F16, half, y, 5, NULL), LLL_OK);
    assert_memory_equal(x, y, sizeof x);
    x[2] = 65280.0f;
    assert_int_equal(quant_encode(DTYPE_BF16, x, half, 5, NULL), LLL_OK);
    assert_int_equal(quant_decode(DTYPE_BF16, half, y, 5, NULL), LLL_OK);
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(quant_decode(DTYPE_F32, x, y, 5, NULL), LLL_OK);
    assert_memory_equal(x, y, sizeof x);
}

static void refuses_other_types(void **unused)
{
    float x[256] = {0}, untouched[256] = {7};
    lll_error err;
    (void)unused;
    assert_false(quant_is_supported(DTYPE_I32));
    assert_int_equal(quant_decode(DTYPE_IQ2_XS, x, untouched, 256, &err),
                     LLL_ERR_UNSUPPORTED);
    assert_true(untouched[0] == 7.0f);
    assert_non_null(strstr(err.text, "IQ2_XS"));
    assert_int_equal(quant_encode(DTYPE_I8, x, untouched, 32, &err),
                     LLL_ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_by_hand),
        cmocka_unit_test(encodes_by_hand),
        cmocka_unit_test(stays_within_half_a_step),
        cmocka_unit_test(encodes_flat_blocks),
        cmocka_unit_test(plain_types_round_trip),
        cmocka_unit_test(refuses_other_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
