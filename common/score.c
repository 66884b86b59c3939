#include "common/score.h"

#include <math.h>

#include "common/sampler.h"
#include "common/threads.h"

// @begin score-rows
// Log-probabilities of the tokens that follow a batch, one row a piece: a
// row is one pass over the vocabulary in double.
typedef struct {
    const float *logits;
    int vocab_size;
    const int32_t *next;    // [n_rows]
    double *log_probability;// [n_rows]
} score_job;

static void score_row(void *context, int piece, int worker)
{
    const score_job *job = context;
    size_t row = (size_t)piece * (size_t)job->vocab_size;
    (void)worker;
    job->log_probability[piece] = log_probability(
        job->logits + row, job->vocab_size, job->next[piece]);
}
// @end score-rows

// @begin score-batch
enum { SCORE_BATCH = 64 };  // rows of logits that are scored together

// Feed ids[0..n-1] and add up the log-probabilities of ids[1..n_scored].
static lll_status score_batch(llama *m, const int32_t *ids, int n,
                              int n_scored, double *sum, lll_error *err)
{
    uint8_t wanted[SCORE_BATCH] = {0};
    double log_p[SCORE_BATCH];
    const float *logits;
    for (int i = 0; i < n_scored; i++)
        wanted[i] = 1;
    llama_batch batch = {.n_tokens = n, .ids = ids, .wants_logits = wanted};
    lll_status s = llama_forward(m, &batch, &logits, err);
    if (s != LLL_OK)
        return s;
    score_job job = {logits, m->config.vocab_size, ids + 1, log_p};
    threads_run(m->products.team, score_row, &job, n_scored);
    for (int i = 0; i < n_scored; i++)      // in order, whoever computed them
        *sum += log_p[i];
    return LLL_OK;
}
// @end score-batch

// @begin score-text
lll_status score_text(llama *model, const int32_t *ids, size_t n_ids,
                      void (*progress)(void *context, size_t n_done),
                      void *context, text_score *score, lll_error *err)
{
    size_t window = (size_t)model->request.n_ctx;
    size_t at_once = SCORE_BATCH;
    if (at_once > (size_t)model->request.n_outputs)
        at_once = (size_t)model->request.n_outputs;
    double sum = 0.0;
    uint64_t n_scored = 0;
    if (n_ids < 2)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "the text has %zu tokens, expected at least 2: one "
                        "to begin with and one to score", n_ids);
    // @end score-text
    // @begin score-windows
    for (size_t first = 0; first < n_ids; first += window) {
        size_t end = n_ids - first < window ? n_ids : first + window;
        kv_cache_truncate(&model->caches[0], 0);
        for (size_t i = first; i < end; ) {
            size_t n = end - i < at_once ? end - i : at_once;
            // The window's last token has no successor inside it.
            int scored = (int)(i + n < end ? n : n - 1);
            lll_status s = score_batch(model, ids + i, (int)n, scored, &sum,
                                       err);
            if (s != LLL_OK)
                return s;
            n_scored += (uint64_t)scored;
            i += n;
            if (progress != NULL)
                progress(context, i);
        }
    }
    if (n_scored == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "windows of one token leave nothing to score; use a "
                        "larger -c");
    if (isnan(sum))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "the model's logits are not numbers: a weight of the "
                        "file is NaN or infinite");
    score->n_scored = n_scored;
    score->nll = -sum / (double)n_scored;
    score->perplexity = exp(score->nll);
    return LLL_OK;
}
// @end score-windows
