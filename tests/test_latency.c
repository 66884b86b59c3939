// Percentiles out of buckets, against those of the sorted times.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/latency.h"

static latency l;

static int in_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void one_time(void **state)
{
    static const double times[] = {1e-6, 2e-6, 0.00123, 0.5, 1, 4000};
    (void)state;
    for (int i = 0; i < 6; i++) {
        memset(&l, 0, sizeof l);
        assert_true(latency_percentile(&l, 0.5) == 0);
        latency_add(&l, times[i]);
        for (double share = 0; share <= 1; share += 0.25) {
            double got = latency_percentile(&l, share);
            assert_true(got >= times[i] * (1 - 1e-12));
            assert_true(got <= times[i] * (1 + 1.0 / LATENCY_STEPS));
        }
    }
}

static void times_beyond_the_buckets(void **state)
{
    (void)state;
    memset(&l, 0, sizeof l);
    latency_add(&l, 0);
    latency_add(&l, -1);
    latency_add(&l, 1e-9);
    assert_true(latency_percentile(&l, 1) < 1.1e-6);
    latency_add(&l, 1e300);
    assert_true(latency_percentile(&l, 0.75) < 1.1e-6);
    assert_true(latency_percentile(&l, 1) > 4000);
    assert_int_equal(l.n, 4);
}

static void many_times(void **state)
{
    enum { N = 1000 };
    static double times[N];
    static const double shares[] = {0.01, 0.5, 0.95, 0.99, 1};
    uint32_t random = 1;
    (void)state;
    memset(&l, 0, sizeof l);
    for (int i = 0; i < N; i++) {
        random = random * 1664525u + 1013904223u;
        times[i] = 1e-5 * exp(random / 4294967296.0 * 12);
        latency_add(&l, times[i]);
    }
    qsort(times, N, sizeof *times, in_order);
    for (int i = 0; i < 5; i++) {
        double want = times[(int)ceil(shares[i] * N) - 1];
        double got = latency_percentile(&l, shares[i]);
        assert_true(got >= want * (1 - 1e-12));
        assert_true(got <= want * (1 + 1.0 / LATENCY_STEPS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_time),
        cmocka_unit_test(times_beyond_the_buckets),
        cmocka_unit_test(many_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
