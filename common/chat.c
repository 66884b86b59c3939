#include "common/chat.h"

#include <string.h>

// @begin chat-find
// Where `what` begins in text[0..n-1], or NULL.
static const char *find_text(const char *text, size_t n, const char *what)
{
    size_t length = strlen(what);
    for (size_t i = 0; i + length <= n; i++)
        if (memcmp(text + i, what, length) == 0)
            return text + i;
    return NULL;
}
// @end chat-find

// @begin chat-default-system
// Many templates hold the system prompt that they put in front when nobody
// gives one, between these two marks. A template is a program in a language
// of its own (Jinja); we do not run it, we look for this one sentence. A
// brace or quote means that the text is computed, so it is not the sentence.
static bool take_default_system(chat_template *chat, const char *at,
                                const char *end)
{
    if (end - at >= 2 && at[0] == '\\' && at[1] == 'n')
        at += 2;
    else if (end - at >= 1 && at[0] == '\n')
        at += 1;
    else
        return false;
    const char *close = find_text(at, (size_t)(end - at), "<|im_end|>");
    if (close == NULL)
        return false;
    for (const char *p = at; p < close; p++)
        if (strchr("{}'\"\\", *p) != NULL)
            return false;
    chat->default_system = at;
    chat->default_system_bytes = (size_t)(close - at);
    return true;
}

static void find_default_system(chat_template *chat, gguf_string text)
{
    static const char opening[] = "<|im_start|>system";
    const char *at = text.bytes, *end = at + text.n_bytes;
    // The first one is often for tools or for a system prompt that is given.
    while ((at = find_text(at, (size_t)(end - at), opening)) != NULL) {
        at += sizeof opening - 1;
        if (take_default_system(chat, at, end))
            return;
    }
}
// @end chat-default-system

// @begin chat-recognise
lll_status chat_recognise(chat_template *chat, const gguf_file *file,
                          const tokenizer *words, lll_error *err)
{
    gguf_string text;
    chat_template found = {CHAT_CHATML, NULL, 0};
    lll_status status = gguf_get_string(file, "tokenizer.chat_template",
                                        &text, NULL);
    if (status != LLL_OK)
        return lll_fail(err, LLL_ERR_NOT_FOUND,
                        "%s: tokenizer.chat_template is missing: this model "
                        "was not trained to talk; leave --chat out to "
                        "continue a text", file->path);
    // Other formats share the opening mark: Phi-4 parts role and text with
    // <|im_sep|>.
    if (find_text(text.bytes, text.n_bytes, "<|im_start|>") == NULL
        || find_text(text.bytes, text.n_bytes, "<|im_sep|>") != NULL
        || tokenizer_find(words, "<|im_start|>", 12) < 0
        || tokenizer_find(words, "<|im_end|>", 10) < 0)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: tokenizer.chat_template is not ChatML "
                        "(<|im_start|>), the only one known here; leave "
                        "--chat out and write the prompt in full",
                        file->path);
    find_default_system(&found, text);
    *chat = found;
    return LLL_OK;
}
// @end chat-recognise

// @begin chat-writer
// Numbers on their way out; the first failure stays and stops the rest.
typedef struct {
    const tokenizer *words;
    const chat_room *room;
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

static void put_special(id_writer *w, const char *name)
{
    if (w->status != LLL_OK)
        return;
    if (w->n_ids == w->capacity)
        too_many(w);
    else
        w->ids[w->n_ids++] = tokenizer_find(w->words, name, strlen(name));
}
// @end chat-writer

// @begin chat-put-text
static void put_text(id_writer *w, const char *text, size_t n_bytes,
                     unsigned flags)
{
    tokenizer_encoder e;
    int32_t one_more;
    size_t n = 0, n_more = 0;
    if (w->status == LLL_OK)
        w->status = tokenizer_begin(&e, w->words, text, n_bytes, flags,
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
}
// @end chat-put-text

// @begin chat-message
// <|im_start|>role\ntext<|im_end|>\n. The role and the text are one piece
// for the tokenizer, as they are where the template is rendered: a text that
// begins with a line break joins the one before it.
static void put_message(id_writer *w, const char *role, const char *text,
                        size_t n_bytes)
{
    size_t n_role = strlen(role), room = w->room->n_bytes;
    char *joined = w->room->text;
    if (w->status != LLL_OK)
        return;
    if (n_role >= room || n_bytes > room - n_role - 1) {
        w->status = lll_fail(w->err, LLL_ERR_OVERFLOW,
                             "a message of %zu bytes and its role, expected "
                             "at most %zu bytes; use a larger -c", n_bytes,
                             room);
        return;
    }
    memcpy(joined, role, n_role);
    joined[n_role] = '\n';
    memcpy(joined + n_role + 1, text, n_bytes);
    put_special(w, "<|im_start|>");
    // Without TOKENIZER_SPECIAL: "<|im_end|>" in a message stays text.
    put_text(w, joined, n_role + 1 + n_bytes, 0);
    put_special(w, "<|im_end|>");
    put_text(w, "\n", 1, 0);
}
// @end chat-message

// @begin chat-encode
lll_status chat_encode(const chat_template *chat, const tokenizer *words,
                       const chat_message *messages, int n_messages,
                       bool first, const chat_room *room, int32_t *ids,
                       size_t capacity, size_t *n_ids, lll_error *err)
{
    id_writer w = {words, room, ids, capacity, 0, LLL_OK, err};
    bool has_system = n_messages > 0
                      && strcmp(messages[0].role, "system") == 0;
    if (first && words->add_bos)
        put_text(&w, "", 0, TOKENIZER_BOS);
    if (first && !has_system && chat->default_system_bytes > 0)
        put_message(&w, "system", chat->default_system,
                    chat->default_system_bytes);
    if (!first) {
        // The model's own turn: it chose to end it, or was stopped.
        put_special(&w, "<|im_end|>");
        put_text(&w, "\n", 1, 0);
    }
    for (int i = 0; i < n_messages && w.status == LLL_OK; i++)
        put_message(&w, messages[i].role, messages[i].text,
                    messages[i].n_bytes);
    put_special(&w, "<|im_start|>");
    put_text(&w, "assistant\n", 10, 0);
    if (w.status == LLL_OK)
        *n_ids = w.n_ids;
    return w.status;
}
// @end chat-encode
