#include "chapters/07-quantization/exercises/07-3-a-better-scale/best.h"

#include <math.h>
#include <stddef.h>

static float farthest_of(const float *values)
{
    float farthest = values[0];
    for (int i = 1; i < QUANT_BLOCK; i++)
        if (fabsf(values[i]) > fabsf(farthest))
            farthest = values[i];
    return farthest;
}

static q4_0_block encode_with(const float *values, float scale)
{
    q4_0_block block = {.scale = f32_to_f16(scale)};
    for (int i = 0; i < QUANT_BLOCK; i++) {
        // Without a scale all numbers are 0, and every code stands for that.
        float code = scale != 0.0f ? floorf(values[i] / scale + 8.5f) : 8.0f;
        unsigned nibble = (unsigned)fminf(fmaxf(code, 0.0f), 15.0f);
        block.nibbles[i % 16] |= (uint8_t)(i < 16 ? nibble : nibble << 4);
    }
    return block;
}

static double squared_error(const float *values, const q4_0_block *block)
{
    float back[QUANT_BLOCK];
    double sum = 0;
    quant_decode(DTYPE_Q4_0, block, back, QUANT_BLOCK, NULL);
    for (int i = 0; i < QUANT_BLOCK; i++) {
        double off = (double)values[i] - (double)back[i];
        sum += off * off;
    }
    return sum;
}

void encode_best(const float *values, q4_0_block *block)
{
    float farthest = farthest_of(values);
    double least = INFINITY;
    for (int tenth = 70; tenth <= 90; tenth++) {
        q4_0_block tried = encode_with(values,
                                       farthest * -10 / (float)tenth);
        double error = squared_error(values, &tried);
        if (error < least) {
            least = error;
            *block = tried;
        }
    }
}
