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
static lll_status score_batch(llama *m, int sequence, const int32_t *ids,
                              int n, int n_scored, double *sum,
                              lll_error *err)
{
    uint8_t wanted[SCORE_BATCH] = {0};
    double log_p[SCORE_BATCH];
    const float *logits;
    for (int i = 0; i < n_scored; i++)
        wanted[i] = 1;
    llama_batch batch = {.n_tokens = n, .ids = ids, .sequence = sequence,
                         .wants_logits = wanted};
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

// @begin score-window
lll_status score_window(llama *model, int sequence, const int32_t *ids,
                        size_t n_ids, text_score *score, lll_error *err)
{
    size_t at_once = SCORE_BATCH;
    if (at_once > (size_t)model->request.n_outputs)
        at_once = (size_t)model->request.n_outputs;
    kv_cache_truncate(&model->caches[sequence], 0);
    for (size_t i = 0; i < n_ids; ) {
        size_t n = n_ids - i < at_once ? n_ids - i : at_once;
        // The window's last token has no successor inside it.
        int scored = (int)(i + n < n_ids ? n : n - 1);
        if (score->interrupted != NULL && *score->interrupted)
            return lll_fail(err, LLL_ERR_INTERRUPTED, "interrupted after %zu "
                            "of %zu tokens of a window", i, n_ids);
        lll_status s = score_batch(model, sequence, ids + i, (int)n,
                                   scored, &score->sum, err);
        if (s != LLL_OK)
            return s;
        score->n_scored += (uint64_t)scored;
        i += n;
        if (score->progress != NULL)
            score->progress(score->context, i);
    }
    return LLL_OK;
}
// @end score-window

// @begin score-finish
lll_status score_finish(text_score *score, lll_error *err)
{
    if (score->n_scored == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "nothing to score: expected a text of at least 2 "
                        "tokens, one to begin with and one to score, and a "
                        "context of 2 or more; use a larger -c");
    if (isnan(score->sum))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "the model's logits are not numbers: a weight of the "
                        "file is NaN or infinite");
    score->nll = -score->sum / (double)score->n_scored;
    score->perplexity = exp(score->nll);
    return LLL_OK;
}
// @end score-finish
