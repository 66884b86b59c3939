#ifndef CHAPTER_05_SHOW_H
#define CHAPTER_05_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "common/json_out.h"
#include "common/trace.h"

// The pictures of chapter 5: what main.c has loaded, drawn.

// @begin material
// rope_rotate() or rope_rotate_halves().
typedef void rotate_function(float *head, const float *table, int rope_dim);

// One layer of a trace, and room to compute with it.
typedef struct {
    trace recorded;
    trace_rows input, weight, after;        // of the norm
    trace_rows q, k, q_rope, k_rope;
    double theta;                           // base of the angles
    double *frequencies;                    // [rope_dim / 2]
    float *table;                           // [rope_dim]
    float *work;                            // [n_tokens, widest row]
    int layer, head, token, query, key;     // what is looked at
    int stride;                             // of the positions shown
    double context, stretch;                // trained for; times as far
} material;
// @end material

void show_norm(const material *m, FILE *out, bool color);
void show_angles(const material *m, int n_positions, FILE *out, bool color);
void show_scores(const material *m, int n_positions, FILE *out, bool color);
void show_scaling(const material *m, FILE *out, bool color);

// q . k after turning the query to position m_position and the key to
// n_position; works in m->table and m->work.
double score(const material *m, int m_position, int n_position,
             rotate_function *turn_q, rotate_function *turn_k);

// Compute the layer again and compare with what was recorded: as lines on
// `out`, or as numbers where json is given. LLL_OK when the norm and RoPE
// with that pairing ("adjacent" or "halves") give the same.
lll_status report(material *m, const char *pairing, FILE *out,
                  json_out *json, lll_error *err);

// The same as data, for plots.
void json_norm(const material *m, json_out *json);
void json_angles(const material *m, int n_positions, json_out *json);
void json_scores(const material *m, int n_positions, json_out *json);
void json_scaling(const material *m, json_out *json);

#endif
