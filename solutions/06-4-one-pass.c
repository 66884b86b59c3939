#include <math.h>

#include "chapters/06-attention/exercises/06-4-one-pass/stream.h"

float stream_average(next_pair *next, void *stream)
{
    float score, value, largest = -INFINITY, total = 0, sum = 0;
    while (next(stream, &score, &value)) {
        if (score == -INFINITY)         // weighs nothing, and would be NaN
            continue;
        if (score > largest) {
            // Both sums were relative to another largest score. For a value
            // of 64 numbers this is 64 multiplications, which is why an
            // engine does it once for a span and not for every score.
            float factor = expf(largest - score);
            total *= factor;
            sum *= factor;
            largest = score;
        }
        float weight = expf(score - largest);
        total += weight;
        sum += weight * value;
    }
    return total > 0 ? sum / total : 0;
}
