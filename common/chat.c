#include "common/chat.h"

#include <string.h>

#include "common/unicode.h"

// @begin chat-writer
// A conversation on its way to numbers: text is collected between special
// tokens, because it is cut as one; the first failure stays and stops the
// rest.
typedef struct {
    const tokenizer *words;
    const chat_room *room;
    size_t n_text;                  // bytes collected in room->text
    bool goes_on;                   // they follow a text of before
    int32_t *ids;
    size_t capacity, n_ids;
    lll_status status;
    lll_error *err;
} id_writer;

static void too_many(id_writer *w)
{
    w->status = lll_fail(w->err, LLL_ERR_OVERFLOW,
                         "the conversation needs more than %zu tokens; use "
                         "a larger -c", w->capacity);
}
// @end chat-writer

// @begin chat-flush
// Cut what was collected. Without TOKENIZER_SPECIAL: "<|im_end|>" in a
// message stays text.
static void flush(id_writer *w)
{
    tokenizer_encoder e;
    int32_t one_more;
    size_t n = 0, n_more = 0;
    if (w->status == LLL_OK)
        w->status = tokenizer_begin(&e, w->words, w->room->text, w->n_text,
                                    w->goes_on ? TOKENIZER_GOES_ON : 0,
                                    w->room->encoder, w->room->n_bytes,
                                    w->err);
    if (w->status == LLL_OK)
        w->status = tokenizer_more(&e, w->ids + w->n_ids,
                                   w->capacity - w->n_ids, &n, w->err);
    if (w->status == LLL_OK)
        w->status = tokenizer_more(&e, &one_more, 1, &n_more, w->err);
    if (w->status == LLL_OK && n_more > 0)
        too_many(w);
    w->n_ids += n;
    w->n_text = 0;
}

static void put_token(id_writer *w, int32_t id)
{
    flush(w);
    w->goes_on = false;
    if (w->status == LLL_OK && w->n_ids == w->capacity)
        too_many(w);
    else if (w->status == LLL_OK)
        w->ids[w->n_ids++] = id;
}
// @end chat-flush

// @begin chat-put-text
static void put_text(id_writer *w, const char *text, size_t n_bytes)
{
    if (w->status != LLL_OK)
        return;
    if (n_bytes > w->room->n_bytes - w->n_text) {
        w->status = lll_fail(w->err, LLL_ERR_OVERFLOW,
                             "a message of %zu bytes with what stands around "
                             "it, expected at most %zu bytes; use a larger "
                             "-c", n_bytes, w->room->n_bytes);
        return;
    }
    if (n_bytes > 0)
        memcpy(w->room->text + w->n_text, text, n_bytes);
    w->n_text += n_bytes;
}
// @end chat-put-text

// @begin chat-put-frame
// What a format writes: here special tokens are meant.
static void put_frame(id_writer *w, const char *text)
{
    const tokenizer *t = w->words;
    size_t n = strlen(text), length;
    for (size_t at = 0; at < n && w->status == LLL_OK; at += length) {
        int32_t id = -1;
        length = 5;
        if (strncmp(text + at, "{bos}", length) == 0)
            id = t->bos;
        else if (strncmp(text + at, "{eos}", length) == 0)
            id = t->eos;
        else
            id = vocabulary_find_special(
                &t->words, (const unsigned char *)text + at, n - at, true,
                &length);
        if (id >= 0) {
            put_token(w, id);
        } else {
            length = 1;
            put_text(w, text + at, 1);
        }
    }
}
// @end chat-put-frame

// @begin chat-trim
// Is the character at the front or at the end of n bytes white space? Gives
// its bytes, or 0. Jinja's trim is Python's strip, which knows four controls
// more than Unicode does.
static size_t space_at(const char *text, size_t n, bool front)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t from = n;
    uint32_t code;
    if (n == 0)
        return 0;
    do
        from--;
    while (from > 0 && n - from < 4 && (bytes[from] & 0xc0) == 0x80);
    if (front)
        from = 0;
    int length = unicode_decode(bytes + from, n - from, &code);
    bool whole = length > 0 && (front || (size_t)length == n - from);
    bool space = whole && ((code >= 0x1c && code <= 0x1f)
                           || (unicode_kind(code) & UNICODE_SPACE));
    return space ? (size_t)length : 0;
}

// Take the white space around what was collected from byte `from` on.
static void trim(id_writer *w, size_t from)
{
    char *text = w->room->text + from;
    size_t n, at = 0, end = w->n_text - from;
    while ((n = space_at(text + at, end - at, true)) > 0)
        at += n;
    while ((n = space_at(text + at, end - at, false)) > 0)
        end -= n;
    memmove(text, text + at, end - at);
    w->n_text = from + end - at;
}
// @end chat-trim

