#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include <stddef.h>

#include "common/dtype.h"
#include "common/error.h"
#include "common/gguf.h"

// Reading a trace: what a model computed on the way to its answer, saved as a
// GGUF file whose general.type is "trace". Chapter 8 writes such files; here
// we read them, so that a part of the model can be looked at, and checked,
// without the rest.
//
//     trace recorded;
//     trace_rows q;
//     lll_status s = trace_open(&recorded, "data/trace.gguf", &err);
//     if (s == LLL_OK)
//         s = trace_read(&recorded, 13, "q", &q, &err);
//
// Taught in chapter 5.

// @begin trace-type
typedef struct {
    gguf_file file;
    int n_tokens;
    gguf_string *tokens;    // owned: [n_tokens] texts, bytes in the file
    int n_layers;           // layers that were recorded, not all there are
    int *layers;            // owned: [n_layers] their numbers, rising
    int d_model, n_heads, n_kv_heads, head_dim, rope_dim;
    double rope_theta, rope_scale;
    float *rope_factors;    // owned: [rope_dim / 2], or NULL for all 1
    float norm_eps;
} trace;

// One recorded step, decoded to floats.
typedef struct {
    int n_rows;             // tokens; 1 for a weight
    int n_columns;
    dtype type;             // how the file stores it, F32 or F16: how exact
    float *values;          // owned: [n_rows, n_columns]
} trace_rows;
// @end trace-type

// Map the file and read its list of settings.
// LLL_ERR_FORMAT   not a trace, or its numbers make no sense: file, key,
//                  found, expected; on failure *t is zeroed
lll_status trace_open(trace *t, const char *path, lll_error *err);
void trace_close(trace *t);     // accepts a zeroed struct

// The last layer that was recorded, for a caller who has no wish.
int trace_last_layer(const trace *t);

// @begin trace-read-header
// Read the step `name` of one layer, all tokens.
//
// name   input [d_model]       what the norm receives; where a whole pass was
//                              recorded, what the layer before left
//        attn_norm.weight      its weight, one row
//        attn_norm [d_model]   what the norm gives
//        q, q_rope             [n_heads * head_dim], before and after RoPE
//        k, k_rope, v          [n_kv_heads * head_dim]
// out    filled only on LLL_OK; give it back with trace_rows_free()
//
// LLL_ERR_NOT_FOUND     the layer was not recorded (the sentence lists those
//                       that were), or the step was not
// LLL_ERR_FORMAT        another shape than the file's own settings say
// LLL_ERR_UNSUPPORTED   stored as something else than F32 or F16
lll_status trace_read(const trace *t, int layer, const char *name,
                      trace_rows *out, lll_error *err);
void trace_rows_free(trace_rows *rows);     // accepts a zeroed struct
// @end trace-read-header

// The largest |a - b| of n numbers, divided by the largest |b|. NaN when one
// of the differences is NaN: it then fails every "<= limit".
double trace_difference(const float *a, const float *b, size_t n);

// How far a correct float computation may lie from what the file stores: it
// started from stored numbers and is compared with stored ones.
double trace_limit(dtype type);

#endif
