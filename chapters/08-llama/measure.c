// The verbs that measure: perplexity, traces, and the plan of memory.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/verbs.h"
#include "common/file.h"
#include "common/json_out.h"
#include "common/score.h"
#include "common/size.h"
#include "common/terminal.h"
#include "common/trace_write.h"

// @begin measure-show-score
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
// Score a text window by window: of its tokens, a context is kept at a time.
static lll_status score_file(session *s, const file_map *map, bool quiet,
                             text_score *score, lll_error *err)
{
    tokenizer_encoder e;
    int32_t *ids = s->model.ids;
    text_progress p = {.n_bytes = map->n_bytes};
    lll_status status = session_text(s, (const char *)map->bytes,
                                     map->n_bytes, &e, err);
    *score = (text_score){.progress = quiet ? NULL : show_progress,
                          .context = &p};
    while (status == LLL_OK) {
        status = tokenizer_more(&e, ids, (size_t)s->request.n_ctx, &p.n_ids,
                                err);
        if (status != LLL_OK || p.n_ids == 0)
            break;
        p.before = p.after;
        p.after = p.n_ids < (size_t)s->request.n_ctx ? p.n_bytes
                                                     : tokenizer_done(&e);
        status = score_window(&s->model, ids, p.n_ids, score, err);
    }
    return status == LLL_OK ? score_finish(score, err) : status;
}

lll_status verb_perplexity(session *s, const settings *set, lll_error *err)
{
    file_map map;
    text_score score;
    lll_status status = file_map_open(&map, set->perplexity, err);
    if (status != LLL_OK)
        return status;
    status = score_file(s, &map, set->quiet, &score, err);
    file_map_close(&map);
    return status == LLL_OK ? print_score(&score, set->json, err) : status;
}
// @end measure-perplexity

// @begin measure-mapped
// Code, stack and libraries of the program itself: more than any of them has.
enum { PROGRAM_BYTES = 4000000 };

// Bytes of the files that a run maps: the model, and a text that it reads.
static lll_status mapped_bytes(const session *s, const settings *set,
                               uint64_t *n, lll_error *err)
{
    file_map map;
    const char *text = set->perplexity != NULL ? set->perplexity
                                               : set->prompt_file;
    *n = s->file.n_bytes;
    if (text == NULL)
        return LLL_OK;
    lll_status status = file_map_open(&map, text, err);
    if (status != LLL_OK)
        return status;
    *n += map.n_bytes;
    file_map_close(&map);
    return LLL_OK;
}
// @end measure-mapped

// @begin measure-plan
static lll_status print_plan_json(const memory_plan *plan, uint64_t mapped,
                                  lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "memory");
    json_out_object(&json);
    for (int i = 0; i < PLAN_PARTS; i++) {
        json_out_key(&json, plan_part_name((plan_part)i));
        json_out_u64(&json, plan->bytes[i]);
    }
    json_out_key(&json, "total");
    json_out_u64(&json, plan->total);
    json_out_end(&json);
    json_out_key(&json, "mapped_bytes");
    json_out_u64(&json, mapped);
    json_out_key(&json, "resident_bytes_at_most");
    json_out_u64(&json, plan->total + mapped + PROGRAM_BYTES);
    json_out_end(&json);
    return json_out_finish(&json, err);
}

static void plan_line(const char *name, uint64_t bytes)
{
    char text[32], number[32];
    size_text(bytes, text, sizeof text);
    number_text(bytes, number, sizeof number);
    printf("  %-22s %12s %18s bytes\n", name, text, number);
}
// @end measure-plan

// @begin measure-plan-2
// What running would ask of the system, before any of it is asked for.
lll_status verb_plan(session *s, const settings *set, lll_error *err)
{
    const plan_request *r = &s->request;
    const memory_plan *plan = &s->plan;
    uint64_t mapped;
    lll_status status = mapped_bytes(s, set, &mapped, err);
    if (status != LLL_OK || set->json)
        return status != LLL_OK ? status
                                : print_plan_json(plan, mapped, err);
    printf("a context of %d, batches of %d, %d threads, cache of %s\n",
           r->n_ctx, r->n_batch, r->n_threads,
           dtype_name((uint32_t)r->cache_type));
    for (int i = 0; i < PLAN_PARTS; i++)
        if (plan->bytes[i] > 0)
            plan_line(plan_part_name((plan_part)i), plan->bytes[i]);
    plan_line("together", plan->total);
    printf("mapped from files, which the system can read again:\n");
    plan_line("model and text", mapped);
    printf("with the program itself, 4 MB at the very most:\n");
    plan_line("at most resident", plan->total + mapped + PROGRAM_BYTES);
    return LLL_OK;
}
// @end measure-plan-2

// @begin measure-trace
lll_status verb_trace(session *s, const settings *set, lll_error *err)
{
    const int32_t *ids;
    size_t n_ids;
    if (file_is_same(set->trace, set->model))
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: the trace would replace "
                        "the model; name another file", set->trace);
    lll_status status = read_prompt(s, set, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    if (n_ids == 0 || n_ids > (size_t)s->model.request.n_outputs)
        return lll_fail(err, LLL_ERR_ARGUMENT, "a trace of %zu tokens, "
                        "expected 1 to %d; use a larger -b", n_ids,
                        s->model.request.n_outputs);
    // @end measure-trace
    // @begin measure-trace-pass
    // A truth for each token, where a message would be: no batch is longer.
    const uint8_t *all = memset(s->model.message, 1, n_ids);
    llama_batch batch = {.n_tokens = (int)n_ids, .ids = ids,
                         .wants_logits = all};
    status = trace_write(&s->model, &s->words, &batch, set->trace, err);
    if (status == LLL_OK && !set->quiet)
        fprintf(stderr, "%s: %zu tokens traced\n", set->trace, n_ids);
    return status;
}
// @end measure-trace-pass
