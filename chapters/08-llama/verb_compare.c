// Two models that answer the same messages, side by side.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chapters/08-llama/partner.h"
#include "chapters/08-llama/verbs.h"
#include "common/printable.h"
#include "common/terminal.h"

// @begin compare-collect
// Text of an answer on its way into memory: that of messages, which nobody
// needs while the model speaks. What does not fit is cut off.
typedef struct {
    char *text;
    size_t n, capacity;
} collected;

static void on_text(void *context, const char *text, size_t n)
{
    collected *c = context;
    size_t room = c->capacity - 1 - c->n;
    memcpy(c->text + c->n, text, n < room ? n : room);
    c->n += n < room ? n : room;
}

static lll_status collect(session *s, const settings *set,
                          const int32_t *ids, size_t n_ids,
                          generate_report *report, lll_error *err)
{
    collected c = {s->model.message, 0, s->model.text_bytes};
    generate_options options = answer_options(set);
    options.on_text = on_text;
    options.context = &c;
    lll_status status = generate(&s->model, &s->words, ids, n_ids, &options,
                                 report, err);
    s->model.message[c.n] = '\0';
    return name_model(s, status, err);
}
// @end compare-collect

// @begin compare-line
// The bytes of a line of at most `width` columns, cut between words where
// that can be; *at moves on to the next one. What terminal_text() writes as
// \xNN takes four.
static size_t next_line(const char **at, int width)
{
    const char *text = *at;
    size_t n = 0, space = 0, all = strlen(text);
    for (int used = 0; text[n] != '\0' && text[n] != '\n';) {
        int bytes = printable_bytes(text + n, all - n);
        used += bytes > 0 ? 1 : 4;
        if (used > width)
            break;
        if (text[n] == ' ')
            space = n;
        n += bytes > 0 ? (size_t)bytes : 1;
    }
    if (text[n] != '\0' && text[n] != '\n' && text[n] != ' ' && space > 0)
        n = space;
    *at = text + n + (text[n] == ' ' || text[n] == '\n');
    return n;
}
// @end compare-line

// @begin compare-columns
enum { GAP = 3, WIDE = 100 };

static void print_columns(const char *left, const char *right, int width)
{
    int half = (width - GAP) / 2;
    while (*left != '\0' || *right != '\0') {
        const char *from = left;
        size_t n = next_line(&left, half);
        int used = terminal_text(stdout, from, n);
        printf("%*s", used < half + GAP ? half + GAP - used : 1, "");
        from = right;
        n = next_line(&right, half);
        terminal_text(stdout, from, n);
        putchar('\n');
    }
}

static const char *name_of(const partner *p)
{
    const char *slash = strrchr(p->s->file.path, '/');
    return slash == NULL ? p->s->file.path : slash + 1;
}
// @end compare-columns

// @begin compare-hear
// Both hear it. In columns they are shown when both have answered.
static lll_status hear_both(partner *p, const char *text, size_t n,
                            bool typed, lll_error *err)
{
    bool columns = p->reply == collect;
    lll_status status = LLL_OK;
    talk *first = &p[0].turns;
    int before = p[0].s->model.caches[0].length;
    p[0].answered = p[1].answered = false;
    for (int i = 0; i < 2 && status == LLL_OK && !p->over; i++) {
        status = partner_hear(&p[i], text, n, typed, err);
        p->over = p->over || p[i].over;
        if (!p[i].answered)
            p[i].s->model.message[0] = '\0';
    }
    // A message that one did not take in, the other has not heard either.
    if (status == LLL_ERR_ARGUMENT && first->n_turns > 0
        && first->turns[first->n_turns - 1].begin >= before)
        talk_undo(first, p[0].s);
    if (status == LLL_OK && columns && (p[0].answered || p[1].answered))
        print_columns(p[0].s->model.message, p[1].s->model.message,
                      terminal_width(stdout));
    return status;
}
// @end compare-hear

// @begin compare-names
static void print_names(const partner *p)
{
    int half = (terminal_width(stdout) - GAP) / 2;
    bool color = terminal_color(stdout);
    for (int i = 0; i < 2; i++) {
        char name[256], line[256];
        snprintf(name, sizeof name, "%s", name_of(&p[i]));
        printable_sentence(line, half < 255 ? (size_t)half + 1 : 256, name);
        terminal_bold(stdout, color, line);
        int used = 0;
        for (const char *at = line; *at != '\0'; at++)
            used += (*at & 0xc0) != 0x80;   // the first byte of a character
        printf("%*s", i == 0 ? half + GAP - used : 0, "");
    }
    putchar('\n');
}
// @end compare-names

// @begin compare-verb
lll_status verb_compare(session *none, const settings *set, lll_error *err)
{
    session sessions[2] = {0};
    partner two[2];
    const char *const paths[2] = {set->compare, set->others.items[0]};
    lll_status status = LLL_OK;
    (void)none;
    for (int i = 0; i < 2 && status == LLL_OK; i++) {
        status = open_session(&sessions[i], paths[i], set, 1, err);
        if (status == LLL_OK)
            status = partner_begin(&two[i], &sessions[i], set, err);
        two[i].set.label = paths[i];
        two[i].silent = i > 0;
        if (!set->json && isatty(STDOUT_FILENO)
            && terminal_width(stdout) >= WIDE)
            two[i].reply = collect;
    }
    if (status == LLL_OK && two[0].reply == collect)
        print_names(two);
    if (status == LLL_OK)
        status = talk_with(two, hear_both, err);
    session_close(&sessions[1]);
    session_close(&sessions[0]);
    return status;
}
// @end compare-verb
