#ifndef TESTS_CROSS_CMOCKA_H
#define TESTS_CROSS_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the tests of kernels use of cmocka, for machines that are emulated,
// whose cmocka is not installed here: the first test that fails ends all.

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define fail_msg(...) \
    (printf(__VA_ARGS__), printf(" (%s:%d)\n", __FILE__, __LINE__), exit(1))
#define assert_true(c) ((c) ? (void)0 : fail_msg("%s", #c))
#define assert_false(c) assert_true(!(c))
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_int_equal(a, b) assert_true((long long)(a) == (long long)(b))
#define assert_memory_equal(a, b, n) assert_true(memcmp(a, b, n) == 0)

#define print_message printf
#define cmocka_unit_test(function) {#function, function}
#define cmocka_run_group_tests(tests, before, after) \
    ((void)(before), (void)(after), \
     run_tests(tests, sizeof (tests) / sizeof (tests)[0]))

static inline int run_tests(const struct CMUnitTest *tests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tests[i].run(NULL);
        printf("ok %zu - %s\n", i + 1, tests[i].name);
        fflush(stdout);
    }
    return 0;
}

#endif
