#include <math.h>
#include <string.h>

#include "common/norm.h"
#include "tools/exercise.h"

enum { MOST = 70 };

static void expect(const char *name, float size, float weight_size, int n)
{
    float x[MOST], weight[MOST], copy[MOST], out[MOST + 1];
    double sum = 0, worst = 0, largest = 0;
    for (int i = 0; i < n; i++) {
        x[i] = size * sinf(1.7f * (float)i + 0.3f);
        weight[i] = weight_size * cosf(2.3f * (float)i);
        sum += (double)x[i] * (double)x[i];
    }
    memcpy(copy, weight, sizeof weight);
    out[n] = 42;
    rmsnorm(out, x, weight, n, 1e-5f);
    for (int i = 0; i < n; i++) {
        double wanted = (1 + (double)weight[i]) * (double)x[i]
                        / sqrt(sum / n + (double)1e-5f);
        worst = fmax(worst, fabs(wanted - (double)out[i]));
        largest = fmax(largest, fabs(wanted));
    }
    rmsnorm(x, x, weight, n, 1e-5f);
    if (out[n] < 42 || out[n] > 42)
        exercise_case(false, name, "wrote behind the last channel");
    else if (memcmp(copy, weight, (size_t)n * sizeof *weight) != 0)
        exercise_case(false, name, "the weights were changed");
    else if (memcmp(x, out, (size_t)n * sizeof *x) != 0)
        exercise_case(false, name, "another result when out is x");
    else
        exercise_case(worst <= 1e-6 * largest, name,
                      "off by %.2g, the largest channel is %.2g", worst,
                      largest);
}

int main(void)
{
    expect("stored weights 0 change nothing", 1, 0, 16);
    expect("a single channel", 2, 0.5f, 1);
    expect("small stored weights", 1, 0.1f, 64);
    expect("large stored weights", 1, 7, 70);
    expect("a quiet vector", 0.001f, 0.5f, 64);
    expect("a loud vector", 10000, 0.5f, 70);
    return exercise_end();
}
