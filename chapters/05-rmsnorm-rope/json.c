#include <math.h>

#include "chapters/05-rmsnorm-rope/show.h"
#include "common/norm.h"
#include "common/rope.h"

// The pictures as data: what the book's plots are drawn from.

// @begin json-norm
static void json_row(json_out *json, const char *key, const float *x, int n)
{
    json_out_key(json, key);
    json_out_array(json);
    for (int i = 0; i < n; i++)
        json_out_f32(json, x[i]);
    json_out_end(json);
}

void json_norm(const material *m, json_out *json)
{
    int n = m->input.n_columns;
    const float *x = m->input.values + (size_t)m->token * (size_t)n;
    rmsnorm(m->work, x, m->weight.values, n, m->recorded.norm_eps);
    json_out_key(json, "norm");
    json_out_object(json);
    json_row(json, "before", x, n);
    json_row(json, "weight", m->weight.values, n);
    json_row(json, "after", m->work, n);
    json_out_end(json);
}
// @end json-norm

// @begin json-angles
void json_angles(const material *m, int n_positions, json_out *json)
{
    json_out_key(json, "frequencies");
    json_out_array(json);
    for (int i = 0; i < m->recorded.rope_dim / 2; i++)
        json_out_f64(json, m->frequencies[i]);
    json_out_end(json);

    json_out_key(json, "stride");
    json_out_i64(json, m->stride);
    json_out_key(json, "cosines");          // [pairs, positions]
    json_out_array(json);
    for (int i = 0; i < m->recorded.rope_dim / 2; i++) {
        json_out_array(json);
        for (int p = 0; p < n_positions; p++)
            json_out_f64(json, cos(p * m->stride * m->frequencies[i]));
        json_out_end(json);
    }
    json_out_end(json);
}
// @end json-angles

// @begin json-scores
static void json_map(const material *m, int n, const char *key,
                     rotate_function *turn_q, rotate_function *turn_k,
                     json_out *json)
{
    json_out_key(json, key);                // [m, n]
    json_out_array(json);
    for (int row = 0; row < n; row++) {
        json_out_array(json);
        for (int column = 0; column < n; column++)
            json_out_f64(json, score(m, row, column, turn_q, turn_k));
        json_out_end(json);
    }
    json_out_end(json);
}

void json_scores(const material *m, int n_positions, json_out *json)
{
    json_out_key(json, "scores");
    json_out_object(json);
    json_map(m, n_positions, "adjacent", rope_rotate, rope_rotate, json);
    json_map(m, n_positions, "halves", rope_rotate_halves, rope_rotate_halves,
             json);
    json_map(m, n_positions, "mixed", rope_rotate, rope_rotate_halves, json);
    json_out_end(json);
}
// @end json-scores
