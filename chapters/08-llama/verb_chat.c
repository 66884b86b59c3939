#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chapters/08-llama/partner.h"
#include "chapters/08-llama/verbs.h"
#include "common/file.h"

// @begin verb-line
// A message from standard input, without the end of its line; a backslash
// there goes on with the next line. *n is -1 when there is none.
static lll_status read_message(bool person, char *text, size_t capacity,
                               ptrdiff_t *n, lll_error *err)
{
    size_t length = 0;
    int c;
    while ((c = getchar()) != EOF) {
        if (c == '\n' && (length == 0 || text[length - 1] != '\\'))
            break;
        if (c == '\n') {
            text[length - 1] = '\n';
            fputs(person ? "... " : "", stderr);
        } else if (length < capacity) {
            text[length++] = (char)c;
        } else {
            return lll_fail(err, LLL_ERR_OVERFLOW,
                            "a line of more than %zu bytes, expected a "
                            "message; use -f for a text, or a larger -c",
                            capacity);
        }
    }
    *n = c == EOF && length == 0 ? -1 : (ptrdiff_t)length;
    return LLL_OK;
}
// @end verb-line

// @begin verb-chat-lines
static lll_status talk_by_lines(partner *p, listener *hear, lll_error *err)
{
    char *line = p->s->model.line;
    ptrdiff_t n = 0;
    lll_status status = LLL_OK;
    if (p->person)
        fputs("Type a message, or /help. Ctrl-C ends an answer, Ctrl-D the "
              "talk.\n", stderr);
    while (status == LLL_OK && !p->over) {
        watch_interrupt(true);      // here Ctrl-C is as good as Ctrl-D
        if (p->person)
            fputs("> ", stderr);
        status = read_message(p->person, line, p->s->model.text_bytes, &n,
                              err);
        if (status == LLL_OK && n < 0)
            break;
        if (status == LLL_OK && n > 0)
            status = hear(p, line, (size_t)n, true, err);
        // Somebody who types can type something else.
        if (status == LLL_ERR_ARGUMENT && p->person) {
            fprintf(stderr, "%s\n", err->text);
            status = LLL_OK;
        }
    }
    return status;
}
// @end verb-chat-lines

// @begin verb-talk
lll_status talk_with(partner *p, listener *hear, lll_error *err)
{
    const settings *set = &p->set;
    file_map map;
    const char *text;
    size_t n;
    p->person = set->prompt == NULL && set->prompt_file == NULL
                && isatty(STDIN_FILENO);
    if (set->prompt == NULL && set->prompt_file == NULL)
        return talk_by_lines(p, hear, err);
    lll_status status = prompt_text(p->s, set, &map, &text, &n, err);
    if (status == LLL_OK)
        status = hear(p, text, n, false, err);
    file_map_close(&map);
    return status;
}
// @end verb-talk

// @begin verb-chat
lll_status verb_chat(session *s, const settings *set, lll_error *err)
{
    partner p;
    lll_status status = partner_begin(&p, s, set, err);
    if (status == LLL_OK)
        status = talk_with(&p, partner_hear, err);
    if (status == LLL_OK && set->save != NULL)
        status = talk_save(&p.turns, s, p.chat.format->name, set->save, err);
    return status;
}
// @end verb-chat
