// Text and report of whatever generates.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "chapters/08-llama/verbs.h"
#include "common/generate.h"
#include "common/json_out.h"
#include "common/machine.h"

// @begin answer-interrupt
// Ctrl-C ends the answer, and what has been said so far is kept. A second
// one ends the program, because the handler is gone after the first.
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static void watch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = (int)SA_RESETHAND};
    interrupted = 0;
    sigaction(SIGINT, &action, NULL);
}
// @end answer-interrupt

// @begin answer-text
// Where generated text goes: to standard output at once, as it is or as the
// first field of a JSON object.
typedef struct {
    bool as_json, begun;
    json_out json;
} text_sink;

static void begin_json(text_sink *sink)
{
    if (sink->begun)
        return;
    sink->begun = true;
    json_out_begin(&sink->json, stdout);
    json_out_object(&sink->json);
    json_out_key(&sink->json, "text");
    json_out_bytes_begin(&sink->json);
}

static void on_text(void *context, const char *text, size_t n)
{
    text_sink *sink = context;
    if (sink->as_json) {
        begin_json(sink);
        json_out_bytes_part(&sink->json, text, n);
    } else {
        fwrite(text, 1, n, stdout);
        fflush(stdout);
    }
    // A full disk, or a reader that has gone: no use in going on.
    if (ferror(stdout))
        interrupted = 1;
}
// @end answer-text

// @begin answer-report
static double rate(int tokens, double seconds)
{
    return tokens > 0 && seconds > 0 ? tokens / seconds : 0;
}

static void report(const session *s, const settings *set,
                   const generate_report *r)
{
    if (set->quiet)
        return;
    fprintf(stderr, "[%s; prompt %d tokens, %.1f/s; answer %d tokens, "
            "%.1f/s; seed %" PRIu64 "; %s, %d threads]\n",
            finish_reason_name(r->reason), r->prompt_tokens,
            rate(r->prompt_tokens, r->prefill_seconds),
            r->completion_tokens,
            rate(r->completion_tokens - 1, r->decode_seconds),
            set->sampling.seed, s->model.products.kernels->name,
            s->model.request.n_threads);
}
// @end answer-report

// @begin answer-report-json
static lll_status report_json(const session *s, const settings *set,
                              const generate_report *r, text_sink *sink,
                              lll_error *err)
{
    begin_json(sink);
    json_out json = sink->json;
    json_out_bytes_end(&json);
    json_out_key(&json, "finish_reason");
    json_out_text(&json, finish_reason_name(r->reason));
    json_out_key(&json, "prompt_tokens");
    json_out_i64(&json, r->prompt_tokens);
    json_out_key(&json, "completion_tokens");
    json_out_i64(&json, r->completion_tokens);
    // @end answer-report-json
    // @begin answer-report-times
    json_out_key(&json, "load_seconds");
    json_out_f64(&json, s->load_seconds);
    json_out_key(&json, "time_to_first_token_seconds");
    json_out_f64(&json, r->first_token_seconds);
    json_out_key(&json, "prefill_tokens_per_second");
    json_out_f64(&json, rate(r->prompt_tokens, r->prefill_seconds));
    json_out_key(&json, "decode_tokens_per_second");
    json_out_f64(&json, rate(r->completion_tokens - 1, r->decode_seconds));
    json_out_key(&json, "peak_bytes");
    json_out_u64(&json, machine_peak_bytes());
    json_out_key(&json, "isa");
    json_out_text(&json, s->model.products.kernels->name);
    json_out_key(&json, "threads");
    json_out_i64(&json, s->model.request.n_threads);
    json_out_key(&json, "seed");
    json_out_u64(&json, set->sampling.seed);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end answer-report-times

// @begin answer
lll_status answer(session *s, const settings *set, const int32_t *ids,
                  size_t n_ids, lll_error *err)
{
    generate_report r;
    text_sink sink = {.as_json = set->json};
    generate_options options = {
        .sampling = set->sampling, .max_tokens = (int)set->n_predict,
        .context_shift = set->context_shift, .keep = (int)set->keep,
        .ignore_end = set->ignore_end, .special = set->special,
        .continues = set->chat,
        .stops = set->stops.items, .n_stops = set->stops.n_items,
        .on_text = on_text, .context = &sink, .interrupted = &interrupted,
    };
    watch_interrupt();
    lll_status status = generate(&s->model, &s->words, ids, n_ids, &options,
                                 &r, err);
    if (status == LLL_OK && set->json)
        status = report_json(s, set, &r, &sink, err);
    else if (status == LLL_OK) {
        fputc('\n', stdout);
        fflush(stdout);
        report(s, set, &r);
    }
    return status;
}
// @end answer
