#ifndef CHAPTERS_08_IN_ORDER_H
#define CHAPTERS_08_IN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/generate.h"
#include "common/json_out.h"

// @begin in-order-types
// Answers that are written at the same time, and shown one after another in
// the order in which they began. The first is shown as it comes; others wait
// in memory that is part of the program.
enum { MOST_WAITING = 128, WAITING_BYTES = 4096 };

typedef struct in_order in_order;

typedef struct {
    in_order *list;
    size_t line;                // of the file, counted from 1
    bool done;
    lll_status status;
    finish_reason reason;
    int prompt_tokens, completion_tokens;
    char text[WAITING_BYTES];   // not shown yet
    size_t n_bytes;
    char sentence[512];         // what was wrong
} waiting;

struct in_order {
    const char *path;           // of the file, for sentences
    bool as_json;
    uint64_t seed;
    bool begun;                 // the first one is being shown
    json_out json;
    size_t first, n;            // answers[(first + i) % MOST_WAITING]
    size_t n_failed;
    waiting answers[MOST_WAITING];
};
// @end in-order-types

// @begin in-order-api
// The next answer, for a line of the file; NULL: too many wait already.
waiting *in_order_add(in_order *list, size_t line);

// Text of an answer: an on_text() whose context is the answer. It must not be
// called for one that has_no_room().
void in_order_text(void *answer, const char *text, size_t n);

// Could n more bytes be too many? Never of the one that is shown.
bool has_no_room(const waiting *answer, size_t n);

// An answer has ended, well or with an error.
void in_order_end(waiting *answer, const generate_report *report,
                  lll_status status, const lll_error *err);
// @end in-order-api

#endif
