// The verbs that measure: perplexity and traces.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chapters/08-llama/verbs.h"
#include "common/file.h"
#include "common/json_out.h"
#include "common/score.h"
#include "common/terminal.h"
#include "common/trace_write.h"

// @begin measure-show-score
static void show_progress(void *context, size_t n_done)
{
    const size_t *n_ids = context;
    terminal_progress(stderr, "scoring", (double)n_done / (double)*n_ids);
}

static lll_status print_score(const text_score *score, bool as_json,
                              lll_error *err)
{
    json_out json;
    if (!as_json) {
        printf("perplexity %.4f (%" PRIu64 " tokens scored, mean "
               "-log p %.5f)\n", score->perplexity, score->n_scored,
               score->nll);
        return LLL_OK;
    }
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "tokens");
    json_out_u64(&json, score->n_scored);
    json_out_key(&json, "nll");
    json_out_f64(&json, score->nll);
    json_out_key(&json, "perplexity");
    json_out_f64(&json, score->perplexity);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end measure-show-score

// @begin measure-perplexity
lll_status verb_perplexity(session *s, const settings *set, lll_error *err)
{
    file_map map;
    int32_t *ids;
    size_t n_ids;
    text_score score;
    lll_status status = file_map_open(&map, set->perplexity, err);
    if (status != LLL_OK)
        return status;
    status = session_encode(s, (const char *)map.bytes, map.n_bytes, &ids,
                            &n_ids, err);
    file_map_close(&map);
    if (status != LLL_OK)
        return status;
    status = score_text(&s->model, ids, n_ids,
                        set->quiet ? NULL : show_progress, &n_ids, &score,
                        err);
    free(ids);
    return status == LLL_OK ? print_score(&score, set->json, err) : status;
}
// @end measure-perplexity

// @begin measure-trace
lll_status verb_trace(session *s, const settings *set, lll_error *err)
{
    int32_t *ids;
    size_t n_ids;
    if (file_is_same(set->trace, set->model))
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: the trace would replace "
                        "the model; name another file", set->trace);
    lll_status status = read_prompt(s, set, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    if (n_ids == 0 || n_ids > (size_t)s->model.request.n_outputs) {
        status = lll_fail(err, LLL_ERR_ARGUMENT, "a trace of %zu tokens, "
                          "expected 1 to %d; use a larger -b", n_ids,
                          s->model.request.n_outputs);
        free(ids);
        return status;
    }
    // @end measure-trace
    // @begin measure-trace-pass
    trace_writer trace;
    const float *logits;
    uint8_t *all = malloc(n_ids);
    if (all == NULL) {
        free(ids);
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for the trace");
    }
    memset(all, 1, n_ids);
    llama_batch batch = {.n_tokens = (int)n_ids, .ids = ids,
                         .wants_logits = all};
    trace_begin(&trace, &s->model);
    status = llama_forward(&s->model, &batch, &logits, err);
    lll_status written = trace_end(&trace, &s->model, &s->words, ids, n_ids,
                                   set->trace, status == LLL_OK ? err : NULL);
    if (status == LLL_OK && written == LLL_OK && !set->quiet)
        fprintf(stderr, "%s: %zu tokens traced\n", set->trace, n_ids);
    free(all);
    free(ids);
    return status != LLL_OK ? status : written;
}
// @end measure-trace-pass
