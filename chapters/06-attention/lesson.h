#ifndef CHAPTER_06_LESSON_H
#define CHAPTER_06_LESSON_H

#include <stdbool.h>
#include <stdio.h>

#include "common/arena.h"
#include "common/json_out.h"
#include "common/kv_cache.h"
#include "common/trace.h"

// The parts of chapter 6's program.

// @begin lesson
// One layer of a trace, and what attention makes of it.
typedef struct {
    trace recorded;
    trace_rows q, k, v;         // q and k already turned by RoPE
    arena memory;
    kv_cache cache;             // of this one layer
    float *q_scaled;            // [n_heads * head_dim]
    float *room;                // attend_room() numbers
    float *out;                 // [n_heads * head_dim]
    float *plain;               // [n_heads * head_dim]
    float *row;                 // [n_tokens]
    float *weights;             // [n_tokens, n_tokens] of the shown head
    float *token_weights;       // [n_heads, n_tokens] of the shown token
    int layer, head, token;
} lesson;
// @end lesson

// sentence.c: walk through the sentence as a model would, a token at a time.
// Every result is computed twice, through the cache and from the weights
// that the pictures show; *worst is the largest difference, divided by the
// largest value.
void attend_sentence(lesson *l, double *worst);

// cached.c: one token against everything in the cache.
//
// q            [n_heads, head_dim], already divided by sqrt(head_dim)
// n_positions  1..cache->capacity: the token sees positions 0 up to its own
// room         attend_room() numbers
// out          [n_heads, head_dim]; not q
void attend_cached(const kv_cache *cache, int layer, const float *q,
                   int n_heads, int n_positions, float *room, float *out);
size_t attend_room(int head_dim, int group);

// naive.c: the same without a cache, for a layer small enough to be built
// from seeded numbers.
typedef struct {
    int d_model, n_heads, n_kv_heads, head_dim;
    float *wq;                  // [n_heads * head_dim, d_model]
    float *wk, *wv;             // [n_kv_heads * head_dim, d_model]
} toy_layer;

// Keys, values and attention of all n positions from the start.
//
// x        [n, d_model]
// room     naive_room() numbers
// out      [n, n_heads * head_dim]
void naive_attention(const toy_layer *layer, const float *x, int n,
                     float *room, float *out);
size_t naive_room(const toy_layer *layer, int n);
// out[i] = sum_j weight[i, j] * x[j]
void project(const float *weight, const float *x, int n_out, int n_in,
             float *out);

// cost.c: the two against the clock.
lll_status show_cost(bool json, FILE *out, lll_error *err);

// show.c: pictures.
void show_triangle(const lesson *l, int from, FILE *out, bool color);
void show_sharing(const lesson *l, FILE *out, bool color);
lll_status show_online(FILE *out, lll_error *err);
void json_lesson(const lesson *l, double worst, json_out *json);

#endif
