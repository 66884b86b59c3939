#include "common/embed.h"

#include <math.h>
#include <string.h>

// @begin embed-give
typedef struct {
    llama *m;
    embed_pooling pooling;
    bool scaled;
    embed_sink sink;
    void *context;
} embedding;

// Scale what is pooled, and give it. It stands where a row of logits would:
// nobody computes any here.
static lll_status give(const embedding *e, lll_error *err)
{
    float *vector = e->m->logits;
    int d_model = e->m->config.d_model;
    double squares = 0.0;
    for (int i = 0; i < d_model; i++)
        squares += (double)vector[i] * (double)vector[i];
    if (!isfinite(squares))
        return lll_fail(err, LLL_ERR_FORMAT, "the numbers of a vector are "
                        "none: a weight of the file is NaN or infinite");
    double length = e->scaled && squares > 0.0 ? sqrt(squares) : 1.0;
    for (int i = 0; i < d_model; i++)
        vector[i] = (float)((double)vector[i] / length);
    e->sink(e->context, vector, d_model);
    return LLL_OK;
}
// @end embed-give

// @begin embed-rows
// Pool the next rows of a text, [n, d_model].
static lll_status pool(const embedding *e, const float *rows, int n,
                       lll_error *err)
{
    size_t d_model = (size_t)e->m->config.d_model;
    float *vector = e->m->logits;
    lll_status status = LLL_OK;
    for (int t = 0; t < n && status == LLL_OK; t++, rows += d_model) {
        if (e->pooling == EMBED_MEAN)
            for (size_t i = 0; i < d_model; i++)
                vector[i] += rows[i];
        else
            memcpy(vector, rows, d_model * sizeof *rows);
        if (e->pooling == EMBED_NONE)
            status = give(e, err);
    }
    return status;
}
// @end embed-rows

// @begin embed-each
lll_status embed_each(session *s, const char *text, size_t n_bytes,
                      embed_pooling pooling, bool scaled, embed_sink sink,
                      void *context, lll_error *err)
{
    llama *m = &s->model;
    const embedding e = {m, pooling, scaled, sink, context};
    size_t d_model = (size_t)m->config.d_model, n = 0, at_once;
    const int32_t *ids;
    const float *rows;
    lll_status status = session_encode(s, text, n_bytes, &ids, &n, err);
    if (status == LLL_OK && n == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT, "the text is empty: a vector "
                        "is made of tokens, and it has none");
    kv_cache_truncate(&m->caches[0], 0);
    memset(m->logits, 0, d_model * sizeof *m->logits);
    for (size_t i = 0; i < n && status == LLL_OK; i += at_once) {
        at_once = n - i < (size_t)m->request.n_batch
                ? n - i : (size_t)m->request.n_batch;
        llama_batch batch = {.n_tokens = (int)at_once, .ids = ids + i,
                             .hidden = true};
        status = llama_forward(m, &batch, &rows, err);
        if (status == LLL_OK)
            status = pool(&e, rows, batch.n_tokens, err);
    }
    if (status != LLL_OK || pooling == EMBED_NONE)
        return status;
    for (size_t i = 0; i < d_model && pooling == EMBED_MEAN; i++)
        m->logits[i] /= (float)n;
    return give(&e, err);
}
// @end embed-each

// @begin embed-text
static void copy(void *context, const float *vector, int d_model)
{
    memcpy(context, vector, (size_t)d_model * sizeof *vector);
}

lll_status embed_text(session *s, const char *text, size_t n_bytes,
                      embed_pooling pooling, bool scaled, float *out,
                      lll_error *err)
{
    return embed_each(s, text, n_bytes, pooling, scaled, copy, out, err);
}
// @end embed-text
