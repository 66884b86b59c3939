// What the probe refuses, and that what it says can be true.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/machine.h"
#include "common/probe.h"

enum { MIB = 1 << 20 };

// Bytes a second, the best of five times 64 MiB.
static double plain_reading(void)
{
    size_t n = 64 * (size_t)MIB / sizeof(uint64_t);
    uint64_t *words = malloc(n * sizeof *words);
    double best = 0;
    assert_non_null(words);
    for (size_t i = 0; i < n; i++)
        words[i] = i;
    for (int pass = 0; pass < 5; pass++) {
        double start = machine_seconds();
        uint64_t sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += words[i];
        assert_true(sum == (uint64_t)n * (n - 1) / 2);
        double rate = 64.0 * MIB / (machine_seconds() - start);
        best = rate > best ? rate : best;
    }
    free(words);
    return best;
}

static void it_measures_both(void **state)
{
    (void)state;
    memory_speed speed;
    lll_error err;
    double start = machine_seconds();
    assert_int_equal(probe_memory(64 * (size_t)MIB + 5, 2, 0.05, &speed,
                                  &err), LLL_OK);
    double passed = machine_seconds() - start;
    assert_true(speed.n_bytes == 64 * (size_t)MIB);
    assert_true(passed < 30);
    // The same in an order of magnitude as a loop that anybody would write,
    // compiled in whatever way this test is.
    double once = plain_reading();
    assert_true(speed.one_core > once / 8 && speed.one_core < once * 40);
    assert_true(speed.all_cores > once / 8 && speed.all_cores < once * 80);
    assert_true(speed.in_order > once / 8 && speed.in_order < once * 80);
}

static void one_mebibyte_and_one_thread(void **state)
{
    (void)state;
    memory_speed speed;
    lll_error err;
    assert_int_equal(probe_memory(MIB, 1, 0, &speed, &err), LLL_OK);
    assert_true(speed.n_bytes == MIB && isfinite(speed.one_core));
}

static void what_it_refuses(void **state)
{
    (void)state;
    memory_speed speed = {.n_bytes = 3};
    lll_error err;
    const struct { size_t n_bytes; int n_threads; double seconds; } bad[] = {
        {0, 1, 0}, {MIB - 1, 1, 0}, {SIZE_MAX, 1, 0}, {MIB, 0, 0},
        {MIB, 1025, 0}, {MIB, -1, 0}, {MIB, 1, -1}, {MIB, 1, NAN},
        {MIB, 1, 61},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(probe_memory(bad[i].n_bytes, bad[i].n_threads,
                                      bad[i].seconds, &speed, &err),
                         LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "expected at least 1048576 bytes"));
    }
    // A block that no machine has.
    assert_int_equal(probe_memory((size_t)1 << 49, 1, 0, &speed, &err),
                     LLL_ERR_MEMORY);
    assert_non_null(strstr(err.text, "TiB"));
    assert_true(speed.n_bytes == 3);
}

static void a_block_is_larger_than_caches(void **state)
{
    (void)state;
    const uint64_t m = MIB;
    const struct { uint64_t available, caches, expected; } cases[] = {
        {0, 0, 512 * m}, {16384 * m, 48 * m, 512 * m},
        {0, 300 * m, 1200 * m}, {65536 * m, 1152 * m, 4608 * m},
        {1600 * m, 48 * m, 400 * m}, {384 * m, 48 * m, 96 * m},
        {383 * m, 48 * m, 0}, {9216 * m, 1152 * m, 2304 * m},
        {9215 * m, 1152 * m, 0}, {64 * m, 0, 16 * m}, {3 * m, 0, 0},
        {1, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(probe_block_bytes(cases[i].available, cases[i].caches)
                    == cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_larger_than_caches),
        cmocka_unit_test(it_measures_both),
        cmocka_unit_test(one_mebibyte_and_one_thread),
        cmocka_unit_test(what_it_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
