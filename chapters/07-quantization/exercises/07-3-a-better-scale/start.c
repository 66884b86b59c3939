#include "chapters/07-quantization/exercises/07-3-a-better-scale/best.h"

#include <stddef.h>

void encode_best(const float *values, q4_0_block *block)
{
    quant_encode(DTYPE_Q4_0, values, block, QUANT_BLOCK, NULL);
}
