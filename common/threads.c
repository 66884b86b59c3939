#include "common/threads.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/plan.h"

enum {
    CACHE_LINE = 64,
    PAGE = PLAN_PAGE_BYTES,         // the largest of the machines we run on
    STACK_BYTES = PLAN_STACK_BYTES, // of a thread; a job needs a tenth of it
    // Pauses of a wait before it falls asleep, each as long as the processor
    // has it: 6 microseconds all together on the one that we measured.
    SPINS = 500
};

// @begin threads-team
// `share` is what nobody has taken yet of a worker's pieces, the first and
// the one behind the last in one number, so that taking a piece is one step.
typedef struct {
    pthread_t thread;
    thread_team *team;
    int number;
    // On a line of its own: a write takes the whole line away from others.
    _Alignas(CACHE_LINE) _Atomic uint64_t share;
} worker;

// `n_jobs` counts the jobs that were there: when it rises there is work.
// `unfinished` pieces are not done yet. While anybody holds a piece it is not
// 0, so the job's description can not change under him; nobody reads it
// without holding a piece.
struct thread_team {
    thread_job job;
    void *context;
    int n_threads;
    _Alignas(CACHE_LINE) atomic_uint n_jobs;
    _Alignas(CACHE_LINE) atomic_int unfinished;
    _Alignas(CACHE_LINE) atomic_int sleepers;   // workers asleep
    atomic_bool caller_sleeps;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t work_came, work_done;
    worker workers[];           // [n_threads]; 0 is the caller, no thread
};
// @end threads-team

// @begin threads-pause
// Tell the processor that this is a waiting loop: it then leaves the memory
// system and the other hardware thread of the core alone.
static void spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}
// @end threads-pause

// @begin threads-take
static uint64_t share_of(uint32_t first, uint32_t end)
{
    return (uint64_t)end << 32 | first;
}

// A piece of a worker's share, or -1: the first for himself, and the last
// for a thief, so that the owner goes on in order.
static int take(worker *from, bool himself)
{
    uint64_t share = atomic_load(&from->share);
    for (;;) {
        uint32_t first = (uint32_t)share, end = (uint32_t)(share >> 32);
        if (first >= end)
            return -1;
        uint64_t rest = himself ? share_of(first + 1, end)
                                : share_of(first, end - 1);
        // On failure `share` becomes what another thread made of it.
        if (atomic_compare_exchange_weak(&from->share, &share, rest))
            return (int)(himself ? first : end - 1);
    }
}
// @end threads-take

// @begin threads-work
// Do the pieces of our own share, and then what others have left.
static void work(thread_team *team, int number)
{
    int done = 0;
    for (int i = 0; i < team->n_threads; i++) {
        worker *from = &team->workers[(number + i) % team->n_threads];
        for (int piece; (piece = take(from, i == 0)) >= 0; done++)
            team->job(team->context, piece, number);
    }
    if (done == 0)
        return;
    bool last = atomic_fetch_sub(&team->unfinished, done) == done;
    if (last && atomic_load(&team->caller_sleeps)) {
        pthread_mutex_lock(&team->lock);
        pthread_cond_signal(&team->work_done);
        pthread_mutex_unlock(&team->lock);
    }
}
// @end threads-work

// @begin threads-worker
static bool has_work(thread_team *team, unsigned n_seen)
{
    return atomic_load(&team->n_jobs) != n_seen
           || atomic_load(&team->stopping);
}

static void wait_for_work(thread_team *team, unsigned n_seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (has_work(team, n_seen))
            return;
        spin_pause();
    }
    pthread_mutex_lock(&team->lock);
    // First say that we sleep, then look again; the caller first shows the
    // work, then looks for sleepers. One of the two sees the other.
    atomic_fetch_add(&team->sleepers, 1);
    while (!has_work(team, n_seen))
        pthread_cond_wait(&team->work_came, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
}

static void *worker_main(void *argument)
{
    worker *self = argument;
    unsigned n_seen = 0;
    while (!atomic_load(&self->team->stopping)) {
        wait_for_work(self->team, n_seen);
        n_seen = atomic_load(&self->team->n_jobs);
        work(self->team, self->number);
    }
    return NULL;
}
// @end threads-worker

// @begin threads-wake
static void wake_sleepers(thread_team *team)
{
    if (atomic_load(&team->sleepers) == 0)
        return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->work_came);
    pthread_mutex_unlock(&team->lock);
}
// @end threads-wake

