// replaces common/norm.c; caught by tests/test_norm.c
//
// LayerNorm's habit, brought along: subtract the mean first. A model's
// activations have a mean near 0, so the text hardly changes.
#include "common/norm.h"

#define rmsnorm right_rmsnorm
#include "common/norm.c"
#undef rmsnorm

// @begin wrong-mean-removed
void rmsnorm(float *out, const float *x, const float *weight, int n,
             float eps)
{
    float mean = 0;
    for (int i = 0; i < n; i++)
        mean += x[i] / (float)n;
    float mean_square = sum_of_squares(x, n) / (float)n - mean * mean;
    float scale = 1.0f / sqrtf(mean_square + eps);
    for (int i = 0; i < n; i++)
        out[i] = (x[i] - mean) * scale * weight[i];
}
// @end wrong-mean-removed
