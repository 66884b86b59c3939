#include "common/peak.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/machine.h"
#include "common/threads.h"

// @begin peak-piece
enum { MAX_THREADS = 1024, LEAST_PASSES = 3, PIECES = 8 };

// What the threads share.
typedef struct {
    const kernels *table;
    bool floats;
    int rounds;             // of a piece
} work;

// The loops are behind a pointer, so no compiler leaves them out though
// nobody looks at the result: that it is right, a test says.
static void spin_piece(void *context, int piece, int worker)
{
    const work *w = context;
    uint32_t codes;
    float number;
    (void)piece, (void)worker;
    if (w->floats)
        (void)w->table->spin_f32(w->rounds, &number);
    else
        (void)w->table->spin_q8(w->rounds, &codes);
}
// @end peak-piece

// @begin peak-pass
// Seconds that n_pieces take, done by the team or, without one, by us.
static double pass_seconds(thread_team *team, work *w, int n_pieces)
{
    double begin = machine_seconds();
    if (team != NULL)
        threads_run(team, spin_piece, w, n_pieces);
    else
        for (int i = 0; i < n_pieces; i++)
            spin_piece(w, i, 0);
    return machine_seconds() - begin;
}

static double best_pass(thread_team *team, work w, int n_pieces,
                        double seconds)
{
    uint32_t codes;
    float number;
    // A piece is long enough when it takes half a millisecond: waking the
    // team, and reading the clock, are nothing beside it.
    for (w.rounds = 256; w.rounds < 1 << 24
                         && pass_seconds(NULL, &w, 1) < 0.5e-3; w.rounds *= 2)
        ;
    double each = w.floats ? w.table->spin_f32(w.rounds, &number)
                           : w.table->spin_q8(w.rounds, &codes);
    double start = machine_seconds(), best = 0;
    for (int pass = 0; pass < LEAST_PASSES
                       || machine_seconds() - start < seconds; pass++) {
        double rate = n_pieces * each / pass_seconds(team, &w, n_pieces);
        best = rate > best ? rate : best;
    }
    return best;
}
// @end peak-pass

// @begin peak-measure
lll_status peak_measure(const kernels *table, int n_threads, double seconds,
                        arithmetic_speed *speed, lll_error *err)
{
    if (n_threads < 1 || n_threads > MAX_THREADS
        || !(seconds >= 0 && seconds <= 60))
        return lll_fail(err, LLL_ERR_ARGUMENT, "multiplying with %d threads "
                        "for %g seconds: expected 1 to %d threads and at "
                        "most 60 seconds", n_threads, seconds,
                        (int)MAX_THREADS);
    arena memory = {0};
    thread_team *team;
    lll_status status = arena_init(&memory, threads_bytes(n_threads)
                                            + ARENA_ALIGNMENT, err);
    if (status == LLL_OK)
        status = threads_start(&team, n_threads, arena_take(&memory,
                               threads_bytes(n_threads)), err);
    if (status == LLL_OK) {
        // Threads beyond the cores would make a pass longer, not faster.
        int cores = machine_cores();
        int n = PIECES * (n_threads < cores ? n_threads : cores);
        work codes = {.table = table}, floats = {table, true, 0};
        *speed = (arithmetic_speed){
            best_pass(NULL, codes, PIECES, seconds),
            best_pass(team, codes, n, seconds),
            best_pass(NULL, floats, PIECES, seconds),
            best_pass(team, floats, n, seconds)
        };
        threads_stop(team);
    }
    arena_free(&memory);
    return status;
}
// @end peak-measure
