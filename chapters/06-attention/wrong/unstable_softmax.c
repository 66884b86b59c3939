// replaces common/attention.c; caught by tests/test_attention.c
//
// The softmax as the formula reads. Scores of a small model stay below 30,
// and all is well until one of them passes 88.
#include "common/attention.h"

#define softmax right_softmax
#include "common/attention.c"
#undef softmax

// @begin wrong-unstable-softmax
void softmax(float *scores, int n)
{
    float total = 0.0f;
    for (int i = 0; i < n; i++) {
        scores[i] = expf(scores[i]);
        total += scores[i];
    }
    for (int i = 0; i < n; i++)
        scores[i] /= total;
}
// @end wrong-unstable-softmax
