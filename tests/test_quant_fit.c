// The search for lines: exact ones are found, others are as good as the best
// of a fine grid that tries everything, and odd numbers do no harm.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/quant_fit.h"

// Of each kind one, as a type has it.
static const fit_span kinds[] = {
    {.n = 32, .top = 15, .minimum = FIT_FREE},
    {.n = 32, .top = 15, .minimum = FIT_BELOW_ZERO},
    {.n = 32, .top = 15, .minimum = FIT_TIED, .zero = 8},
    {.n = 16, .top = 3, .minimum = FIT_BELOW_ZERO},
    {.n = 16, .top = 7, .minimum = FIT_TIED, .zero = 4},
    {.n = 16, .top = 63, .minimum = FIT_TIED, .zero = 32},
};

enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

// About normal: three equal shares added.
static float draw(uint32_t *seed)
{
    float sum = 0;
    for (int i = 0; i < 3; i++)
        sum += (float)next(seed) / 8388608.0f - 1.0f;
    return sum;
}

static void finds_exact_lines(void **unused)
{
    float x[FIT_MAX], w[FIT_MAX];
    uint8_t want[FIT_MAX], codes[FIT_MAX];
    uint32_t seed = 1;
    (void)unused;
    for (int k = 0; k < N_KINDS; k++)
        for (int trial = 0; trial < 50; trial++) {
            fit_span s = kinds[k];
            float scale = 0.01f * (float)(1 + trial), minimum = -3 * scale;
            if (s.minimum == FIT_TIED)
                minimum = -(float)s.zero * scale;
            for (int i = 0; i < s.n; i++) {
                // Both ends are there, so that the line is the only one.
                want[i] = (uint8_t)(i == 0 ? 0 : i == 1 ? s.top
                          : (int)(next(&seed) % (unsigned)(s.top + 1)));
                x[i] = scale * want[i] + minimum;
                w[i] = 1.0f + (float)(i % 3);
            }
            s.values = x;
            s.weights = w;
            fit_line line = fit_search(&s, codes);
            assert_true(line.cost < 1e-6f * scale * scale);
            if (line.scale > 0)
                assert_memory_equal(codes, want, (size_t)s.n);
            assert_true(fabsf(fabsf(line.scale) - scale) < 1e-4f * scale);
        }
}

// Everything tried: scales and minimums in 600 and 200 steps.
static double best_of_grid(const fit_span *s)
{
    uint8_t codes[FIT_MAX];
    double best = INFINITY;
    for (int i = 1; i <= 600; i++) {
        float scale = 6.0f / (float)s->top * (float)i / 500.0f;
        for (int j = 0; j <= 200; j++) {
            float minimum = -3.0f + (float)j * 0.015f;
            float way = j == 0 ? scale : -scale;
            if (s->minimum == FIT_TIED && j > 1)
                break;
            if (s->minimum == FIT_TIED)
                minimum = -(float)s->zero * way;
            double cost = (double)fit_codes(s, s->minimum == FIT_TIED
                                            ? way : scale, minimum, codes);
            best = cost < best ? cost : best;
        }
    }
    return best;
}

// A search may end in a place that is not the best: six bits for 16 numbers
// have many that are nearly as good.
static void is_as_good_as_a_grid(void **unused)
{
    static const double limits[N_KINDS] = {1.04, 1.08, 1.02, 1.02, 1.02,
                                           1.15};
    float x[FIT_MAX], w[FIT_MAX];
    uint8_t codes[FIT_MAX];
    uint32_t seed = 7;
    (void)unused;
    for (int k = 0; k < N_KINDS; k++) {
        double ours = 0, grid = 0;
        for (int trial = 0; trial < 12; trial++) {
            fit_span s = kinds[k];
            for (int i = 0; i < s.n; i++) {
                x[i] = draw(&seed);
                w[i] = trial % 2 ? 1.0f : 0.1f + (float)(next(&seed) % 8);
            }
            s.values = x;
            s.weights = w;
            ours += (double)fit_search(&s, codes).cost;
            grid += best_of_grid(&s);
        }
        print_message("# kind %d: cost %.4f of the grid's\n", k, ours / grid);
        assert_true(ours < limits[k] * grid);
    }
}

