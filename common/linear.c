#include "common/linear.h"

// @begin linear-forward
static void add_bias(float *y, const float *bias, int n_rows, int n)
{
    for (int t = 0; t < n_rows; t++)
        for (int i = 0; i < n; i++)
            y[(size_t)t * (size_t)n + (size_t)i] += bias[i];
}

void linear_forward(matmul *m, const linear *const *layers, int n_layers,
                    const activations *x, float *const *y)
{
    for (int done = 0; done < n_layers; done += MATMUL_MAX_JOBS) {
        matmul_job jobs[MATMUL_MAX_JOBS] = {{0}};
        int n = 0;
        for (int i = done; i < n_layers && n < MATMUL_MAX_JOBS; i++)
            jobs[n++] = (matmul_job){layers[i]->type, layers[i]->weight,
                                     layers[i]->n_outputs,
                                     layers[i]->n_inputs, y[i]};
        matmul_run(m, x, jobs, n);
    }
    for (int i = 0; i < n_layers; i++)
        if (layers[i]->bias != NULL)
            add_bias(y[i], layers[i]->bias, x->n_rows, layers[i]->n_outputs);
}
// @end linear-forward
