#ifndef TESTS_GENERATING_H
#define TESTS_GENERATING_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/generate.h"
#include "common/session.h"

// What the tests of generating share: the tiny model, and what comes out.

enum { MOST_TEXT = 1 << 14, N_CTX = 160, VOCAB = 512 };

// What came through on_text, and how.
typedef struct {
    char text[MOST_TEXT];
    size_t n_bytes;
    int n_calls;
    volatile sig_atomic_t interrupted;
    int interrupt_at;                   // this call sets it; 0: none
} collector;

// Open the tiny model with a context of N_CTX.
void start_with(session *s, int n_batch, int n_threads);
void start_sequences(session *s, int n_sequences, const char *cache_type);

// Settings that take the most likely token and collect the text.
generate_options greedy(collector *c, int max_tokens);

// Encode a prompt and generate, which must succeed.
generate_report run(session *s, const char *prompt,
                    const generate_options *o, collector *c);

void empty_cache(session *s);

#endif
