#include "chapters/08-llama/partner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chapters/08-llama/verbs.h"
#include "common/generate.h"
#include "common/printable.h"

// @begin partner-system
// Templates that move the system prompt on would change what was said.
static lll_status check_system(const partner *p, lll_error *err)
{
    const chat_format *f = p->chat.format;
    bool one = p->set.prompt != NULL || p->set.prompt_file != NULL;
    if (f->place == CHAT_SYSTEM_NOWHERE)
        return lll_fail(err, LLL_ERR_ARGUMENT, "the chat template %s has no "
                        "place for a system prompt; write it into the first "
                        "message", f->name);
    if (f->place == CHAT_SYSTEM_IN_LAST && !one)
        return lll_fail(err, LLL_ERR_ARGUMENT, "the chat template %s moves "
                        "the system prompt to the last message, so only a "
                        "talk of one message, with -p or -f, can have one",
                        f->name);
    return LLL_OK;
}
// @end partner-system

// @begin partner-begin
lll_status partner_begin(partner *p, session *s, const settings *set,
                         lll_error *err)
{
    *p = (partner){.s = s, .set = *set, .reply = answer};
    p->set.chat = true;
    p->person = set->prompt == NULL && set->prompt_file == NULL
                && isatty(STDIN_FILENO);
    lll_status status = chat_recognise(&p->chat, &s->file, &s->words,
                                       set->chat_template, err);
    if (status == LLL_OK && set->system != NULL)
        status = check_system(p, err);
    if (status == LLL_OK && set->save != NULL)
        status = talk_try(set->save, err);
    if (status == LLL_OK && set->resume != NULL)
        status = talk_load(&p->turns, s, p->chat.format->name, set->resume,
                           err);
    if (status != LLL_OK || set->quiet)
        return status;
    if (p->chat.note != NULL)
        fprintf(stderr, "note: %s\n", p->chat.note);
    if (set->resume != NULL)
        fprintf(stderr, "[%s: %d tokens]\n", set->resume,
                s->model.caches[0].length);
    return LLL_OK;
}
// @end partner-begin

// @begin partner-encode
lll_status partner_encode(partner *p, const char *text, size_t n_bytes,
                          size_t *n_ids, lll_error *err)
{
    const llama *m = &p->s->model;
    const char *system = p->set.system;
    bool first = m->caches[0].length == 0;
    chat_message messages[2];
    int n = 0;
    if (first && system != NULL)
        messages[n++] = (chat_message){CHAT_SYSTEM, system, strlen(system)};
    messages[n++] = (chat_message){CHAT_USER, text, n_bytes};
    const chat_room room = {m->encoder, m->message, m->text_bytes};
    lll_status status = chat_encode(&p->chat, &p->s->words, messages, n,
                                    first, &room, m->ids,
                                    (size_t)p->s->request.n_ctx, n_ids, err);
    // Somebody who types can type something else.
    return status == LLL_ERR_OVERFLOW || status == LLL_ERR_UNSUPPORTED
           ? LLL_ERR_ARGUMENT : status;
}
// @end partner-encode

// @begin partner-full
// Is there room for n more tokens? A person can make some; without one the
// talk is over.
static lll_status check_room(partner *p, size_t n, lll_error *err)
{
    const kv_cache *c = &p->s->model.caches[0];
    if (p->set.context_shift || c->length == 0
        || n <= (size_t)(c->capacity - c->length))
        return LLL_OK;
    if (p->person)
        return lll_fail(err, LLL_ERR_ARGUMENT, "The context of %d tokens is "
                        "full; /undo and /reset make room.", c->capacity);
    fprintf(stderr, "The context of %d tokens is full, and the talk ends; "
            "see -c, --context-shift.\n", c->capacity);
    p->over = true;
    return LLL_OK;
}
// @end partner-full

// @begin partner-ask
// Feed n tokens and let the model answer. What a shift of the context has
// moved cannot be taken back. It leaves the beginning, as long as that is no
// more than half of everything.
static lll_status ask(partner *p, size_t n, generate_report *report,
                      lll_error *err)
{
    const llama *m = &p->s->model;
    const kv_cache *c = &m->caches[0];
    settings set = p->set;
    int kept = p->turns.n_kept;
    bool keeps = kept <= c->capacity / 2 && n <= (size_t)(c->capacity - kept);
    if (keeps && set.keep < kept)
        set.keep = kept;
    p->answered = true;
    lll_status status = p->reply(p->s, &set, m->ids, n, report, err);
    // An answer that failed has no report.
    bool shifted = status == LLL_OK ? report->dropped > 0
                                    : set.context_shift;
    if (shifted)
        p->turns.n_turns = 0;
    if ((shifted && !keeps) || c->length < kept)
        p->turns.n_kept = 0;
    return status;
}
// @end partner-ask

// @begin partner-turn
lll_status partner_turn(partner *p, const char *text, size_t n_bytes,
                        lll_error *err)
{
    const kv_cache *c = &p->s->model.caches[0];
    generate_report report;
    int begin = c->length;
    size_t n = 0;
    lll_status status = partner_encode(p, text, n_bytes, &n, err);
    if (status == LLL_OK)
        status = check_room(p, n, err);
    // A program that reads JSON gets its line all the same.
    if (status != LLL_OK || (p->over && !p->set.json))
        return status;
    if (begin == 0)
        p->turns.n_kept = (int)n;
    status = ask(p, n, &report, err);
    if (status == LLL_OK && report.dropped == 0 && c->length > begin)
        talk_add(&p->turns, begin, begin + (int)n);
    return status;
}
// @end partner-turn

