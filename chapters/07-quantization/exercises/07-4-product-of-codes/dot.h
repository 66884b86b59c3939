// The question of exercise 07-4.
#include "common/quant.h"

// weights, x   [n_blocks]
// x_sums       [n_blocks] scale * sum of codes of each block of x
// Returns sum_i weight_i * x_i over 32 * n_blocks numbers.
float dot_codes(const q4_1_block *weights, const q8_0_block *x,
                const float *x_sums, int n_blocks);
