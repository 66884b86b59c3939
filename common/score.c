#include "common/score.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/sampler.h"
#include "common/threads.h"

// @begin score-best
// A row of logits: its most likely token (the smallest of equal ones), and
// what is taken off each logit to make it a log-probability.
typedef struct {
    const float *logits;
    int best;
    double off;
} score_line;

static score_line read_line(const float *logits, int vocab_size)
{
    int best = 0;
    for (int i = 1; i < vocab_size; i++)
        if (logits[i] > logits[best])
            best = i;
    return (score_line){logits, best,
                        -log_probability(logits, vocab_size, best)};
}

// Less the best first: the difference of two floats is exact in double.
static double line_log(const score_line *l, int id)
{
    return (double)l->logits[id] - (double)l->logits[l->best] - l->off;
}
// @end score-best

// @begin score-divergence
// What p is surprised more, on average, by believing q. A token that p rules
// out adds nothing, whatever q says of it.
static double divergence(const score_line *p, const score_line *q,
                         int vocab_size)
{
    double sum = 0;
    for (int i = 0; i < vocab_size; i++) {
        double log_p = line_log(p, i), share = exp(log_p);
        if (share > 0)
            sum += share * (log_p - line_log(q, i));
    }
    return sum;
}
// @end score-divergence

// @begin score-rows
// What the tokens that follow a batch were worth, one row of logits a piece.
typedef struct {
    double log_p, rival, divergence;
    bool same;
} scored_row;

typedef struct {
    const float *logits, *rival;    // rival NULL: nothing to compare with
    int vocab_size;
    const int32_t *next;    // [n_rows]
    scored_row *rows;       // [n_rows]
} score_job;

static void score_row(void *context, int piece, int worker)
{
    const score_job *job = context;
    size_t row = (size_t)piece * (size_t)job->vocab_size;
    scored_row *out = &job->rows[piece];
    (void)worker;
    score_line p = read_line(job->logits + row, job->vocab_size);
    out->log_p = line_log(&p, job->next[piece]);
    if (job->rival == NULL)
        return;
    score_line q = read_line(job->rival + row, job->vocab_size);
    out->rival = line_log(&q, job->next[piece]);
    out->divergence = divergence(&p, &q, job->vocab_size);
    out->same = p.best == q.best;
}
// @end score-rows

// @begin score-add
// In the order of the text, whoever computed them.
static void add_rows(const scored_row *rows, int n, text_score *score)
{
    score_rival *rival = score->rival;
    for (int i = 0; i < n; i++) {
        score->sum += rows[i].log_p;
        if (score->each != NULL)
            score->each[score->n_scored] = rows[i].log_p;
        score->n_scored++;
        if (rival == NULL)
            continue;
        rival->sum += rows[i].rival;
        rival->divergence += rows[i].divergence;
        rival->n_same += rows[i].same;
    }
}
// @end score-add

// @begin score-batch
enum { SCORE_BATCH = 64 };  // rows of logits that are scored together

// Feed ids[0..n-1] to both, and add up what ids[1..n_scored] were worth.
static lll_status score_batch(llama *m, int sequence, const int32_t *ids,
                              int n, int n_scored, text_score *score,
                              lll_error *err)
{
    uint8_t wanted[SCORE_BATCH] = {0};
    scored_row rows[SCORE_BATCH];
    score_job job = {.vocab_size = m->config.vocab_size, .next = ids + 1,
                     .rows = rows};
    const score_rival *rival = score->rival;
    memset(wanted, 1, (size_t)n_scored);
    llama_batch batch = {.n_tokens = n, .ids = ids, .sequence = sequence,
                         .wants_logits = wanted};
    lll_status s = llama_forward(m, &batch, &job.logits, err);
    if (s == LLL_OK && rival != NULL)
        s = llama_forward(rival->model, &batch, &job.rival, err);
    if (s != LLL_OK)
        return s;
    threads_run(m->products.team, score_row, &job, n_scored);
    add_rows(rows, n_scored, score);
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
    if (score->rival != NULL)
        kv_cache_truncate(&score->rival->model->caches[sequence], 0);
    for (size_t i = 0; i < n_ids; ) {
        size_t n = n_ids - i < at_once ? n_ids - i : at_once;
        // The window's last token has no successor inside it.
        int scored = (int)(i + n < n_ids ? n : n - 1);
        if (score->interrupted != NULL && *score->interrupted)
            return lll_fail(err, LLL_ERR_INTERRUPTED, "interrupted after %zu "
                            "of %zu tokens of a window", i, n_ids);
        lll_status s = score_batch(model, sequence, ids + i, (int)n,
                                   scored, score, err);
        if (s != LLL_OK)
            return s;
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
