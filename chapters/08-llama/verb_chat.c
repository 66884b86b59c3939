#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chapters/08-llama/verbs.h"
#include "common/chat.h"
#include "common/file.h"

// @begin verb-turn
// One message of the user, and the model's answer.
static lll_status turn(session *s, const settings *set,
                       const chat_template *chat, const char *text,
                       size_t n_bytes, lll_error *err)
{
    bool first = s->model.caches[0].length == 0;
    chat_message messages[2];
    int n = 0;
    if (first && set->system != NULL)
        messages[n++] = (chat_message){CHAT_SYSTEM, set->system,
                                       strlen(set->system)};
    messages[n++] = (chat_message){CHAT_USER, text, n_bytes};
    const llama *m = &s->model;
    const chat_room room = {m->encoder, m->message, m->text_bytes};
    size_t n_ids;
    lll_status status = chat_encode(chat, &s->words, messages, n, first,
                                    &room, m->ids, (size_t)s->request.n_ctx,
                                    &n_ids, err);
    return status == LLL_OK ? answer(s, set, m->ids, n_ids, err) : status;
}
// @end verb-turn

// @begin verb-line
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
// @end verb-line

// @begin verb-chat
lll_status verb_chat(session *s, const settings *set, lll_error *err)
{
    chat_template chat;
    lll_status status = chat_recognise(&chat, &s->file, &s->words,
                                       NULL, err);
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
    // @end verb-chat

    // @begin verb-chat-lines
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
// @end verb-chat-lines
