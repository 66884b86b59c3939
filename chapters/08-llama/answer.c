// Text and report of whatever generates.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chapters/08-llama/report.h"
#include "chapters/08-llama/verbs.h"
#include "common/json_out.h"
#include "common/terminal.h"

// @begin answer-interrupt
// Ctrl-C ends the answer, and what has been said so far is kept. A second
// one ends the program, because the handler is gone after the first. A write
// that waits for a slow reader goes on, or its text would be lost.
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

const volatile sig_atomic_t *watch_interrupt(bool ends_reading)
{
    int restart = ends_reading ? 0 : SA_RESTART;
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = (int)SA_RESETHAND | restart};
    interrupted = 0;
    sigaction(SIGINT, &action, NULL);
    return &interrupted;
}
// @end answer-interrupt

// @begin answer-show
void show_text(FILE *out, const char *text, size_t n)
{
    bool obeys = isatty(fileno(out));
    while (n > 0) {
        size_t line = 0;
        while (line < n && text[line] != '\n' && text[line] != '\t')
            line++;
        if (obeys)
            terminal_text(out, text, line);
        else
            fwrite(text, 1, line, out);
        if (line < n)
            fputc(text[line++], out);
        text += line;
        n -= line;
    }
}
// @end answer-show

// @begin answer-sink
// Where generated text goes: to standard output at once, as it is or as the
// first field of a JSON object.
typedef struct {
    bool as_json, begun;
    const char *label;              // of the model; or NULL
    json_out json;
} text_sink;

static void begin_json(text_sink *sink)
{
    if (sink->begun)
        return;
    sink->begun = true;
    json_out_begin(&sink->json, stdout);
    json_out_object(&sink->json);
    if (sink->label != NULL) {
        json_out_key(&sink->json, "model");
        json_out_text(&sink->json, sink->label);
    }
    json_out_key(&sink->json, "text");
    json_out_bytes_begin(&sink->json);
}
// @end answer-sink

// @begin answer-text
static void on_text(void *context, const char *text, size_t n)
{
    text_sink *sink = context;
    if (sink->as_json) {
        begin_json(sink);
        json_out_bytes_part(&sink->json, text, n);
    } else {
        sink->begun = true;
        show_text(stdout, text, n);
        fflush(stdout);
    }
    // A full disk, or a reader that has gone: no use in going on.
    if (ferror(stdout))
        interrupted = 1;
}

// The end of the text; an answer that failed has no report behind it.
static void end_text(text_sink *sink, bool good)
{
    if (!good && !sink->begun)
        return;
    if (!sink->as_json) {
        fputc('\n', stdout);
        fflush(stdout);
        return;
    }
    begin_json(sink);
    json_out_bytes_end(&sink->json);
    if (good)
        return;
    json_out_key(&sink->json, "finish_reason");
    json_out_text(&sink->json, "error");
    json_out_end(&sink->json);
    json_out_finish(&sink->json, NULL);
}
// @end answer-text

// @begin answer-options
generate_options answer_options(const settings *set)
{
    return (generate_options){
        .sampling = set->sampling, .max_tokens = (int)set->n_predict,
        .context_shift = set->context_shift, .keep = (int)set->keep,
        .ignore_end = set->ignore_end, .special = set->special,
        .continues = set->chat,
        .stops = set->stops.items, .n_stops = set->stops.n_items,
        .interrupted = watch_interrupt(false),
    };
}

// @end answer-options

// @begin answer
lll_status answer(session *s, const settings *set, const int32_t *ids,
                  size_t n_ids, generate_report *report, lll_error *err)
{
    text_sink sink = {.as_json = set->json, .label = set->label};
    generate_options options = answer_options(set);
    options.on_text = on_text;
    options.context = &sink;
    lll_status status = LLL_OK;
    *report = (generate_report){.reason = FINISH_LENGTH};
    if (set->show_prompt)
        status = show_prompt(s, set, ids, n_ids, err);
    if (status != LLL_OK || (set->show_prompt && set->n_predict == 0))
        return status;
    if (set->label != NULL && !set->json) {
        show_text(stdout, set->label, strlen(set->label));
        puts(":");
    }
    status = generate(&s->model, &s->words, ids, n_ids, &options, report,
                      err);
    end_text(&sink, status == LLL_OK);
    if (status != LLL_OK)
        return name_model(s, status, err);
    if (set->json)
        return report_json(s, set, report, &sink.json, err);
    // Who cannot be written to did not interrupt; main() says what it was.
    return ferror(stdout) ? LLL_OK : report_lines(s, set, report, err);
}
// @end answer
