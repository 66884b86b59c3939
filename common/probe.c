#include "common/probe.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/machine.h"
#include "common/threads.h"

// @begin probe-block
size_t probe_block_bytes(uint64_t available, uint64_t caches)
{
    enum { USUAL = 1 << 29, LEAST = 1 << 20 };
    uint64_t block = caches > USUAL / 4 ? 4 * caches : USUAL;
    if (available > 0 && block > available / 4)
        block = available / 4;
    return block < LEAST || block < 2 * caches || block > SIZE_MAX / 2
           ? 0 : (size_t)block;
}
// @end probe-block

// @begin probe-fill
enum { PIECE_BYTES = 1 << 20, PIECE_WORDS = PIECE_BYTES / 8 };
enum { LINE_WORDS = 8, N_PLACES = 8, PLACE_WORDS = PIECE_WORDS / N_PLACES };
enum { MAX_THREADS = 1024, LEAST_PASSES = 3 };
// Each word holds its own number, and the first of each line is read: the sum
// tells a piece read whole from a part of it read twice.
enum { PIECE_LINES = PIECE_WORDS / LINE_WORDS };
static const uint64_t PIECE_SUM = (uint64_t)PIECE_LINES * (PIECE_LINES - 1)
                                  / 2 * LINE_WORDS;

// What the threads share: the block, and for each piece what it added up to.
typedef struct {
    uint64_t *words;
    uint64_t *sums;
    bool in_order;
} block;

static void fill_piece(void *context, int piece, int worker)
{
    const block *b = context;
    uint64_t *words = b->words + (size_t)piece * PIECE_WORDS;
    (void)worker;
    for (size_t i = 0; i < PIECE_WORDS; i++)
        words[i] = i;
}
// @end probe-fill

// @begin probe-read
static void read_piece(void *context, int piece, int worker)
{
    const block *b = context;
    const uint64_t *words = b->words + (size_t)piece * PIECE_WORDS;
    uint64_t sums[N_PLACES] = {0}, sum = 0;
    // In order, the eight places are eight lines in a row.
    size_t apart = b->in_order ? LINE_WORDS : PLACE_WORDS;
    size_t step = b->in_order ? N_PLACES * LINE_WORDS : LINE_WORDS;
    (void)worker;
    // Memory hands out lines of 64 bytes, whether one word of them is wanted
    // or all. With one word a line, and several places at once, each with a
    // sum of its own, the core has most lines on their way at a time.
    for (size_t i = 0; i < PLACE_WORDS / LINE_WORDS; i++)
        for (size_t j = 0; j < N_PLACES; j++)
            sums[j] += words[j * apart + i * step];
    for (int j = 0; j < N_PLACES; j++)
        sum += sums[j];
    b->sums[piece] = sum;
}
// @end probe-read

// @begin probe-best
// Bytes a second of the best pass; 0 when a sum was not what it must be,
// which also keeps the compiler from leaving the reading out.
static double best_pass(thread_team *team, block *b, int n_pieces,
                        double seconds)
{
    double start = machine_seconds(), best = 0;
    for (int pass = 0; pass < LEAST_PASSES
                       || machine_seconds() - start < seconds; pass++) {
        double begin = machine_seconds();
        if (team != NULL)
            threads_run(team, read_piece, b, n_pieces);
        else
            for (int i = 0; i < n_pieces; i++)
                read_piece(b, i, 0);
        double rate = (double)n_pieces * PIECE_BYTES
                      / (machine_seconds() - begin);
        best = rate > best ? rate : best;
        for (int i = 0; i < n_pieces; i++)
            if (b->sums[i] != PIECE_SUM)
                return 0;
    }
    return best;
}
// @end probe-best

// @begin probe-memory
static lll_status measure(arena *memory, int n_pieces, int n_threads,
                          double seconds, memory_speed *speed,
                          lll_error *err)
{
    thread_team *team;
    size_t n_bytes = (size_t)n_pieces * PIECE_BYTES;
    block b = {arena_take(memory, n_bytes),
               arena_take(memory, (size_t)n_pieces * sizeof(uint64_t)),
               false};
    lll_status status = threads_start(&team, n_threads, arena_take(memory,
                                      threads_bytes(n_threads)), err);
    if (status != LLL_OK)
        return status;
    // Memory that was never written is one page of zeros, seen everywhere,
    // and reading it measures a cache.
    threads_run(team, fill_piece, &b, n_pieces);
    memory_speed s = {.n_bytes = n_bytes};
    s.one_core = best_pass(NULL, &b, n_pieces, seconds);
    s.all_cores = best_pass(team, &b, n_pieces, seconds);
    b.in_order = true;
    s.in_order = best_pass(team, &b, n_pieces, seconds);
    threads_stop(team);
    if (s.one_core <= 0 || s.all_cores <= 0 || s.in_order <= 0)
        return lll_fail(err, LLL_ERR_IO, "reading %zu bytes of memory: "
                        "found another sum than of what was written, "
                        "expected %" PRIu64 " in each mebibyte; is this "
                        "machine's memory sound?", n_bytes, PIECE_SUM);
    *speed = s;
    return LLL_OK;
}
// @end probe-memory

// @begin probe-check
lll_status probe_memory(size_t n_bytes, int n_threads, double seconds,
                        memory_speed *speed, lll_error *err)
{
    arena memory;
    if (n_bytes < PIECE_BYTES || n_bytes / PIECE_BYTES > INT32_MAX / 2
        || n_threads < 1 || n_threads > MAX_THREADS
        || !(seconds >= 0 && seconds <= 60))
        return lll_fail(err, LLL_ERR_ARGUMENT, "reading %zu bytes with %d "
                        "threads for %g seconds: expected at least %d bytes,"
                        " 1 to %d threads and at most 60 seconds", n_bytes,
                        n_threads, seconds, (int)PIECE_BYTES,
                        (int)MAX_THREADS);
    int n_pieces = (int)(n_bytes / PIECE_BYTES);
    // INT32_MAX pieces of a mebibyte are 2^51 bytes: no sum here overflows
    // where size_t has 64 bits, and where it has fewer n_bytes is smaller.
    size_t together = (size_t)n_pieces * (PIECE_BYTES + sizeof(uint64_t))
                      + threads_bytes(n_threads) + 3 * ARENA_ALIGNMENT;
    lll_status status = arena_init(&memory, together, err);
    if (status == LLL_OK)
        status = measure(&memory, n_pieces, n_threads, seconds, speed, err);
    arena_free(&memory);
    return status;
}
// @end probe-check
