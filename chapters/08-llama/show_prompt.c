// What the model is fed, with its tokens visible.
#include <stdio.h>

#include "chapters/08-llama/verbs.h"
#include "common/json_out.h"
#include "common/terminal.h"

// @begin show-prompt
// Tokens side by side, with a bar between them and a new line behind those
// that end one.
static void show(FILE *out, const session *s, const int32_t *ids, size_t n)
{
    const llama *m = &s->model;
    bool color = terminal_color(out);
    fprintf(out, "prompt, %zu token%s:\n", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++) {
        size_t length = tokenizer_piece(&s->words, ids[i], true, m->message,
                                        m->text_bytes);
        if (length > m->text_bytes)
            length = m->text_bytes;
        bool ends = i + 1 == n
                    || (length > 0 && m->message[length - 1] == '\n');
        terminal_text(out, m->message, length);
        terminal_paint(out, color, 8, ends ? "|\n" : "|");
    }
}
// @end show-prompt

// @begin show-prompt-json
static lll_status show_json(const session *s, const char *label,
                            const int32_t *ids, size_t n, lll_error *err)
{
    const llama *m = &s->model;
    json_out json;
    utf8_stream text = {.at_start = false};
    json_out_begin(&json, stdout);
    json_out_object(&json);
    if (label != NULL) {
        json_out_key(&json, "model");
        json_out_text(&json, label);
    }
    json_out_key(&json, "prompt");
    json_out_bytes_begin(&json);
    for (size_t i = 0; i < n; i++)
        json_out_bytes_part(&json, m->held, utf8_stream_push(
            &text, &s->words, ids[i], true, m->held,
            m->plan.bytes[PLAN_HELD]));
    json_out_bytes_part(&json, m->held, utf8_stream_flush(
        &text, m->held, m->plan.bytes[PLAN_HELD]));
    json_out_bytes_end(&json);
    json_out_key(&json, "ids");
    json_out_array(&json);
    for (size_t i = 0; i < n; i++)
        json_out_i64(&json, ids[i]);
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end show-prompt-json

// @begin show-prompt-verb
lll_status show_prompt(const session *s, const settings *set,
                       const int32_t *ids, size_t n_ids, lll_error *err)
{
    bool alone = set->n_predict == 0;       // then it is the result
    if (alone && set->json)
        return show_json(s, set->label, ids, n_ids, err);
    show(alone ? stdout : stderr, s, ids, n_ids);
    return LLL_OK;
}
// @end show-prompt-verb
