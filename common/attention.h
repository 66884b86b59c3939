#ifndef COMMON_ATTENTION_H
#define COMMON_ATTENTION_H

#include <stddef.h>

#include "common/dtype.h"
#include "common/kv_cache.h"

// Causal grouped-query attention over the cache. Taught in chapter 6.
// Sources: Vaswani et al. 2017, equation 1; Ainslie et al. 2023 (grouped
// queries); Milakov and Gimelshein 2018 (the online softmax).
//
// The order of sums: positions are taken in spans of ATTENTION_SPAN from the
// start of the cache. Within a span the softmax is relative to the span's own
// largest score; spans are merged in rising order. The spans do not depend on
// who computes them, so neither does the result.

enum { ATTENTION_SPAN = 128 };

// @begin attend-span-type
// Several query rows against one span of the keys and values of one
// key-value head.
typedef struct attend_span {
    const float *q;         // [n_rows, head_dim], already divided by
                            // sqrt(head_dim)
    int n_rows;
    int head_dim;
    dtype type;             // of keys and values: F32 or F16, and
                            // in the kernels of chapter 7 Q8_0
    const void *keys;       // [n_positions, head_dim], rows as stored
    const void *values;
    size_t row_bytes;
    int n_positions;        // 1..ATTENTION_SPAN
    float *scratch;         // attention_scratch(head_dim) numbers
    float *maximum;         // out: [n_rows], the largest score of the span
    float *total;           // out: [n_rows], sum of exp(score - maximum)
    float *out;             // out: [n_rows, head_dim], sum of
                            // exp(score - maximum) * value
    const int *visible;     // [n_rows]: how many of the positions each row
                            // looks at, at least 1; NULL: all
} attend_span;
// @end attend-span-type

// Positions of the span that a row looks at.
int attend_visible(const attend_span *span, int row);

// The taught version of a span, and the definition of the faster ones.
void attend_span_scalar(const attend_span *span);

// Numbers of scratch that a span of any n_rows needs.
size_t attention_scratch(int head_dim);

// @begin attend-state
// What a run of spans came to, for one query row.
typedef struct {
    float maximum;          // -INFINITY before the first span
    float total;            // 0 before the first span
    float *out;             // [head_dim]
} attend_state;

// Add the result of the next span to what earlier spans came to.
void attend_merge(attend_state *state, float maximum, float total,
                  const float *out, int head_dim);
// out /= total: after the last span, out is the attention's result.
void attend_finish(attend_state *state, int head_dim);
// @end attend-state

// Softmax of n scores in place, the stable way. n >= 1.
void softmax(float *scores, int n);

// e^x by the same steps on every instruction set: within 2 units of the last
// place for -87 < x <= 88, 0 from -87 down, e^88 above 88; NaN stays NaN.
float exp_f32(float x);

// sum_i a[i] * b[i] in the sixteen-sum order of kernels.h.
float dot_f32(const float *a, const float *b, int n);

#endif
