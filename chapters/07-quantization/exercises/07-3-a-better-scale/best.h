// The question of exercise 07-3.
#include "common/quant.h"

// values   [32], finite
void encode_best(const float *values, q4_0_block *block);
