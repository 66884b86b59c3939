// Work that can be ended: which signals are held back, which are left alone,
// and what is there afterwards.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/progress.h"

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static volatile sig_atomic_t seen;

static void note(int number)
{
    seen = number;
}

static void each_ends_the_work(void **unused)
{
    FILE *out = tmpfile();
    progress p;
    (void)unused;
    assert_non_null(out);
    for (int i = 0; i < 3; i++) {
        struct sigaction action = {.sa_handler = note}, old, after;
        sigaction(numbers[i], &action, &old);
        seen = 0;
        progress_begin(&p, out, "working");
        assert_true(progress_show(&p, 0.0));
        assert_true(progress_show(&p, 0.5));
        raise(numbers[i]);
        assert_false(progress_show(&p, 0.5));
        assert_false(progress_show(&p, 1.0));       // it is not forgotten
        progress_end(&p);
        assert_int_equal(seen, 0);                  // nor told twice
        raise(numbers[i]);
        assert_int_equal(seen, numbers[i]);         // as it was before
        sigaction(numbers[i], &old, &after);
        assert_ptr_equal(after.sa_handler, note);
    }
    assert_int_equal(ftell(out), 0);                // a file is no terminal
    fclose(out);
}

static void what_is_ignored_or_blocked_is_left_alone(void **unused)
{
    progress p;
    sigset_t term, before, after;
    (void)unused;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    for (int i = 0; i < 3; i++) {
        struct sigaction action = {.sa_handler = SIG_IGN}, old;
        sigaction(numbers[i], &action, &old);
        progress_begin(&p, stderr, "working");
        raise(numbers[i]);
        assert_true(progress_show(&p, 0.5));
        progress_end(&p);
        sigaction(numbers[i], &old, NULL);
    }
    struct sigaction action = {.sa_handler = note}, old;
    sigaction(SIGTERM, &action, &old);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    seen = 0;
    raise(SIGTERM);
    progress_begin(&p, stderr, "working");
    assert_true(progress_show(&p, 0.5));
    progress_end(&p);
    pthread_sigmask(SIG_SETMASK, &before, &after);
    assert_int_equal(sigismember(&after, SIGTERM), 1);
    assert_int_equal(seen, SIGTERM);                // whoever blocked it
    sigaction(SIGTERM, &old, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_ends_the_work),
        cmocka_unit_test(what_is_ignored_or_blocked_is_left_alone),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
