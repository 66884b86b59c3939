#ifndef COMMON_THREADS_H
#define COMMON_THREADS_H

#include <stddef.h>

#include "common/error.h"

// A team of threads that does the same small job again and again. The only
// module that calls POSIX threads. Taught in chapter 7.
//
// Work is cut into numbered pieces. Each thread has a share of them, piece
// after piece in rising order, so that it reads its part of memory in order;
// who has done his own takes pieces from the end of the others' shares. So a
// thread that the system has put to sleep delays only the piece in its hands.

typedef struct thread_team thread_team;

// One piece of the job: `context` is the caller's, `piece` is 0..n_pieces-1,
// `worker` is 0..n_threads-1 and is the same for pieces done one after
// another by one thread (use it to pick a scratch buffer).
typedef void (*thread_job)(void *context, int piece, int worker);

// Start n_threads - 1 threads (the caller is worker 0), n_threads 1..1024.
//
// memory   threads_bytes(n_threads) bytes, aligned to 64 and zeroed, that
//          stay valid until threads_stop(): the team and its stacks live in
//          them
// LLL_ERR_UNSUPPORTED   the system does not start that many threads
lll_status threads_start(thread_team **team, int n_threads, void *memory,
                         lll_error *err);
size_t threads_bytes(int n_threads);
// Ends the threads and waits for them. NULL is accepted.
void threads_stop(thread_team *team);
int threads_count(const thread_team *team);

// Do the pieces 0..n_pieces-1, each once, and return when all are done. Of
// n threads, the share of number i begins with piece n_pieces * i / n. One
// caller at a time. Allocates nothing. Waiting spins briefly, then sleeps.
void threads_run(thread_team *team, thread_job job, void *context,
                 int n_pieces);

#endif
