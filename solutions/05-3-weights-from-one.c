#include "common/norm.h"

#include <math.h>

enum { LANES = 16 };

// Sum of x[i]^2. One running sum would make each addition wait for the one
// before it; sixteen are independent, so the compiler can keep them in vector
// registers. The order is fixed here, not left to the compiler, because
// another order rounds differently.
static float sum_of_squares(const float *x, int n)
{
    float sum[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            sum[j] += x[i + j] * x[i + j];
    for (int j = 0; i + j < n; j++)
        sum[j] += x[i + j] * x[i + j];

    for (int width = LANES / 2; width > 0; width /= 2)
        for (int j = 0; j < width; j++)
            sum[j] += sum[j + width];
    return sum[0];
}

void rmsnorm(float *out, const float *x, const float *weight, int n,
             float eps)
{
    float mean_square = sum_of_squares(x, n) / (float)n;
    // eps goes inside the root. Outside, it would change every value of a
    // quiet vector by another amount, and nothing would crash.
    float scale = 1.0f / sqrtf(mean_square + eps);
    for (int i = 0; i < n; i++)
        out[i] = x[i] * scale * (1.0f + weight[i]);
}
