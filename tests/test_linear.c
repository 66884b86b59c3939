// Layers: each row of a batch gets the bias, and more layers than one pass
// over the activations takes come out as if each were alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/linear.h"

enum { ROWS = 3, IN = 4, OUT = 2, LAYERS = MATMUL_MAX_JOBS + 2 };

static void every_row_gets_the_bias(void **state)
{
    static const float x[ROWS * IN] = {1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1};
    static const float weight[OUT * IN] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const float plain[ROWS * OUT] = {1, 5, 2, 6, 10, 26};
    float bias[LAYERS][OUT], y[LAYERS][ROWS * OUT];
    linear layers[LAYERS];
    const linear *list[LAYERS];
    float *outs[LAYERS];
    matmul m = {.kernels = &kernels_scalar, .mode = MATMUL_F32};
    activations a;
    (void)state;
    void *team = aligned_alloc(64, (threads_bytes(1) + 63) / 64 * 64);
    assert_int_equal(threads_start(&m.team, 1, team, NULL), LLL_OK);
    m.scratch_bytes = (matmul_scratch_bytes(IN) + 63) / 64 * 64;
    m.scratch = aligned_alloc(64, m.scratch_bytes);
    for (int i = 0; i < LAYERS; i++) {
        bias[i][0] = (float)(100 * i);
        bias[i][1] = -1;
        layers[i] = (linear){.type = DTYPE_F32, .weight = weight,
                             .bias = i % 2 == 0 ? bias[i] : NULL,
                             .n_outputs = OUT, .n_inputs = IN};
        list[i] = &layers[i];
        outs[i] = y[i];
    }
    activations_set(&a, &m, x, ROWS, IN, NULL);
    linear_forward(&m, list, LAYERS, &a, outs);
    for (int i = 0; i < LAYERS; i++)
        for (int j = 0; j < ROWS * OUT; j++) {
            float more = i % 2 == 0 ? bias[i][j % OUT] : 0;
            assert_true(y[i][j] == plain[j] + more);
        }
    threads_stop(m.team);
    free(m.scratch);
    free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_gets_the_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
