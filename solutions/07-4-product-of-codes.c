#include "chapters/07-quantization/exercises/07-4-product-of-codes/dot.h"

float dot_codes(const q4_1_block *weights, const q8_0_block *x,
                const float *x_sums, int n_blocks)
{
    float total = 0;
    for (int b = 0; b < n_blocks; b++) {
        // At most 32 x 15 x 128, which 16 bits would not hold.
        int sum = 0;
        for (int i = 0; i < QUANT_BLOCK; i++)
            sum += quant_nibble(weights[b].nibbles, i) * x[b].code[i];
        float scale = f16_to_f32(weights[b].scale) * f16_to_f32(x[b].scale);
        total += scale * (float)sum
                 + f16_to_f32(weights[b].minimum) * x_sums[b];
    }
    return total;
}
