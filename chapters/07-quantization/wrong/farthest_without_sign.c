// replaces encode_q4_0() in common/quant.c; caught by tests/test_quant.c
//
// A scale as it is for eight bits: a magnitude. The codes reach from -8 to 7,
// and where the farthest number is above zero, 8 is what it would need.

// @begin wrong-farthest
static void encode_q4_0(const float *values, q4_0_block *block)
{
    float farthest = 0.0f;
    for (int i = 0; i < QUANT_BLOCK; i++)
        farthest = fmaxf(farthest, fabsf(values[i]));

    float scale = farthest / 8.0f;
    float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    unsigned code[QUANT_BLOCK];
    for (int i = 0; i < QUANT_BLOCK; i++)
        code[i] = clip_nibble(values[i] * inverse + 8.5f);
    block->scale = f32_to_f16(scale);
    pack_nibbles(code, block->nibbles);
}
// @end wrong-farthest
