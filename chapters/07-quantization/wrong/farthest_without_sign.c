// replaces scale_and_codes() in common/quant.c; caught by tests/test_quant.c
//
// A scale as it is for eight bits: a magnitude. The codes reach from -8 to 7,
// and where the farthest number is above zero, 8 is what it would need.

// @begin wrong-farthest
static uint16_t scale_and_codes(const float *values, int middle,
                                uint8_t *code)
{
    float farthest = 0.0f;
    for (int i = 0; i < QUANT_BLOCK; i++)
        farthest = fmaxf(farthest, fabsf(values[i]));

    float scale = farthest / (float)middle;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    float shift = (float)middle + 0.5f;
    for (int i = 0; i < QUANT_BLOCK; i++)
        code[i] = clip_code(values[i] * inverse + shift,
                            (uint8_t)(2 * middle - 1));
    return f32_to_f16(scale);
}
// @end wrong-farthest
