#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/in_order.h"
#include "chapters/08-llama/verbs.h"
#include "common/machine.h"

// @begin batch-run
// Prompts from a file, and those of them that are being answered.
typedef struct {
    session *s;
    generate_options options;
    const char *text;           // what is left of the file
    size_t n_bytes, line;       // lines that were read
    int n_texts;
    generation texts[MOST_PARALLEL];
    waiting *answers[MOST_PARALLEL];    // NULL: nobody waits
    in_order shown;
    uint64_t n_prompts, n_read, n_written;
} batch_run;
// @end batch-run

// @begin batch-line
// A prompt is a line, in which \n, \t and \\ stand for what cannot stand
// there. *n is its length without them.
static lll_status unescape(const char *line, size_t n_line, char *out,
                           size_t capacity, size_t *n, lll_error *err)
{
    static const char from[] = "nt\\", to[] = "\n\t\\";
    size_t length = 0;
    if (n_line > capacity)
        return lll_fail(err, LLL_ERR_OVERFLOW, "a line of %zu bytes, "
                        "expected at most %zu; use a larger -c", n_line,
                        capacity);
    for (size_t i = 0; i < n_line; i++) {
        if (line[i] != '\\') {
            out[length++] = line[i];
            continue;
        }
        const char *at = ++i < n_line ? memchr(from, line[i], 3) : NULL;
        if (at == NULL)
            return lll_fail(err, LLL_ERR_FORMAT, "byte %zu is a backslash "
                            "before something else than n, t or another; "
                            "use two where one is meant", i);
        out[length++] = to[at - from];
    }
    *n = length;
    return LLL_OK;
}
// @end batch-line

// @begin batch-begin
// Begin a line in a place that is free.
static lll_status begin_line(batch_run *r, int place, const char *line,
                             size_t n_line, lll_error *err)
{
    llama *m = &r->s->model;
    generate_options options = r->options;
    const int32_t *ids;
    size_t n = 0, n_ids;
    lll_status status = unescape(line, n_line, m->message, m->text_bytes, &n,
                                 err);
    if (status == LLL_OK)
        status = session_encode(r->s, m->message, n, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    options.sequence = place;
    options.context = r->answers[place];
    options.on_text = in_order_text;
    kv_cache_truncate(&m->caches[place], 0);
    return generation_begin(&r->texts[place], m, &r->s->words, ids, n_ids,
                            &options, err);
}
// @end batch-begin

// @begin batch-fill
static void end_place(batch_run *r, int place, lll_status status,
                      const lll_error *err)
{
    const generate_report *report = &r->texts[place].report;
    r->n_read += (uint64_t)report->prompt_tokens;
    r->n_written += (uint64_t)report->completion_tokens;
    in_order_end(r->answers[place], report, status, err);
    r->answers[place] = NULL;
}

// Put the next line that can be begun into a place. One that cannot is told
// when it is its turn, and the next is tried.
static void fill(batch_run *r, int place)
{
    const char *line;
    size_t n;
    lll_error err;
    while (!*r->options.interrupted && r->shown.n < MOST_WAITING
           && cut_line(&r->text, &r->n_bytes, &line, &n)) {
        r->line++;
        if (n == 0)
            continue;
        r->answers[place] = in_order_add(&r->shown, r->line);
        r->texts[place] = (generation){.ended = true};
        r->n_prompts++;
        lll_status status = begin_line(r, place, line, n, &err);
        if (status == LLL_OK)
            return;
        end_place(r, place, status, &err);
    }
}
// @end batch-fill

// @begin batch-loop
static lll_status run_lines(batch_run *r, lll_error *err)
{
    llama *m = &r->s->model;
    size_t most = m->plan.bytes[PLAN_HELD] / (size_t)r->n_texts;
    for (int i = 0; i < r->n_texts; i++)
        r->texts[i].ended = true;
    for (;;) {
        int n_going = 0;
        for (int i = 0; i < r->n_texts; i++) {
            generation *g = &r->texts[i];
            if (g->ended && r->answers[i] != NULL)
                end_place(r, i, name_model(r->s, g->status, &g->error),
                          &g->error);
            if (g->ended)
                fill(r, i);
            n_going += !g->ended;
        }
        if (n_going == 0 || ferror(stdout))
            return LLL_OK;
        for (int i = 0; i < r->n_texts; i++)
            r->texts[i].paused = !r->texts[i].ended
                                 && has_no_room(r->answers[i], most);
        lll_status status = generation_pass(m, r->texts, r->n_texts, err);
        if (status != LLL_OK)
            return status;
    }
}
// @end batch-loop

// @begin verb-batch
lll_status verb_batch(session *s, const settings *set, lll_error *err)
{
    static batch_run run;       // too large for a stack
    settings from = *set;       // the file is read as a prompt's would be
    from.prompt_file = set->batch_file;
    file_map map;
    run.s = s;
    run.options = answer_options(set);
    run.n_texts = s->request.n_sequences;
    run.shown.path = set->batch_file;
    run.shown.as_json = set->json;
    run.shown.seed = set->sampling.seed;
    lll_status status = prompt_text(s, &from, &map, &run.text, &run.n_bytes,
                                    err);
    double start = machine_seconds();
    if (status == LLL_OK)
        status = run_lines(&run, err);
    double seconds = machine_seconds() - start;
    if (status == LLL_OK && !set->quiet)
        fprintf(stderr, "[%" PRIu64 " prompts%s; %" PRIu64 " tokens read, %"
                PRIu64 " written, %.0f/s; seed %" PRIu64 "]\n",
                run.n_prompts, *run.options.interrupted ? ", interrupted"
                : "", run.n_read, run.n_written,
                (double)run.n_written / seconds, set->sampling.seed);
    file_map_close(&map);
    if (status == LLL_OK && run.shown.n_failed > 0)
        status = lll_fail(err, LLL_ERR_ARGUMENT, "%s: %zu of %" PRIu64
                          " prompts were not answered", set->batch_file,
                          run.shown.n_failed, run.n_prompts);
    if (status == LLL_OK && run.n_prompts == 0 && !*run.options.interrupted)
        status = lll_fail(err, LLL_ERR_ARGUMENT, "%s: no line has a prompt",
                          set->batch_file);
    return status;
}
// @end verb-batch
