#include "chapters/08-llama/exercises/08-4-above-the-noise/noise.h"

int above_noise(const float *logits, int vocab_size, double n, int32_t *kept)
{
    (void)logits;               // your work begins here
    (void)n;
    for (int i = 0; i < vocab_size; i++)
        kept[i] = i;
    return vocab_size;
}
