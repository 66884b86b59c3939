// What the system says of itself has to make sense, and to follow what we do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/machine.h"

static const uint64_t MIB = 1 << 20;

static void there_are_cores(void **state)
{
    (void)state;
    assert_in_range(machine_cores(), 1, 1 << 16);
}

static void memory_makes_sense(void **state)
{
    (void)state;
    machine_memory memory = machine_read_memory();
    assert_true(memory.available <= memory.total);
#if defined(__linux__) || defined(__APPLE__)
    // Whoever runs this has it, and no machine has a pebibyte.
    assert_true(memory.total > 64 * MIB && memory.total >> 50 == 0);
    assert_true(memory.available > 0);
#endif
}

static void the_peak_rises_and_never_falls(void **state)
{
    (void)state;
    uint64_t before = machine_peak_bytes();
    size_t n = (size_t)(before + 32 * MIB);
    char *block = malloc(n);
    assert_non_null(block);
    memset(block, 1, n);
    assert_true(block[n / 2] == 1);
    uint64_t with = machine_peak_bytes();
    free(block);
    assert_true(machine_peak_bytes() >= with);
#if defined(__linux__) || defined(__APPLE__)
    assert_true(before > 0 && with >= before + 16 * MIB);
#endif
}

static void the_clock_counts_seconds(void **state)
{
    (void)state;
    double start = machine_seconds(), last = start;
    for (int i = 0; i < 10000; i++) {
        double now = machine_seconds();
        assert_true(now >= last);
        last = now;
    }
    start = machine_seconds();
    struct timespec pause = {0, 50 * 1000 * 1000};
    nanosleep(&pause, NULL);
    double passed = machine_seconds() - start;
    assert_true(passed > 0.049 && passed < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_cores),
        cmocka_unit_test(memory_makes_sense),
        cmocka_unit_test(the_peak_rises_and_never_falls),
        cmocka_unit_test(the_clock_counts_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
