#include "chapters/07-quantization/exercises/07-4-product-of-codes/dot.h"

float dot_codes(const q4_1_block *weights, const q8_0_block *x,
                const float *x_sums, int n_blocks)
{
    (void)weights;              // your work begins here
    (void)x;
    (void)x_sums;
    (void)n_blocks;
    return 0;
}