// @begin chat-put-message
// A message; `system` is put in front of its text where the format wants it
// there, else NULL.
static void put_message(id_writer *w, const chat_format *f,
                        const chat_message *system,
                        const chat_message *message)
{
    const chat_frame *frame = &f->frames[message->role];
    put_frame(w, frame->before);
    size_t from = w->n_text;
    if (system != NULL) {
        put_frame(w, f->frames[CHAT_SYSTEM].before);
        put_text(w, system->text, system->n_bytes);
        put_frame(w, f->frames[CHAT_SYSTEM].after);
    }
    put_text(w, message->text, message->n_bytes);
    if (frame->trims && w->status == LLL_OK)
        trim(w, from);
    put_frame(w, frame->after);
}
// @end chat-put-message

// @begin chat-check
static lll_status check(const chat_template *chat,
                        const chat_message *messages, int n_messages,
                        bool first, lll_error *err)
{
    const chat_format *f = chat->format;
    bool system = n_messages > 0 && messages[0].role == CHAT_SYSTEM;
    if (system && f->place == CHAT_SYSTEM_NOWHERE)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "the chat template %s has no place for a system "
                        "prompt; leave it out, or write it into the first "
                        "message", f->name);
    if (first && !system && chat->wants_system)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "the file's chat template would compute a system "
                        "prompt, which is not done here; give one with -sys "
                        "or /system");
    for (int i = system; i < n_messages; i++) {
        chat_role due = i % 2 == system ? CHAT_USER : CHAT_ASSISTANT;
        if (messages[i].role == CHAT_SYSTEM
            || ((f->traits & CHAT_ALTERNATES) && messages[i].role != due))
            return lll_fail(err, LLL_ERR_UNSUPPORTED,
                            "message %d: a system prompt comes first, and "
                            "with the chat template %s user and assistant "
                            "take turns", i + 1, f->name);
    }
    return LLL_OK;
}
// @end chat-check

// @begin chat-bos
// Exactly one BOS: where the file asks for it and the template wrote none.
static void lead_with_bos(id_writer *w)
{
    const tokenizer *t = w->words;
    if (w->status != LLL_OK || !t->add_bos || t->bos < 0
        || (w->n_ids > 0 && w->ids[0] == t->bos))
        return;
    if (w->n_ids == w->capacity) {
        too_many(w);
        return;
    }
    memmove(w->ids + 1, w->ids, w->n_ids * sizeof *w->ids);
    w->ids[0] = t->bos;
    w->n_ids++;
}
// @end chat-bos

// @begin chat-begin
// A quoted text of a template.
static void put_literal(id_writer *w, const char *text, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        bool escaped = text[i] == '\\' && i + 1 < n_bytes;
        i += escaped;
        put_text(w, escaped && text[i] == 'n' ? "\n" : text + i, 1);
    }
}

// What stands in front of the messages.
static void put_beginning(id_writer *w, const chat_template *chat,
                          bool first, bool system)
{
    const chat_format *f = chat->format;
    if (!first)             // the answer: the model ended it, or was stopped
        put_frame(w, f->frames[CHAT_ASSISTANT].after);
    else if (chat->begins_with_bos && w->words->bos >= 0)
        put_token(w, w->words->bos);
    if (first && chat->has_system && !system) {
        put_frame(w, f->frames[CHAT_SYSTEM].before);
        put_literal(w, chat->default_system, chat->default_system_bytes);
        put_frame(w, f->frames[CHAT_SYSTEM].after);
    }
}
// @end chat-begin

// @begin chat-encode
lll_status chat_encode(const chat_template *chat, const tokenizer *words,
                       const chat_message *messages, int n_messages,
                       bool first, const chat_room *room, int32_t *ids,
                       size_t capacity, size_t *n_ids, lll_error *err)
{
    const chat_format *f = chat->format;
    id_writer w = {words, room, 0, !first, ids, capacity, 0, LLL_OK, err};
    w.status = check(chat, messages, n_messages, first, err);
    bool system = n_messages > 0 && messages[0].role == CHAT_SYSTEM;
    put_beginning(&w, chat, first, system);
    bool apart = f->place == CHAT_SYSTEM_APART;
    int from = system && !apart;
    int host = f->place == CHAT_SYSTEM_IN_LAST ? n_messages - 1 : from;
    for (int i = from; i < n_messages; i++)
        put_message(&w, f, from == 1 && i == host
                           && messages[i].role == CHAT_USER ? messages : NULL,
                    &messages[i]);
    put_frame(&w, f->opening);
    flush(&w);
    if (first)
        lead_with_bos(&w);
    if (w.status == LLL_OK)
        *n_ids = w.n_ids;
    return w.status;
}
// @end chat-encode
