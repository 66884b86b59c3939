// replaces common/norm.c; caught by tests/test_norm.c
//
// Nobody's mistake, but the question what a norm is for: the weights stay,
// the division is left out.
#include "common/norm.h"

// @begin wrong-no-norm
void rmsnorm(float *out, const float *x, const float *weight, int n,
             float eps)
{
    (void)eps;
    for (int i = 0; i < n; i++)
        out[i] = x[i] * weight[i];
}
// @end wrong-no-norm
