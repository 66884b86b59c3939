// The team: every piece once, whatever the number of threads, again and
// again; also with more threads than processors, and after they fell asleep.

#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/threads.h"

enum { MAX_PIECES = 257 };

typedef struct {
    int n_workers;
    atomic_int done[MAX_PIECES];
    atomic_int busy[32];        // is a worker's number in use right now?
    atomic_int clashes;
} tally;

static void count_piece(void *context, int piece, int worker)
{
    tally *t = context;
    if (worker < 0 || worker >= t->n_workers
        || atomic_fetch_add(&t->busy[worker], 1) != 0)
        atomic_fetch_add(&t->clashes, 1);
    atomic_fetch_add(&t->done[piece], 1);
    atomic_fetch_sub(&t->busy[worker], 1);
}

static void *team_memory(int n_threads)
{
    size_t n = (threads_bytes(n_threads) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, n);
    assert_non_null(memory);
    memset(memory, 0, n);
    return memory;
}

static void run_once(thread_team *team, int n_pieces)
{
    static tally t;
    memset(&t, 0, sizeof t);
    t.n_workers = threads_count(team);
    threads_run(team, count_piece, &t, n_pieces);
    assert_int_equal(atomic_load(&t.clashes), 0);
    for (int i = 0; i < MAX_PIECES; i++)
        assert_int_equal(atomic_load(&t.done[i]), i < n_pieces);
}

static void every_piece_once(void **unused)
{
    (void)unused;
    for (int n_threads = 1; n_threads <= 17; n_threads++) {
        lll_error err;
        thread_team *team;
        void *memory = team_memory(n_threads);
        assert_int_equal(threads_start(&team, n_threads, memory, &err),
                         LLL_OK);
        assert_int_equal(threads_count(team), n_threads);
        for (int run = 0; run < 300; run++)
            run_once(team, run % (MAX_PIECES + 1));
        threads_stop(team);
        free(memory);
    }
}

static void after_a_sleep(void **unused)
{
    lll_error err;
    thread_team *team;
    void *memory = team_memory(4);
    (void)unused;
    assert_int_equal(threads_start(&team, 4, memory, &err), LLL_OK);
    for (int i = 0; i < 20; i++) {
        struct timespec pause = {0, 2000000};   // longer than any spin
        nanosleep(&pause, NULL);
        run_once(team, 9);
    }
    threads_stop(team);
    free(memory);
}

static void slow_piece(void *context, int piece, int worker)
{
    struct timespec pause = {0, 3000000};
    (void)worker;
    if (piece == 1)
        nanosleep(&pause, NULL);
    atomic_fetch_add((atomic_int *)context, 1);
}

// The caller waits for a piece that somebody else holds, asleep itself.
static void waits_for_the_slowest(void **unused)
{
    lll_error err;
    thread_team *team;
    void *memory = team_memory(3);
    (void)unused;
    assert_int_equal(threads_start(&team, 3, memory, &err), LLL_OK);
    for (int i = 0; i < 20; i++) {
        atomic_int done = 0;
        threads_run(team, slow_piece, &done, 5);
        assert_int_equal(atomic_load(&done), 5);
    }
    threads_stop(team);
    free(memory);
}

// The order that matmul.c counts on: a worker goes through his share from its
// first piece on, then takes the last ones of others. Worker 1 is slow, so
// that there is something to take.
enum { ORDERED = 60, TEAM = 3, SHARE = ORDERED / TEAM };
typedef struct {
    int n_done[TEAM], done[TEAM][ORDERED];
} record;

static void record_piece(void *context, int piece, int worker)
{
    record *r = context;
    struct timespec pause = {0, worker == 1 ? 300000 : 0};
    nanosleep(&pause, NULL);
    r->done[worker][r->n_done[worker]++] = piece;
}

static int check_order(const record *r, int worker)
{
    int own = SHARE * worker, i = 0, last[TEAM] = {ORDERED, ORDERED, ORDERED};
    for (; i < r->n_done[worker] && r->done[worker][i] / SHARE == worker; i++)
        assert_int_equal(r->done[worker][i], own + i);
    int n_own = i;
    for (; i < r->n_done[worker]; i++) {
        int piece = r->done[worker][i], from = piece / SHARE;
        assert_int_not_equal(from, worker);
        assert_true(piece < last[from]);
        last[from] = piece;
    }
    return i - n_own;
}

static void in_order(void **unused)
{
    lll_error err;
    thread_team *team;
    void *memory = team_memory(TEAM);
    int n_taken = 0;
    (void)unused;
    assert_int_equal(threads_start(&team, TEAM, memory, &err), LLL_OK);
    for (int i = 0; i < 20; i++) {
        record r = {0};
        threads_run(team, record_piece, &r, ORDERED);
        for (int w = 0; w < TEAM; w++)
            n_taken += check_order(&r, w);
    }
    assert_true(n_taken > 0);
    threads_stop(team);
    free(memory);
}

static void stop_without_work(void **unused)
{
    lll_error err;
    (void)unused;
    threads_stop(NULL);
    for (int i = 0; i < 50; i++) {
        thread_team *team;
        void *memory = team_memory(5);
        assert_int_equal(threads_start(&team, 5, memory, &err), LLL_OK);
        threads_stop(team);
        free(memory);
    }
}

static void refuses_no_threads(void **unused)
{
    lll_error err;
    thread_team *team = NULL;
    (void)unused;
    assert_int_equal(threads_start(&team, 0, NULL, &err), LLL_ERR_ARGUMENT);
    assert_int_equal(threads_start(&team, 1025, NULL, &err),
                     LLL_ERR_ARGUMENT);
    assert_null(team);
}

// The module once more, on a system that refuses a stack of ours.
static int n_refused;
static int create_refusing(pthread_t *thread, const pthread_attr_t *a,
                           void *(*start)(void *), void *argument)
{
    if (a != NULL) {
        n_refused++;
        return EINVAL;
    }
    return pthread_create(thread, NULL, start, argument);
}
#define pthread_create create_refusing
#define threads_bytes refused_bytes
#define threads_start refused_start
#define threads_run refused_run
#define threads_stop refused_stop
#define threads_count refused_count
void refused_stop(thread_team *team);      // used before it is defined
#include "common/threads.c"

static void refused_piece(void *context, int piece, int number)
{
    (void)piece, (void)number;
    atomic_fetch_add((atomic_int *)context, 1);
}

static void refused_stacks(void **unused)
{
    lll_error err;
    thread_team *team;
    atomic_int done = 0;
    void *memory = team_memory(4);
    (void)unused;
    assert_int_equal(refused_start(&team, 4, memory, &err), LLL_OK);
    assert_int_equal(n_refused, 3);
    assert_int_equal(refused_count(team), 4);
    refused_run(team, refused_piece, &done, 50);
    assert_int_equal(atomic_load(&done), 50);
    refused_stop(team);
    assert_true(refused_bytes(4) == plan_thread_team(4));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_once),
        cmocka_unit_test(after_a_sleep),
        cmocka_unit_test(waits_for_the_slowest),
        cmocka_unit_test(in_order),
        cmocka_unit_test(stop_without_work),
        cmocka_unit_test(refuses_no_threads),
        cmocka_unit_test(refused_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