// @begin partner-commands
typedef lll_status command(partner *p, lll_error *err);

static lll_status reset(partner *p, lll_error *err)
{
    (void)err;
    talk_reset(&p->turns, p->s);
    return LLL_OK;
}

static lll_status set_system(partner *p, lll_error *err)
{
    lll_status status = check_system(p, err);
    if (status != LLL_OK)
        return status;
    p->set.system = memcpy(p->system, p->text, sizeof p->text);
    return reset(p, err);
}

static lll_status undo(partner *p, lll_error *err)
{
    if (!talk_undo(&p->turns, p->s))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "nothing that could be taken back");
    return LLL_OK;
}

// @end partner-commands

// @begin partner-retry
// The last token of the message is fed again: its logits are gone.
static lll_status retry(partner *p, lll_error *err)
{
    llama *m = &p->s->model;
    generate_report report;
    if (p->turns.n_turns == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT, "no answer that could be "
                        "given again");
    int at = p->turns.turns[p->turns.n_turns - 1].answer;
    kv_cache_truncate(&m->caches[0], at - 1);
    m->ids[0] = generate_history(m, 0)[at - 1];
    p->set.sampling.seed++;             // or it would be the same again
    return ask(p, 1, &report, err);
}
// @end partner-retry

// @begin partner-commands-2
static lll_status save(partner *p, lll_error *err)
{
    if (p->text[0] == '\0' || p->set.compare != NULL)
        return lll_fail(err, LLL_ERR_ARGUMENT, "/save needs a file's name, "
                        "and a talk with one model");
    lll_status status = talk_save(&p->turns, p->s, p->chat.format->name,
                                  p->text, err);
    // A disk that is full is no reason to end a talk.
    return status == LLL_ERR_IO ? LLL_ERR_ARGUMENT : status;
}

static lll_status leave(partner *p, lll_error *err)
{
    (void)err;
    p->over = true;
    return LLL_OK;
}

static lll_status help(partner *p, lll_error *err)
{
    (void)err;
    if (p->silent)
        return LLL_OK;
    fputs("/system TEXT  who the model is; begins again\n"
          "/reset        begin again\n"
          "/undo         take the last message and its answer back\n"
          "/retry        another answer to the last message\n"
          "/save FILE    for --resume FILE\n"
          "/exit         or Ctrl-D\n"
          "A backslash at the end of a line goes on with the next; a message "
          "that begins\nwith a slash is typed with two. A long text: from a "
          "pipe, or with -f FILE.\n", stderr);
    return LLL_OK;
}
// @end partner-commands-2

// @begin partner-obey
static const struct {
    const char *name;
    command *run;
    bool takes_text;
    const char *said;           // to a person, when it is done
} commands[] = {
    {"help", help, false, NULL}, {"system", set_system, true, "begins again"},
    {"reset", reset, false, "begins again"},
    {"undo", undo, false, "taken back"}, {"retry", retry, false, NULL},
    {"save", save, true, "saved"}, {"exit", leave, false, NULL},
};

static lll_status run_command(partner *p, size_t i, lll_error *err)
{
    if (p->text[0] != '\0' && !commands[i].takes_text)
        return lll_fail(err, LLL_ERR_ARGUMENT, "/%s stands alone on its "
                        "line", commands[i].name);
    lll_status status = commands[i].run(p, err);
    if (status == LLL_OK && p->person && !p->silent
        && commands[i].said != NULL)
        fprintf(stderr, "[%s]\n", commands[i].said);
    return status;
}
// @end partner-obey

// @begin partner-obey-2

static lll_status obey(partner *p, const char *line, size_t n,
                       lll_error *err)
{
    char name[NAME_TEXT];
    size_t word = 0;
    while (word < n && line[word] != ' ')
        word++;
    size_t rest = word < n ? word + 1 : n;
    if (n - rest >= sizeof p->text)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%zu bytes after a command, "
                        "expected at most %zu", n - rest,
                        sizeof p->text - 1);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strlen(commands[i].name) == word
            && memcmp(commands[i].name, line, word) == 0) {
            memcpy(p->text, line + rest, n - rest);
            p->text[n - rest] = '\0';
            return run_command(p, i, err);
        }
    return lll_fail(err, LLL_ERR_ARGUMENT, "no command /%s; /help lists "
                    "them, and // begins a message with a slash",
                    name_text(line, word, name));
}
// @end partner-obey-2

// @begin partner-hear
lll_status partner_hear(partner *p, const char *line, size_t n_bytes,
                        bool typed, lll_error *err)
{
    if (typed && n_bytes > 0 && line[0] == '/') {
        if (n_bytes == 1 || line[1] != '/')
            return obey(p, line + 1, n_bytes - 1, err);
        line++;
        n_bytes--;
    }
    return partner_turn(p, line, n_bytes, err);
}
// @end partner-hear
