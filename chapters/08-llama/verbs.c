#include "chapters/08-llama/verbs.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/chat.h"
#include "common/file.h"
#include "common/json_out.h"
#include "common/machine.h"
#include "common/score.h"
#include "common/terminal.h"
#include "common/trace_write.h"

// @begin verbs-prompt
static const char default_prompt[] = "A language model";

lll_status read_prompt(const session *s, const settings *set,
                       const int32_t **ids, size_t *n_ids, lll_error *err)
{
    const char *text = set->prompt != NULL ? set->prompt : default_prompt;
    if (set->prompt_file == NULL)
        return session_encode(s, text, strlen(text), ids, n_ids, err);
    file_map map;
    lll_status status = file_map_open(&map, set->prompt_file, err);
    if (status != LLL_OK)
        return status;
    status = session_encode(s, (const char *)map.bytes, map.n_bytes, ids,
                            n_ids, err);
    file_map_close(&map);
    return status;
}
// @end verbs-prompt

// @begin verbs-buffers
// The C library would ask for buffers of its own when the first text goes
// through; with these the planner's number is all there is.
void own_buffers(void)
{
    static char in[4096], out[4096];
    setvbuf(stdin, in, _IOFBF, sizeof in);
    setvbuf(stdout, out, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof out);
}
// @end verbs-buffers

// @begin verbs-interrupt
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
// @end verbs-interrupt

// @begin verbs-text
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
// @end verbs-text

// @begin verbs-report
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
// @end verbs-report

// @begin verbs-report-json
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
    // @end verbs-report-json
    // @begin verbs-report-times
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
// @end verbs-report-times

// @begin verbs-answer
// Generate from new tokens, and show the result.
static lll_status answer(session *s, const settings *set, const int32_t *ids,
                         size_t n_ids, lll_error *err)
{
    generate_report r;
    text_sink sink = {.as_json = set->json};
    generate_options options = {
        .sampling = set->sampling, .max_tokens = (int)set->n_predict,
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
// @end verbs-answer

// @begin verbs-generate
lll_status verb_generate(session *s, const settings *set, lll_error *err)
{
    const int32_t *ids;
    size_t n_ids;
    lll_status status = read_prompt(s, set, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    // On a terminal the reader sees where the text began; what the model says
    // stands alone on standard output.
    if (!set->json && !set->quiet && set->prompt_file == NULL
        && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
        fputs(set->prompt != NULL ? set->prompt : default_prompt, stderr);
    return answer(s, set, ids, n_ids, err);
}
// @end verbs-generate

// @begin verbs-turn
// One message of the user, and the model's answer.
static lll_status turn(session *s, const settings *set,
                       const chat_template *chat, const char *text,
                       size_t n_bytes, lll_error *err)
{
    bool first = s->model.caches[0].length == 0;
    chat_message messages[2];
    int n = 0;
    if (first && set->system != NULL)
        messages[n++] = (chat_message){"system", set->system,
                                       strlen(set->system)};
    messages[n++] = (chat_message){"user", text, n_bytes};
    const llama *m = &s->model;
    const chat_room room = {m->encoder, m->message, m->text_bytes};
    size_t n_ids;
    lll_status status = chat_encode(chat, &s->words, messages, n, first,
                                    &room, m->ids, (size_t)s->request.n_ctx,
                                    &n_ids, err);
    return status == LLL_OK ? answer(s, set, m->ids, n_ids, err) : status;
}
// @end verbs-turn

// @begin verbs-line
// A line of standard input without its end. *n is -1 when there is none.
static lll_status read_line(char *line, size_t capacity, ptrdiff_t *n,
                            lll_error *err)
{
    size_t length = 0;
    int c;
    while ((c = getchar()) != EOF && c != '\n') {
        if (length == capacity)
            return lll_fail(err, LLL_ERR_OVERFLOW,
                            "a line of more than %zu bytes, expected a "
                            "message; use -f for a text, or a larger -c",
                            capacity);
        line[length++] = (char)c;
    }
    *n = c == EOF && length == 0 ? -1 : (ptrdiff_t)length;
    return LLL_OK;
}
// @end verbs-line

// @begin verbs-chat
lll_status verb_chat(session *s, const settings *set, lll_error *err)
{
    chat_template chat;
    lll_status status = chat_recognise(&chat, &s->file, &s->words, err);
    if (status != LLL_OK)
        return status;
    if (set->prompt != NULL)
        return turn(s, set, &chat, set->prompt, strlen(set->prompt), err);
    if (set->prompt_file != NULL) {
        file_map map;
        status = file_map_open(&map, set->prompt_file, err);
        if (status != LLL_OK)
            return status;
        status = turn(s, set, &chat, (const char *)map.bytes, map.n_bytes,
                      err);
        file_map_close(&map);
        return status;
    }
    // @end verbs-chat

    // @begin verbs-chat-lines
    bool person = isatty(STDIN_FILENO) != 0;
    if (person)
        fputs("Type a message. Ctrl-C ends an answer, Ctrl-D the talk.\n",
              stderr);
    char *line = s->model.line;
    ptrdiff_t n = 0;
    while (status == LLL_OK) {
        if (person)
            fputs("> ", stderr);
        status = read_line(line, s->model.text_bytes, &n, err);
        if (status == LLL_OK && n < 0)
            break;
        if (status == LLL_OK && n > 0)
            status = turn(s, set, &chat, line, (size_t)n, err);
    }
    return status;
}
// @end verbs-chat-lines

// @begin verbs-best
enum { BEST = 10 };

static void print_best(const session *s, const candidate *best, int n)
{
    for (int i = 0; i < n; i++) {
        char text[256];
        size_t length = tokenizer_piece(&s->words, best[i].id, true, text,
                                        sizeof text);
        printf("%6" PRId32 "  %9.4f  \"", best[i].id, (double)best[i].logit);
        terminal_text(stdout, text,
                      length < sizeof text ? length : sizeof text);
        printf("\"\n");
    }
}
// @end verbs-best

// @begin verbs-best-json
static lll_status print_best_json(const int32_t *ids, size_t n_ids,
                                  const candidate *best, int n,
                                  lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "prompt");
    json_out_array(&json);
    for (size_t i = 0; i < n_ids; i++)
        json_out_i64(&json, ids[i]);
    json_out_end(&json);
    json_out_key(&json, "top");
    json_out_array(&json);
    for (int i = 0; i < n; i++) {
        json_out_object(&json);
        json_out_key(&json, "id");
        json_out_i64(&json, best[i].id);
        json_out_key(&json, "logit");
        json_out_f32(&json, best[i].logit);
        json_out_end(&json);
    }
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end verbs-best-json

// @begin verbs-logits
lll_status verb_logits(session *s, const settings *set, lll_error *err)
{
    const int32_t *ids;
    size_t n_ids;
    const float *logits;
    sampler top;
    int n = s->config.vocab_size < BEST ? s->config.vocab_size : BEST;
    lll_status status = read_prompt(s, set, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    status = generate_prefill(&s->model, ids, n_ids, NULL, &logits, err);
    if (status == LLL_OK) {
        sampler_init(&top, &set->sampling, s->model.candidates,
                     s->config.vocab_size);
        sampler_top(&top, logits, n);
        if (set->json)
            status = print_best_json(ids, n_ids, top.candidates, n, err);
        else
            print_best(s, top.candidates, n);
    }
    return status;
}
// @end verbs-logits
