// The question of exercise 08-4.
#include <stdint.h>

// logits   [vocab_size], not changed; NaN and -INFINITY are impossible
// n        deviations below the largest that are kept, 0 or more
// kept     room for vocab_size tokens
// Returns how many are kept: 0 when nothing is possible.
int above_noise(const float *logits, int vocab_size, double n, int32_t *kept);
