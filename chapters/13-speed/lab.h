#ifndef CHAPTERS_13_LAB_H
#define CHAPTERS_13_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/dtype.h"
#include "common/error.h"
#include "common/json_out.h"
#include "common/kernels.h"
#include "common/threads.h"

// @begin lab-request
// What was asked for on the command line.
typedef struct {
    const char *isa, *type_name;
    int64_t n_threads, rows, columns, tokens, positions;
    double seconds;             // for each version
    bool json, best;            // best: the last version alone, unchecked
} request;
// @end lab-request

// @begin lab-limits
// What this machine allows, as chapter 2 and peak.h measure it.
typedef struct {
    double memory;              // bytes a second that are read at most, by
                                // one thread or by all
    double q8, f32;             // and multiply-adds a second that are done
} limits;
// @end lab-limits

// @begin lab-type
// A bench on which versions of one kernel are measured.
typedef struct {
    const request *asked;
    const kernels *table;       // of the instruction set asked for
    int n_threads;
    thread_team *alone, *team;  // one thread, and all of them
    arena memory;               // of both
    limits limits;
    json_out *json;             // NULL: a table for people
} lab;

// One version: what it is called, and what it does beyond the first one.
typedef struct {
    const char *name;
    bool engine;                // its products, else the plain loop
    bool vectors;               // of the instruction set, else plain C
    bool together;              // all rows at once, else one after another
    bool threads;               // all, else one
} version;

// What a version computes from the same numbers as the first did.
typedef struct {
    void *context;
    void (*run)(void *context, const version *v);
    float *out;                 // [n_out]; the first version's stays in
    float *first;               // [n_out]
    int n_out;
    double bytes;               // that have to be read
    double multiply_adds;
    double peak;                // multiply-adds a second at most
    double allowed;             // how far from the first, see lab_versions()
} experiment;
// @end lab-type

// @begin lab-api
lll_status lab_open(lab *l, const request *asked, lll_error *err);
void lab_close(lab *l);         // accepts a zeroed struct

// One block of memory, and n parts of it: at[i] has bytes[i].
lll_status lab_take(arena *memory, const size_t *bytes, void **at, int n,
                    lll_error *err);

// Run and show the versions, each checked against the first.
// LLL_ERR_IO   one is further from it than e->allowed: root mean square of
//              the difference over that of the first
lll_status lab_versions(lab *l, const version *versions, int n,
                        const experiment *e, lll_error *err);

// A number from -1 to 1: the same ones in each run, from the same *state.
float lab_number(uint32_t *state);

// The limits alone; the versions of a matmul, and of attention.
lll_status lab_show_limits(lab *l, lll_error *err);
lll_status lab_matmul(lab *l, lll_error *err);
lll_status lab_attention(lab *l, lll_error *err);
// @end lab-api

#endif
