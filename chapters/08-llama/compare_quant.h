#ifndef CHAPTERS_08_COMPARE_QUANT_H
#define CHAPTERS_08_COMPARE_QUANT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "chapters/08-llama/options.h"
#include "common/error.h"

// @begin compare-quant-row
enum { QUANT_FILES = 64 };      // that are compared at once, at most

// What a file is worth beside the first.
typedef struct {
    const char *path;
    double bytes, bits;         // of its weights, and for each of them
    double error;               // of the weights, relative to the first's
    double perplexity;
    double divergence;          // from the first, mean for a token, in nats
    double same;                // share of equal most likely tokens
    double prefill, decode;     // seconds a token, medians
} quant_row;

typedef struct {
    const char *text;           // a file
    uint64_t n_scored;
    int n_ctx;
    const volatile sig_atomic_t *stop;  // somebody has had enough
    int n_rows;
    quant_row *rows;            // [QUANT_FILES]
} quant_table;
// @end compare-quant-row

// @begin compare-quant-api
// The table as text of 80 columns, or as JSON.
lll_status quant_table_print(const quant_table *table, const settings *set,
                             lll_error *err);
// @end compare-quant-api

#endif
