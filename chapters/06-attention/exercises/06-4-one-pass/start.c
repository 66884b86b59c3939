#include "chapters/06-attention/exercises/06-4-one-pass/stream.h"

float stream_average(next_pair *next, void *stream)
{
    float score, value, sum = 0;
    int n = 0;
    while (next(stream, &score, &value)) {
        sum += value;               // an average: every value counts alike
        n++;
    }
    return n > 0 ? sum / (float)n : 0;
}