// @begin threads-share
// From here on they run. The shares are as equal as they can be.
static void share_out(thread_team *team, int n_pieces)
{
    int64_t n = n_pieces, n_threads = team->n_threads;
    atomic_store(&team->unfinished, n_pieces);
    for (int i = 0; i < team->n_threads; i++)
        atomic_store(&team->workers[i].share,
                     share_of((uint32_t)(n * i / n_threads),
                              (uint32_t)(n * (i + 1) / n_threads)));
    atomic_fetch_add(&team->n_jobs, 1);
}
// @end threads-share

// @begin threads-run
void threads_run(thread_team *team, thread_job job, void *context,
                 int n_pieces)
{
    // One piece is done before anybody has woken up.
    if (n_pieces == 1 || team->n_threads == 1) {
        for (int i = 0; i < n_pieces; i++)
            job(context, i, 0);
        return;
    }
    if (n_pieces <= 0)
        return;
    team->job = job;
    team->context = context;
    share_out(team, n_pieces);
    wake_sleepers(team);
    work(team, 0);

    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&team->unfinished) == 0)
            return;
        spin_pause();
    }
    pthread_mutex_lock(&team->lock);
    atomic_store(&team->caller_sleeps, true);
    while (atomic_load(&team->unfinished) > 0)
        pthread_cond_wait(&team->work_done, &team->lock);
    atomic_store(&team->caller_sleeps, false);
    pthread_mutex_unlock(&team->lock);
}
// @end threads-run

// @begin threads-memory
// The planner of chapter 2 knows no more of a team than these two.
static_assert(sizeof(thread_team) <= 4 * PLAN_THREAD_BYTES,
              "the planner's number for a team is too small");
static_assert(sizeof(worker) <= PLAN_THREAD_BYTES,
              "the planner's number for a thread is too small");

size_t threads_bytes(int n_threads)
{
    return plan_thread_team(n_threads);
}

// The first page behind the team and its workers; the planner's one page
// more is for what is skipped here.
static unsigned char *first_stack(thread_team *team, int n_threads)
{
    uintptr_t end = (uintptr_t)(team->workers + n_threads);
    return (unsigned char *)((end + PAGE - 1) / PAGE * PAGE);
}
// @end threads-memory

// @begin threads-start-worker
static int start_worker(worker *self, unsigned char *stack)
{
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);
    if (failed == 0) {
        failed = pthread_attr_setstack(&attributes, stack, STACK_BYTES);
        if (failed == 0)
            failed = pthread_create(&self->thread, &attributes, worker_main,
                                    self);
        pthread_attr_destroy(&attributes);
    }
    // Where our memory is refused, now or above, the system brings a stack.
    if (failed != 0)
        failed = pthread_create(&self->thread, NULL, worker_main, self);
    return failed;
}
// @end threads-start-worker

// @begin threads-start
lll_status threads_start(thread_team **team, int n_threads, void *memory,
                         lll_error *err)
{
    if (n_threads < 1 || n_threads > 1024)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "%d threads asked for, expected 1 to 1024",
                        n_threads);
    thread_team *made = memory;
    unsigned char *stacks = first_stack(made, n_threads);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->work_came, NULL);
    pthread_cond_init(&made->work_done, NULL);

    made->n_threads = 1;
    for (int i = 1; i < n_threads; i++) {
        made->workers[i].team = made;
        made->workers[i].number = i;
        if (start_worker(&made->workers[i],
                         stacks + (size_t)(i - 1) * STACK_BYTES) != 0) {
            threads_stop(made);
            return lll_fail(err, LLL_ERR_UNSUPPORTED,
                            "the system started %d of %d threads; ask for "
                            "fewer with -t", i, n_threads);
        }
        made->n_threads = i + 1;
    }
    *team = made;
    return LLL_OK;
}
// @end threads-start

// @begin threads-stop
void threads_stop(thread_team *team)
{
    if (team == NULL)
        return;
    pthread_mutex_lock(&team->lock);
    atomic_store(&team->stopping, true);
    pthread_cond_broadcast(&team->work_came);
    pthread_mutex_unlock(&team->lock);
    for (int i = 1; i < team->n_threads; i++)
        pthread_join(team->workers[i].thread, NULL);
    pthread_cond_destroy(&team->work_done);
    pthread_cond_destroy(&team->work_came);
    pthread_mutex_destroy(&team->lock);
}

int threads_count(const thread_team *team)
{
    return team->n_threads;
}
// @end threads-stop
