#include <math.h>
#include <string.h>

#include "chapters/06-attention/lesson.h"
#include "common/attention.h"

// @begin fill-cache
// Put one token's key and value into the cache, head by head.
static void remember(lesson *l, int position)
{
    const trace *t = &l->recorded;
    size_t row = (size_t)position * (size_t)l->k.n_columns;
    for (int head = 0; head < t->n_kv_heads; head++) {
        size_t at = row + (size_t)head * (size_t)t->head_dim;
        kv_cache_store(&l->cache, 0, head, position, l->k.values + at,
                       l->v.values + at);
    }
    l->cache.length = position + 1;
}

static void scale_query(lesson *l, int position)
{
    size_t n = (size_t)l->q.n_columns;
    const float *q = l->q.values + (size_t)position * n;
    for (size_t i = 0; i < n; i++)
        l->q_scaled[i] = q[i] / sqrtf((float)l->recorded.head_dim);
}
// @end fill-cache

// @begin weigh
// The weights that the token at `position` gives to the ones it sees.
static void weigh(const lesson *l, int head, int position, float *weight)
{
    const trace *t = &l->recorded;
    size_t head_dim = (size_t)t->head_dim;
    size_t kv_head = (size_t)(head / (t->n_heads / t->n_kv_heads));
    const float *q = l->q_scaled + (size_t)head * head_dim;
    const float *k = l->k.values + kv_head * head_dim;
    for (int j = 0; j <= position; j++)
        weight[j] = dot_f32(q, k + (size_t)j * (size_t)l->k.n_columns,
                            t->head_dim);
    softmax(weight, position + 1);
}

// The average of the values under such weights.
static void average(const lesson *l, int head, int position,
                    const float *weight, float *out)
{
    const trace *t = &l->recorded;
    size_t head_dim = (size_t)t->head_dim;
    size_t kv_head = (size_t)(head / (t->n_heads / t->n_kv_heads));
    memset(out, 0, head_dim * sizeof *out);
    for (int j = 0; j <= position; j++) {
        const float *v = l->v.values + kv_head * head_dim
                         + (size_t)j * (size_t)l->v.n_columns;
        for (size_t i = 0; i < head_dim; i++)
            out[i] += weight[j] * v[i];
    }
}
// @end weigh

// @begin attend-sentence
void attend_sentence(lesson *l, double *worst)
{
    const trace *t = &l->recorded;
    size_t n = (size_t)t->n_tokens, head_dim = (size_t)t->head_dim;
    *worst = 0;
    for (int i = 0; i < t->n_tokens; i++) {
        remember(l, i);
        scale_query(l, i);
        attend_cached(&l->cache, 0, l->q_scaled, t->n_heads, i + 1, l->room,
                      l->out);
        for (int head = 0; head < t->n_heads; head++) {
            size_t at = (size_t)head, bytes = n * sizeof *l->row;
            weigh(l, head, i, l->row);
            average(l, head, i, l->row, l->plain + at * head_dim);
            if (head == l->head)
                memcpy(l->weights + (size_t)i * n, l->row, bytes);
            if (i == l->token)
                memcpy(l->token_weights + at * n, l->row, bytes);
        }
        double difference = trace_difference(l->out, l->plain,
                                             (size_t)l->q.n_columns);
        if (!(difference <= *worst))        // keeps a NaN
            *worst = difference;
    }
}
// @end attend-sentence
