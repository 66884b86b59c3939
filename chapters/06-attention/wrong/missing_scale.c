// replaces chapters/06-attention/naive.c; caught by tests/test_naive.c
//
// Scores are not divided by the root of the head's width. The weights still
// add up to 1; they are only too sure of themselves.
#include <math.h>

#include "chapters/06-attention/lesson.h"

void project(const float *weight, const float *x, int n_out, int n_in,
             float *out)
{
    for (int i = 0; i < n_out; i++) {
        float sum = 0;
        for (int j = 0; j < n_in; j++)
            sum += weight[(size_t)i * (size_t)n_in + (size_t)j] * x[j];
        out[i] = sum;
    }
}

// @begin wrong-missing-scale
// One query head of one position: score, softmax, average. Rows of keys and
// values are `stride` numbers apart.
static void attend_row(const float *q, const float *keys, const float *values,
                       size_t stride, int position, int head_dim,
                       float *score, float *out)
{
    float largest = -INFINITY, total = 0;
    for (int j = 0; j <= position; j++) {       // never beyond itself
        float dot = 0;
        for (int i = 0; i < head_dim; i++)
            dot += q[i] * keys[(size_t)j * stride + (size_t)i];
        score[j] = dot;                         // not scaled
        largest = fmaxf(largest, score[j]);
    }
    for (int j = 0; j <= position; j++) {
        score[j] = expf(score[j] - largest);
        total += score[j];
    }
    for (int i = 0; i < head_dim; i++) {
        float sum = 0;
        for (int j = 0; j <= position; j++)
            sum += score[j] * values[(size_t)j * stride + (size_t)i];
        out[i] = sum / total;
    }
}
// @end wrong-missing-scale

size_t naive_room(const toy_layer *layer, int n)
{
    size_t heads = (size_t)layer->n_heads + 2 * (size_t)layer->n_kv_heads;
    return (size_t)n * (heads * (size_t)layer->head_dim + 1);
}

void naive_attention(const toy_layer *layer, const float *x, int n,
                     float *room, float *out)
{
    int head_dim = layer->head_dim;
    int group = layer->n_heads / layer->n_kv_heads;
    size_t q_width = (size_t)(layer->n_heads * head_dim);
    size_t kv_width = (size_t)(layer->n_kv_heads * head_dim);
    float *q = room, *k = q + (size_t)n * q_width;
    float *v = k + (size_t)n * kv_width, *score = v + (size_t)n * kv_width;

    for (int i = 0; i < n; i++) {
        const float *row = x + (size_t)i * (size_t)layer->d_model;
        size_t at = (size_t)i;
        project(layer->wq, row, (int)q_width, layer->d_model,
                q + at * q_width);
        project(layer->wk, row, (int)kv_width, layer->d_model,
                k + at * kv_width);
        project(layer->wv, row, (int)kv_width, layer->d_model,
                v + at * kv_width);
    }
    for (int head = 0; head < layer->n_heads; head++) {
        size_t q_head = (size_t)(head * head_dim);
        size_t kv_head = (size_t)(head / group * head_dim);
        for (int i = 0; i < n; i++) {
            size_t at = (size_t)i * q_width + q_head;
            attend_row(q + at, k + kv_head, v + kv_head, kv_width, i,
                       head_dim, score, out + at);
        }
    }
}
