// RMSNorm against float64.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/norm.h"
#include "tests/ref.h"

// Sixteen float sums of 36 squares each stay a hundred times below this.
static const double LIMIT = 1e-5;

static void against_reference(void **state)
{
    static const char *const cases[] = {"pencil", "seven", "tiny", "smollm2",
                                        "outlier", "small", "zero", "large"};
    (void)state;
    ref_file file = ref_read("05-rmsnorm-rope/expected/norm.ref");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64], label[80];
        snprintf(name, sizeof name, "%s.x", cases[i]);
        float *x = ref_floats(&file, name);
        snprintf(name, sizeof name, "%s.weight", cases[i]);
        float *weight = ref_floats(&file, name);
        snprintf(name, sizeof name, "%s.eps", cases[i]);
        float *eps = ref_floats(&file, name);
        snprintf(name, sizeof name, "%s.out", cases[i]);
        const ref_array *want = ref_find(&file, name);
        float *out = calloc(want->n, sizeof *out);
        assert_non_null(out);
        rmsnorm(out, x, weight, (int)want->n, *eps);
        snprintf(label, sizeof label, "rmsnorm, %s", cases[i]);
        ref_compare(label, out, want, LIMIT);
        free(x), free(weight), free(eps), free(out);
    }
    ref_free(&file);
}

static void in_place_gives_the_same_bits(void **state)
{
    (void)state;
    for (int n = 1; n <= 70; n++) {
        float x[70], weight[70], out[70];
        ref_random(1, x, (size_t)n);
        ref_random(2, weight, (size_t)n);
        rmsnorm(out, x, weight, n, 1e-5f);
        rmsnorm(x, x, weight, n, 1e-5f);
        assert_memory_equal(x, out, (size_t)n * sizeof *x);
    }
}

// The sixteen sums that norm.h promises, written down once more. One square
// is 2^26, where floats are 8 apart: in a single sum all the others, 3.6
// each, would be lost.
static void sums_in_the_stated_order(void **state)
{
    (void)state;
    float x[100], weight[100], out[100], sums[16] = {0};
    for (int i = 0; i < 100; i++)
        x[i] = i == 0 ? 8192.0f : 1.9f;
    ref_random(4, weight, 100);
    rmsnorm(out, x, weight, 100, 1e-5f);
    for (int i = 0; i < 100; i++)
        sums[i % 16] = fmaf(x[i], x[i], sums[i % 16]);
    for (int step = 8; step >= 1; step /= 2)
        for (int j = 0; j < step; j++)
            sums[j] += sums[j + step];
    float scale = 1.0f / sqrtf(sums[0] / 100.0f + 1e-5f);
    // How the last three operations round is left open.
    for (int i = 0; i < 100; i++)
        assert_true(fabsf(out[i] - x[i] * scale * weight[i])
                    <= 3e-7f * fabsf(out[i]));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_reference),
        cmocka_unit_test(in_place_gives_the_same_bits),
        cmocka_unit_test(sums_in_the_stated_order),
    };
    ref_arguments(argc, argv);
    return cmocka_run_group_tests_name("norm", tests, NULL, NULL);
}
