// Answers in the order of their questions.
#include "chapters/08-llama/in_order.h"

#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/verbs.h"
#include "common/terminal.h"

// @begin in-order-add
waiting *in_order_add(in_order *list, size_t line)
{
    if (list->n == MOST_WAITING)
        return NULL;
    waiting *w = &list->answers[(list->first + list->n++) % MOST_WAITING];
    w->list = list;
    w->line = line;
    w->done = false;
    w->n_bytes = 0;
    return w;
}

static waiting *first_of(in_order *list)
{
    return &list->answers[list->first % MOST_WAITING];
}

bool has_no_room(const waiting *w, size_t n)
{
    return w != first_of(w->list) && WAITING_BYTES - w->n_bytes < n;
}
// @end in-order-add

// @begin in-order-show
// Show what the first answer has so far.
static void show(in_order *list)
{
    waiting *w = first_of(list);
    if (!list->begun && list->as_json) {
        json_out_begin(&list->json, stdout);
        json_out_object(&list->json);
        json_out_key(&list->json, "line");
        json_out_u64(&list->json, w->line);
        json_out_key(&list->json, "text");
        json_out_bytes_begin(&list->json);
    } else if (!list->begun) {
        printf("%zu:\n", w->line);
    }
    list->begun = true;
    if (list->as_json)
        json_out_bytes_part(&list->json, w->text, w->n_bytes);
    else
        show_text(stdout, w->text, w->n_bytes);
    w->n_bytes = 0;
    if (!list->as_json)
        fflush(stdout);
}
// @end in-order-show

// @begin in-order-text
void in_order_text(void *answer, const char *text, size_t n)
{
    waiting *w = answer;
    while (n > 0) {
        size_t part = WAITING_BYTES - w->n_bytes;
        if (part > n)
            part = n;
        memcpy(w->text + w->n_bytes, text, part);
        w->n_bytes += part;
        if (w == first_of(w->list))
            show(w->list);
        text += part;
        n -= part;
    }
}
// @end in-order-text

// @begin in-order-finish
static void finish_json(in_order *list, const waiting *w)
{
    bool good = w->status == LLL_OK;
    json_out *json = &list->json;
    const struct { const char *name; uint64_t value; } rows[] = {
        {"prompt_tokens", (uint64_t)w->prompt_tokens},
        {"completion_tokens", (uint64_t)w->completion_tokens},
        {"seed", list->seed},
    };
    json_out_bytes_end(json);
    json_out_key(json, "finish_reason");
    json_out_text(json, good ? finish_reason_name(w->reason) : "error");
    if (!good) {
        json_out_key(json, "error");
        json_out_text(json, w->sentence);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_out_key(json, rows[i].name);
        json_out_u64(json, rows[i].value);
    }
    json_out_end(json);
    // What could not be written is found when the program ends.
    (void)json_out_finish(json, NULL);
}
// @end in-order-finish

// @begin in-order-end
void in_order_end(waiting *answer, const generate_report *report,
                  lll_status status, const lll_error *err)
{
    in_order *list = answer->list;
    answer->done = true;
    answer->status = status;
    answer->reason = report->reason;
    answer->prompt_tokens = report->prompt_tokens;
    answer->completion_tokens = report->completion_tokens;
    if (status != LLL_OK)
        snprintf(answer->sentence, sizeof answer->sentence, "%s", err->text);
    for (; list->n > 0 && first_of(list)->done; list->n--, list->first++) {
        waiting *w = first_of(list);
        if (w->status != LLL_OK) {
            fprintf(stderr, "error: %s, line %zu: %s\n", list->path, w->line,
                    w->sentence);
            list->n_failed++;
        }
        // A text that never began and has failed is no result.
        if (w->status == LLL_OK || w->n_bytes > 0 || list->as_json)
            show(list);
        if (list->as_json)
            finish_json(list, w);
        else if (list->begun)
            fputc('\n', stdout);
        list->begun = false;
    }
    if (list->n > 0 && first_of(list)->n_bytes > 0)
        show(list);
}
// @end in-order-end
