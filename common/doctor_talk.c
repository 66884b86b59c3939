// How one talks with a model: what its template writes, against the marks
// that its vocabulary holds.
#include <string.h>

#include "common/chat_formats.h"
#include "common/doctor.h"

// @begin doctor-marks
// Does the text hold `what`, from byte `from` on?
static bool holds(gguf_string text, const char *what, size_t from)
{
    size_t n = strlen(what);
    for (size_t i = from; i + n <= text.n_bytes; i++)
        if (memcmp(text.bytes + i, what, n) == 0)
            return true;
    return false;
}

// A vocabulary with marks of its own was trained with them. Gives one that it
// has and the template never writes, NULL when it writes one of them or when
// there is none.
static const char *unused_mark(gguf_string text, const tokenizer *words)
{
    const char *unused = NULL;
    const chat_format *f;
    for (size_t i = 0; (f = chat_format_at(i)) != NULL; i++)
        for (const char *const *mark = f->tokens;
             mark < f->tokens + 2 && *mark != NULL; mark++) {
            if (tokenizer_find(words, *mark, strlen(*mark)) < 0)
                continue;
            if (holds(text, *mark, 0))
                return NULL;
            unused = unused == NULL ? *mark : unused;
        }
    return unused;
}
// @end doctor-marks

// @begin doctor-missing
// A mark that the template writes and the vocabulary does not have: it would
// go in as letters.
static const char *missing_mark(gguf_string text, const tokenizer *words)
{
    const chat_format *f;
    for (size_t i = 0; (f = chat_format_at(i)) != NULL; i++)
        for (int j = 0; j < 2 && f->tokens[j] != NULL; j++)
            if (holds(text, f->tokens[j], 0)
                && tokenizer_find(words, f->tokens[j],
                                  strlen(f->tokens[j])) < 0)
                return f->tokens[j];
    return NULL;
}
// @end doctor-missing

// @begin doctor-template
static void look_at_template(doctor_report *report, const gguf_file *file,
                             gguf_string text, const tokenizer *words)
{
    chat_template chat;
    lll_error err;
    const char *missing = missing_mark(text, words);
    const char *unused = unused_mark(text, words);
    lll_status status = chat_recognise(&chat, file, words, NULL, &err);
    if (missing != NULL)
        doctor_put(report, DOCTOR_TEMPLATE, DOCTOR_SICK, "it writes %s, "
                   "which is no token of the vocabulary", missing);
    else if (unused != NULL && status == LLL_OK)
        doctor_put(report, DOCTOR_TEMPLATE, DOCTOR_SICK, "that of %s: the "
                   "vocabulary has %s, and it never writes that",
                   chat.format->name, unused);
    else if (unused != NULL)
        // Whoever tunes a model may keep its tokens and talk otherwise.
        doctor_put(report, DOCTOR_TEMPLATE, DOCTOR_UNUSUAL, "none of those "
                   "known, and it never writes %s, which the vocabulary has",
                   unused);
    else if (status != LLL_OK)
        doctor_put(report, DOCTOR_TEMPLATE, DOCTOR_UNUSUAL, "%s", err.text);
    else
        doctor_put(report, DOCTOR_TEMPLATE, DOCTOR_GOOD, "%s, and the "
                   "vocabulary has its marks", chat.format->name);
}
// @end doctor-template

// @begin doctor-bos-count
// What a program that obeys a template to the letter writes in front of the
// first message: bos_token, and that token again as the mark of a message.
static int bos_of_template(gguf_string text, gguf_string bos)
{
    static const char name[] = "bos_token";
    size_t at = 0, length = sizeof name - 1;
    int n = 0;
    while (at + length <= text.n_bytes
           && memcmp(text.bytes + at, name, length) != 0)
        at++;
    if (at + length <= text.n_bytes) {
        n = 1;
        at += length;
        while (at < text.n_bytes && strchr(" }{%-+", text.bytes[at]) != NULL)
            at++;
        if (at + length <= text.n_bytes
            && memcmp(text.bytes + at, name, length) == 0)
            return 2;
    }
    // A message is opened by a quoted mark: '<|im_start|>' + ...
    for (size_t i = 0; i + bos.n_bytes < text.n_bytes; i++)
        if (bos.n_bytes > 0 && strchr("'\"", text.bytes[i]) != NULL
            && memcmp(text.bytes + i + 1, bos.bytes, bos.n_bytes) == 0)
            return n + 1;
    return n;
}
// @end doctor-bos-count

// @begin doctor-bos
static void look_at_bos(doctor_report *report, gguf_string text,
                        const tokenizer *words)
{
    static const gguf_string none = {"", 0};
    gguf_string bos = none;
    if (words->bos >= 0)
        bos = (gguf_string){words->words.tokens[words->bos].text,
                            words->words.tokens[words->bos].n_bytes};
    int by_template = bos_of_template(text, bos);
    int n = by_template + words->add_bos;
    bool published = holds(text, "[INST]", 0)
                     || holds(text, "<|start_header_id|>", 0);
    const char *asks = words->add_bos ? "the file asks for one"
                                      : "the file asks for none";
    // Llama 2, Llama 3 and Mistral were published so, and whoever runs them
    // knows it.
    if (n == 2 && by_template == 1 && published)
        doctor_put(report, DOCTOR_BOS, DOCTOR_GOOD, "file and template each "
                   "ask for one BOS, as in all models of this kind; one is "
                   "fed");
    else if (n > 1)
        doctor_put(report, DOCTOR_BOS, DOCTOR_SICK, "%d BOS in front of a "
                   "talk: %s, the template writes %d", n, asks, by_template);
    else
        doctor_put(report, DOCTOR_BOS, DOCTOR_GOOD, "%d BOS in front of a "
                   "talk: %s, the template writes %d", n, asks, by_template);
}
// @end doctor-bos

// @begin doctor-talk
void doctor_talk(doctor_report *report, const gguf_file *file,
                 const tokenizer *words)
{
    gguf_string text = {"", 0};
    bool talks = gguf_get_string(file, "tokenizer.chat_template", &text,
                                 NULL) == LLL_OK;
    if (talks)
        look_at_template(report, file, text, words);
    else
        doctor_put(report, DOCTOR_TEMPLATE, DOCTOR_GOOD, "none: a model that "
                   "continues texts");
    look_at_bos(report, text, words);
}
// @end doctor-talk
