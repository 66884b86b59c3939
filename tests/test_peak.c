// What the loops of every table come to, what the measurement refuses, and
// that what it says can be true.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/machine.h"
#include "common/peak.h"
#include "tests/tables.h"

static void every_table_multiplies(void **state)
{
    const kernels *table[MOST_TABLES];
    int n = tables(table);
    (void)state;
    assert_true(n >= 1);
    for (int i = 0; i < n; i++)
        for (int rounds = 0; rounds < 3000; rounds += 1 + rounds / 3) {
            uint32_t codes;
            float number;
            double least = rounds * 12.0;
            assert_true(table[i]->spin_q8(rounds, &codes) >= 4 * least);
            assert_true(table[i]->spin_f32(rounds, &number) >= least);
            // Twelve sums of four products in a round.
            assert_int_equal(codes, rounds * 12 * 4 * (5 * 3));
            // From 0 to 11, which are 54 more than twelve ones, each halved.
            double far = 54.0 * pow(0.5, rounds);
            assert_true(fabs((double)number - 12.0 - far) < 1e-5);
        }
}

static void it_measures_all_four(void **state)
{
    const kernels *table[MOST_TABLES];
    int n = tables(table);
    (void)state;
    for (int i = 0; i < n; i++) {
        arithmetic_speed s;
        double start = machine_seconds();
        assert_int_equal(peak_measure(table[i], 2, 0.02, &s, NULL), LLL_OK);
        assert_true(machine_seconds() - start < 30);
        // From a multiply-add in a hundred nanoseconds to more than any core
        // does; two threads are no slower than a quarter of one.
        const double rates[] = {s.q8_one_core, s.q8_all_cores,
                                s.f32_one_core, s.f32_all_cores};
        for (int k = 0; k < 4; k++)
            assert_true(rates[k] > 1e7 && rates[k] < 1e14);
        assert_true(s.q8_all_cores > s.q8_one_core / 4);
        assert_true(s.f32_all_cores > s.f32_one_core / 4);
    }
}

static void what_it_refuses(void **state)
{
    arithmetic_speed s = {3, 3, 3, 3};
    lll_error err;
    const struct { int n_threads; double seconds; } bad[] = {
        {0, 0}, {1025, 0}, {-1, 0}, {1, -1}, {1, 61}, {1, NAN}
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(peak_measure(&kernels_scalar, bad[i].n_threads,
                                      bad[i].seconds, &s, &err),
                         LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "expected 1 to 1024 threads"));
    }
    assert_true(s.q8_one_core == 3 && s.f32_all_cores == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_multiplies),
        cmocka_unit_test(it_measures_all_four),
        cmocka_unit_test(what_it_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
