#include <inttypes.h>
#include <stdio.h>

#include "chapters/08-llama/verbs.h"
#include "common/file.h"
#include "common/importance.h"
#include "common/json_out.h"
#include "common/score.h"
#include "common/terminal.h"

// @begin verb-show-progress
// How far a text is scored: the bytes in front of the window at hand, those
// behind it, and its tokens.
typedef struct {
    size_t before, after, n_bytes, n_ids;
} text_progress;

static void show_progress(void *context, size_t n_done)
{
    const text_progress *p = context;
    double share = (double)n_done / (double)p->n_ids;
    double done = (double)p->before + share * (double)(p->after - p->before);
    terminal_progress(stderr, "scoring", done / (double)p->n_bytes);
}

// @end verb-show-progress

// @begin verb-show-score
static lll_status print_score(const text_score *score, bool as_json,
                              lll_error *err)
{
    json_out json;
    bool cut = *score->interrupted != 0;
    if (!as_json) {
        if (cut)
            fputs("[interrupted: a score of the text's beginning]\n",
                  stderr);
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
    json_out_key(&json, "interrupted");
    json_out_bool(&json, cut);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end verb-show-score

// @begin verb-perplexity
// Of a text's tokens, a context is kept at a time.
lll_status score_file(session *s, const file_map *map, bool quiet,
                      text_score *score, lll_error *err)
{
    tokenizer_encoder e;
    int32_t *ids = s->model.ids;
    text_progress p = {.n_bytes = map->n_bytes};
    lll_status status = session_text(s, (const char *)map->bytes,
                                     map->n_bytes, &e, err);
    score->progress = quiet ? NULL : show_progress;
    score->context = &p;
    while (status == LLL_OK) {
        status = tokenizer_more(&e, ids, (size_t)s->request.n_ctx, &p.n_ids,
                                err);
        if (status != LLL_OK || p.n_ids == 0)
            break;
        p.before = p.after;
        p.after = p.n_ids < (size_t)s->request.n_ctx ? p.n_bytes
                                                     : tokenizer_done(&e);
        status = score_window(&s->model, 0, ids, p.n_ids, score, err);
    }
    score->progress = NULL;         // its context ends with us
    score->context = NULL;
    // What has been scored so far may have taken an hour.
    if (status == LLL_OK
        || (status == LLL_ERR_INTERRUPTED && score->n_scored > 0))
        status = score_finish(score, err);
    return name_model(s, status, err);
}
// @end verb-perplexity

// @begin verb-perplexity-probe
// Nobody should learn after an hour that a file cannot be written.
static lll_status probe(const settings *set, lll_error *err)
{
    file_writer out;
    if (file_is_same(set->importance, set->model)
        || file_is_same(set->importance, set->perplexity))
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: the importance would "
                        "replace a file that is read; name another",
                        set->importance);
    lll_status status = file_create(&out, set->importance, err);
    file_abandon(&out);
    return status;
}
// @end verb-perplexity-probe

// @begin verb-perplexity-note
// Score, and note on the way what the columns of the matrices meet.
static lll_status score_and_note(session *s, const file_map *map,
                                 const settings *set, text_score *score,
                                 lll_error *err)
{
    importance seen = {0};
    lll_status status = LLL_OK;
    if (set->importance != NULL)
        status = probe(set, err);
    if (status == LLL_OK && set->importance != NULL)
        status = importance_begin(&seen, &s->model, err);
    if (status == LLL_OK)
        status = score_file(s, map, set->quiet, score, err);
    // What took an hour is shown, whatever becomes of the file.
    if (status == LLL_OK)
        status = print_score(score, set->json, err);
    if (status == LLL_OK && set->importance != NULL && *score->interrupted)
        fprintf(stderr, "%s: not written, for the text was not read to its "
                "end\n", set->importance);
    else if (status == LLL_OK && set->importance != NULL)
        status = importance_write(&seen, set->importance, set->perplexity,
                                  s->request.n_ctx, err);
    importance_end(&seen);
    return status;
}
// @end verb-perplexity-note

// @begin verb-perplexity-file
lll_status verb_perplexity(session *s, const settings *set, lll_error *err)
{
    file_map map;
    text_score score = {.interrupted = watch_interrupt(false)};
    lll_status status = file_map_open(&map, set->perplexity, err);
    if (status != LLL_OK)
        return status;
    status = score_and_note(s, &map, set, &score, err);
    file_map_close(&map);
    return status;
}
// @end verb-perplexity-file
