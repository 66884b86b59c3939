// replaces common/norm.c; caught by tests/test_norm.c
//
// eps beside the root instead of under it. With activations of ordinary size
// the two agree to five digits; quiet vectors come out too large.
#include "common/norm.h"

#define rmsnorm right_rmsnorm
#include "common/norm.c"
#undef rmsnorm

// @begin wrong-eps-outside-root
void rmsnorm(float *out, const float *x, const float *weight, int n,
             float eps)
{
    float mean_square = sum_of_squares(x, n) / (float)n;
    float scale = 1.0f / (sqrtf(mean_square) + eps);
    for (int i = 0; i < n; i++)
        out[i] = x[i] * scale * weight[i];
}
// @end wrong-eps-outside-root
