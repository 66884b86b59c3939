#include "chapters/08-llama/exercises/08-4-above-the-noise/noise.h"

#include <math.h>

int above_noise(const float *logits, int vocab_size, double n, int32_t *kept)
{
    double sum = 0, squares = 0, largest = -INFINITY;
    int n_possible = 0, n_kept = 0;
    for (int i = 0; i < vocab_size; i++)
        if (isfinite(logits[i])) {
            sum += (double)logits[i];
            largest = fmax(largest, (double)logits[i]);
            n_possible++;
        }
    // From the mean, and not as the mean of the squares less the square of
    // the mean: that is the small difference of two large numbers.
    for (int i = 0; i < vocab_size; i++)
        if (isfinite(logits[i])) {
            double off = (double)logits[i] - sum / n_possible;
            squares += off * off;
        }
    double bound = largest - n * sqrt(squares / n_possible);
    for (int i = 0; i < vocab_size; i++)
        if (isfinite(logits[i]) && (double)logits[i] >= bound)
            kept[n_kept++] = i;
    return n_kept;
}