static void codes_belong_to_the_line(void **unused)
{
    float x[FIT_MAX], w[FIT_MAX];
    uint8_t codes[FIT_MAX], again[FIT_MAX];
    uint32_t seed = 3;
    (void)unused;
    for (int trial = 0; trial < 300; trial++) {
        fit_span s = kinds[trial % N_KINDS];
        for (int i = 0; i < s.n; i++) {
            x[i] = draw(&seed) + (float)(trial % 5 - 2);
            w[i] = (float)(next(&seed) % 4);        // zeros among them
        }
        s.values = x;
        s.weights = w;
        fit_line line = fit_search(&s, codes);
        assert_true(line.cost
                    == fit_codes(&s, line.scale, line.minimum, again));
        assert_memory_equal(codes, again, (size_t)s.n);
        assert_true(s.minimum != FIT_BELOW_ZERO || line.minimum <= 0.0f);
        if (s.minimum == FIT_TIED)
            assert_true(line.minimum == -(float)s.zero * line.scale);
    }
}

// No number above zero: a minimum that may be anything would be below zero
// by itself, so one that has to be is no worse.
static void negative_numbers_waste_no_codes(void **unused)
{
    float x[32], w[32];
    uint8_t codes[32];
    uint32_t seed = 11;
    float free = 0, below = 0;
    (void)unused;
    for (int trial = 0; trial < 40; trial++) {
        fit_span s = kinds[0], t = kinds[1];
        for (int i = 0; i < 32; i++) {
            x[i] = -fabsf(draw(&seed)) - 0.5f;
            w[i] = 1.0f;
        }
        s.values = t.values = x;
        s.weights = t.weights = w;
        free += fit_search(&s, codes).cost;
        below += fit_search(&t, codes).cost;
    }
    assert_true(below <= 1.02f * free);
}

// Their squares are infinite: the line goes from end to end, and so do the
// codes.
static void too_large_to_be_squared(void **unused)
{
    float x[32], w[32];
    uint8_t codes[32], again[32];
    (void)unused;
    for (int k = 0; k < N_KINDS; k++) {
        fit_span s = kinds[k];
        for (int i = 0; i < 32; i++) {
            x[i] = 1e30f * (float)(i % 8 - 5);
            w[i] = 1.0f;
        }
        s.values = x;
        s.weights = w;
        fit_line line = fit_search(&s, codes);
        (void)fit_codes(&s, line.scale, line.minimum, again);
        assert_memory_equal(codes, again, (size_t)s.n);
        assert_int_equal(codes[0], 0);              // the lowest
        assert_true(codes[7] > s.top / 2);          // the highest
    }
}

static void weights_pull_the_line(void **unused)
{
    float x[32], w[32];
    uint8_t codes[32];
    float before = 0;
    (void)unused;
    for (int turn = 0; turn < 2; turn++) {
        fit_span s = kinds[0];
        for (int i = 0; i < 32; i++) {
            x[i] = sinf((float)(i * i));
            w[i] = 1.0f;
        }
        w[5] = turn ? 1000.0f : 1.0f;
        s.values = x;
        s.weights = w;
        fit_line line = fit_search(&s, codes);
        float error = fabsf(x[5] - (line.scale * codes[5] + line.minimum));
        assert_true(turn == 0 || error < 0.1f * before);
        before = error;
    }
}

static void odd_numbers(void **unused)
{
    static const float odd[] = {0.0f, -0.0f, 1e-30f, 1e-45f, 1.0f, -1.0f,
                                1e12f, -1e25f, 3e38f, -3e38f, NAN, INFINITY};
    float x[32], w[32];
    uint8_t codes[32];
    (void)unused;
    for (int k = 0; k < N_KINDS; k++)
        for (int a = 0; a < 12; a++)
            for (int b = 0; b < 12; b++) {
                fit_span s = kinds[k];
                for (int i = 0; i < 32; i++) {
                    x[i] = odd[i % 2 ? a : b];
                    w[i] = 1.0f;
                }
                s.values = x;
                s.weights = w;
                fit_line line = fit_search(&s, codes);
                for (int i = 0; i < s.n; i++)
                    assert_true(codes[i] <= s.top);
                if (a < 4 && b < 4)
                    assert_true(line.scale == 0.0f
                                && fabsf(line.minimum) < 1e-20f);
                // What no line can hold must not look as if it were held.
                if (a == 8 && b == 8)
                    assert_true(fabsf(line.scale) > 1e30f
                                || line.minimum > 1e30f);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_exact_lines),
        cmocka_unit_test(is_as_good_as_a_grid),
        cmocka_unit_test(codes_belong_to_the_line),
        cmocka_unit_test(negative_numbers_waste_no_codes),
        cmocka_unit_test(too_large_to_be_squared),
        cmocka_unit_test(weights_pull_the_line),
        cmocka_unit_test(odd_numbers),
    };
    return cmocka_run_group_tests_name("quant_fit", tests, NULL, NULL);
}
