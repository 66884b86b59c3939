#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/partner.h"
#include "chapters/08-llama/verbs.h"
#include "common/file.h"

// @begin verb-line
// A line of a terminal ends at this many bytes, and loses the rest.
enum { TYPED = 4095 };

// The rest of a line that is refused.
static void skip_line(int c)
{
    while (c != '\n' && c != EOF)
        c = getchar();
}

// Ctrl-C between the lines of a message drops what was typed of it.
static ptrdiff_t drop_message(void)
{
    clearerr(stdin);
    fputc('\n', stderr);
    return 0;
}
// @end verb-line

// @begin verb-message
// A message from standard input, without the end of its line; a backslash
// there goes on with the next line. *n is -1 when there is none.
static lll_status read_message(bool person, char *text, size_t capacity,
                               ptrdiff_t *n, lll_error *err)
{
    // Here Ctrl-C is as good as Ctrl-D.
    const volatile sig_atomic_t *interrupted = watch_interrupt(true);
    size_t length = 0, begin = 0;
    int c;
    while ((c = getchar()) != EOF) {
        if (c == '\n' && (length == 0 || text[length - 1] != '\\'))
            break;
        if (c == '\n') {
            text[length - 1] = '\n';
            begin = length;
            fputs(person ? "... " : "", stderr);
        } else if (length < capacity
                   && (!person || length - begin + 1 < TYPED)) {
            text[length++] = (char)c;
        } else {
            skip_line(c);
            return lll_fail(err, LLL_ERR_ARGUMENT,
                            "a line of more than %zu bytes, expected a "
                            "message; use -f or a pipe for a text, or a "
                            "larger -c", length - begin);
        }
    }
    *n = c == EOF && length == 0 ? -1 : (ptrdiff_t)length;
    if (c == EOF && length > 0 && *interrupted)
        *n = drop_message();
    return LLL_OK;
}
// @end verb-message

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
    if (set->prompt == NULL && set->prompt_file == NULL)
        return talk_by_lines(p, hear, err);
    lll_status status = prompt_text(p->s, set, &map, &text, &n, err);
    if (status == LLL_OK)
        status = hear(p, text, n, false, err);
    file_map_close(&map);
    return status;
}
// @end verb-talk

// @begin verb-save
// The end of a talk is no place to lose it: a person may say another name.
static lll_status save_at_end(partner *p, lll_error *err)
{
    char *name = p->s->model.line;
    const char *format = p->chat.format->name;
    ptrdiff_t n;
    lll_status status = talk_save(&p->turns, p->s, format, p->set.save, err);
    while (status != LLL_OK && p->person) {
        fprintf(stderr, "%s\nAnother name, or an empty line: ", err->text);
        clearerr(stdin);                // Ctrl-D has ended the talk
        if (read_message(true, name, p->s->model.text_bytes - 1, &n, NULL)
            != LLL_OK || n <= 0)
            break;
        name[n] = '\0';
        status = talk_save(&p->turns, p->s, format, name, err);
    }
    return status;
}
// @end verb-save

// @begin verb-chat
lll_status verb_chat(session *s, const settings *set, lll_error *err)
{
    partner p;
    lll_error unsaved;
    lll_status status = partner_begin(&p, s, set, err), saved = LLL_OK;
    if (status != LLL_OK)
        return status;
    status = talk_with(&p, partner_hear, err);
    if (set->save != NULL)
        saved = save_at_end(&p, &unsaved);
    // Of two faults the first is told.
    if (status == LLL_OK && saved != LLL_OK)
        *err = unsaved;
    return status != LLL_OK ? status : saved;
}
// @end verb-chat
