#include "common/chat_formats.h"

#include <string.h>

// @begin formats-table
// The rows of a system message, of a user's and of the assistant's, and what
// opens an answer.
#define CHATML(role) "<|im_start|>" role "\n"
#define HEADER(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"
#define LLAMA_3(system) \
    {"<|start_header_id|>", "<|eot_id|>"}, \
    {{HEADER("system") system, "<|eot_id|>", true}, \
     {HEADER("user"), "<|eot_id|>", true}, \
     {HEADER("assistant"), "<|eot_id|>", true}}, HEADER("assistant")

static const chat_format formats[] = {
    {"chatml", {"'<|im_start|>' + message", "+ '\n' + message",
                "<|im_end|>\n", "'<|im_start|>assistant\n'"},
     {"<think>", "trim", "strip(", "bos_token + '", "raise_exception"},
     {"<|im_start|>", "<|im_end|>"},
     {{CHATML("system"), "<|im_end|>\n", false},
      {CHATML("user"), "<|im_end|>\n", false},
      {CHATML("assistant"), "<|im_end|>\n", false}}, CHATML("assistant"),
     CHAT_SYSTEM_APART, CHAT_READS_DEFAULT},
    // The line breaks are those between the lines of the template.
    {"zephyr", {"'<|user|>\n", "'<|system|>\n", "eos_token }}\n",
                "'<|assistant|>' }}\n"}, {"trim", "strip(", "bos_token"},
     {NULL},
     {{"<|system|>\n", "{eos}\n", false}, {"<|user|>\n", "{eos}\n", false},
      {"<|assistant|>\n", "{eos}\n", false}}, "<|assistant|>\n",
     CHAT_SYSTEM_APART, 0},
    {"llama2", {"bos_token + '[INST] ' + content.strip()", "<</SYS>>\n\n",
                "' ' + content.strip() + ' ' + eos_token"}, {NULL}, {NULL},
     {{"<<SYS>>\n", "\n<</SYS>>\n\n", false},
      {"{bos}[INST] ", " [/INST]", true}, {" ", " {eos}", true}}, "",
     CHAT_SYSTEM_IN_FIRST, CHAT_ALTERNATES},
    // @end formats-table

    // @begin formats-table-2
    {"llama3", {"<|start_header_id|>", "<|end_header_id|>\n\n",
                "| trim + '<|eot_id|>'"},
     {"Knowledge Date", "<|start_header_id|>system"},
     LLAMA_3(""), CHAT_SYSTEM_APART, CHAT_BEGINS_WITH_BOS},
    // A system message stands there always, and begins with two dates.
    {"llama3.1", {"<|start_header_id|>", "<|end_header_id|>\n\n",
                  "'Cutting Knowledge Date: December 2023\n",
                  "'26 Jul 2024'"}, {NULL},
     LLAMA_3("Cutting Knowledge Date: December 2023\n"
             "Today Date: 26 Jul 2024\n\n"), CHAT_SYSTEM_APART,
     CHAT_BEGINS_WITH_BOS | CHAT_OWN_SYSTEM},
    // @end formats-table-2

    // @begin formats-table-3
    // A family that differs in its spaces, and in where a system prompt is.
    {"mistral-v0.1", {"'[INST] ' + message['content'] + ' [/INST]'",
                      "message['content'] + eos_token + ' '"},
     {"system_message", "<<SYS>>", "' ' + message['content'] + eos"}, {NULL},
     {{"", "", false}, {"[INST] ", " [/INST]", false}, {"", "{eos} ", false}},
     "", CHAT_SYSTEM_NOWHERE,
     CHAT_ALTERNATES | CHAT_BEGINS_WITH_BOS},
    {"mistral-v0.2", {"'[INST] ' + message['content'] + ' [/INST]'",
                      "message['content'] + eos_token"},
     {"system_message", "<<SYS>>", "eos_token + ' '",
      "' ' + message['content'] + eos"}, {NULL},
     {{"", "", false}, {"[INST] ", " [/INST]", false}, {"", "{eos}", false}},
     "", CHAT_SYSTEM_NOWHERE,
     CHAT_ALTERNATES | CHAT_BEGINS_WITH_BOS},
    {"mistral-v1", {"' [INST] ' + system_message + '\n\n'",
                    "' [INST] ' + message['content'] + ' [/INST]'",
                    "' ' + message['content'] + eos_token", "loop.first"},
     {NULL}, {NULL},
     {{"", "\n\n", false}, {" [INST] ", " [/INST]", false},
      {" ", "{eos}", false}}, "",
     CHAT_SYSTEM_IN_FIRST, CHAT_ALTERNATES | CHAT_BEGINS_WITH_BOS},
    {"mistral-v3", {"'[INST] ' + system_message + '\n\n'",
                    "'[INST] ' + message['content'] + '[/INST]'",
                    "' ' + message['content']|trim + eos_token",
                    "loop.last and system_message is defined"},
     {NULL}, {NULL},
     {{"", "\n\n", false}, {"[INST] ", "[/INST]", false},
      {" ", "{eos}", true}}, "", CHAT_SYSTEM_IN_LAST,
     CHAT_ALTERNATES | CHAT_BEGINS_WITH_BOS},
    // @end formats-table-3

    // @begin formats-table-4
    {"mistral-v3-tekken", {"'[INST]' + system_message + '\n\n'",
                           "'[INST]' + message['content'] + '[/INST]'",
                           "message['content'] + eos_token",
                           "loop.last and system_message is defined"},
     {NULL}, {NULL},
     {{"", "\n\n", false}, {"[INST]", "[/INST]", false},
      {"", "{eos}", false}}, "", CHAT_SYSTEM_IN_LAST,
     CHAT_ALTERNATES | CHAT_BEGINS_WITH_BOS},
    {"mistral-v7", {"'[SYSTEM_PROMPT] ' + ",
                    "'[INST] ' + message['content'] + '[/INST]'",
                    "' ' + message['content'] + eos_token"},
     {NULL}, {NULL},
     {{"[SYSTEM_PROMPT] ", "[/SYSTEM_PROMPT]", false},
      {"[INST] ", "[/INST]", false}, {" ", "{eos}", false}}, "",
     CHAT_SYSTEM_APART, CHAT_BEGINS_WITH_BOS},
    {"mistral-v7-tekken", {"'[SYSTEM_PROMPT]' + ",
                           "'[INST]' + message['content'] + '[/INST]'",
                           "message['content'] + eos_token"},
     {NULL}, {NULL},
     {{"[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", false},
      {"[INST]", "[/INST]", false}, {"", "{eos}", false}}, "",
     CHAT_SYSTEM_APART, CHAT_BEGINS_WITH_BOS},
};

const char chat_format_names[] =
    "chatml, zephyr, llama2, llama3, llama3.1, mistral-v0.1, mistral-v0.2, "
    "mistral-v1, mistral-v3, mistral-v3-tekken, mistral-v7, "
    "mistral-v7-tekken";
// @end formats-table-4

// @begin formats-find
// Where `what` begins in text[0..n-1], or NULL.
static const char *find_text(const char *text, size_t n, const char *what)
{
    size_t length = strlen(what);
    for (size_t i = 0; i + length <= n; i++)
        if (memcmp(text + i, what, length) == 0)
            return text + i;
    return NULL;
}

// One character of a template, spelled in one of the ways in which programs
// spell it: \n for a line break, " for ', 'a' + 'b' for 'ab', two spaces for
// one.
static char next_letter(const char **at, const char *end)
{
    // As many in a row as people write: a file that holds a million of them
    // is not read a million times.
    static const char joint[] = "' + '";
    enum { JOINT = sizeof joint - 1, MOST = 8 };
    for (int i = 0; i < MOST && end - *at >= JOINT
                    && memcmp(*at + 1, joint + 1, JOINT - 2) == 0
                    && strchr("'\"", (*at)[0]) != NULL
                    && (*at)[0] == (*at)[JOINT - 1]; i++)
        *at += JOINT;
    for (int i = 0; i < MOST && end - *at >= 2 && (*at)[0] == ' '
                    && (*at)[1] == ' '; i++)
        ++*at;
    char letter = *(*at)++;
    if (letter == '\\' && *at < end && **at == 'n')
        return ++*at, '\n';
    return letter == '"' ? '\'' : letter;
}
// @end formats-find

// @begin formats-matches
static bool begins(gguf_string text, const char *what)
{
    const char *at = text.bytes, *end = at + text.n_bytes;
    while (*what != '\0' && at < end && next_letter(&at, end) == *what)
        what++;
    return *what == '\0';
}

static bool holds(gguf_string text, const char *what)
{
    bool found = false;
    for (; text.n_bytes > 0 && !found; text.bytes++, text.n_bytes--)
        found = begins(text, what);
    return found;
}

static bool matches(const chat_format *f, gguf_string text)
{
    bool all = true;
    for (int i = 0; i < CHAT_PIECES && all; i++)
        all = (f->holds[i] == NULL || holds(text, f->holds[i]))
              && (f->lacks[i] == NULL || !holds(text, f->lacks[i]));
    return all;
}
// @end formats-matches

// @begin formats-default-system
// Many templates hold the system prompt that they put in front when nobody
// gives one, as a quoted text between these two marks. Takes it where it ends
// in the same quotes; the marks of its line breaks and quotes stay in it.
static bool take_default_system(chat_template *chat, const char *at,
                                const char *end, char quote)
{
    const char *begin = at, *close = find_text(at, (size_t)(end - at),
                                               "<|im_end|>");
    while (close != NULL && at < close && *at != quote) {
        if (*at == '\\' && strchr("n'\"\\", at[1]) == NULL)
            return false;
        at += *at == '\\' ? 2 : 1;
    }
    if (close == NULL || at != close)
        return false;
    const char *behind = close + sizeof "<|im_end|>" - 1;
    if (behind == end || next_letter(&behind, end) != '\n' || behind == end
        || *behind != quote)
        return false;
    chat->has_system = true;
    chat->default_system = begin;
    chat->default_system_bytes = (size_t)(close - begin);
    return true;
}

// Is it one that somebody gives, or one for tools?
static bool is_given(gguf_string text, const char *at)
{
    const gguf_string rest = {at, (size_t)(text.bytes + text.n_bytes - at)};
    return begins(rest, "' + message")
           || (begins(rest, "' }}") && holds(text, "if tools"));
}
// @end formats-default-system

// @begin formats-find-system
// The quote in front of text[at], where that is what is written out, or 0.
static char quote_before(const char *text, const char *at)
{
    if (at == text || strchr("'\"", at[-1]) == NULL)
        return 0;
    char quote = *--at;
    while (at > text && at[-1] == ' ')
        at--;
    at -= at > text && at[-1] == '-';
    return at - text >= 2 && memcmp(at - 2, "{{", 2) == 0 ? quote : 0;
}

// Is a system prompt spoken of in a comment?
static bool in_comment(gguf_string text, const char *what)
{
    const char *at = text.bytes, *end = at + text.n_bytes;
    while ((at = find_text(at, (size_t)(end - at), "{#")) != NULL) {
        const char *close = find_text(at, (size_t)(end - at), "#}");
        close = close == NULL ? end : close;
        if (find_text(at, (size_t)(close - at), what) != NULL)
            return true;
        at = close;
    }
    return false;
}
// @end formats-find-system

// @begin formats-find-system-2
// Look at every place that could be a system prompt. One that is not
// understood is computed, for all we know: then one must be given.
static void find_default_system(chat_template *chat, gguf_string text)
{
    static const char opening[] = "<|im_start|>system";
    const char *at = text.bytes, *end = at + text.n_bytes;
    chat->wants_system |= in_comment(text, opening);
    while (!chat->has_system && !chat->wants_system
           && (at = find_text(at, (size_t)(end - at), opening)) != NULL) {
        char quote = quote_before(text.bytes, at);
        at += sizeof opening - 1;
        const char *letter = at;
        bool line = at < end && next_letter(&letter, end) == '\n';
        chat->wants_system = quote == 0 || !line
            || (!is_given(text, letter)
                && !take_default_system(chat, letter, end, quote));
    }
}
// @end formats-find-system-2

// @begin formats-tokens
// Does the vocabulary have what the format needs?
static lll_status check_tokens(const chat_format *f, const gguf_file *file,
                               const tokenizer *words, lll_error *err)
{
    for (int i = 0; i < 2 && f->tokens[i] != NULL; i++)
        if (tokenizer_find(words, f->tokens[i], strlen(f->tokens[i])) < 0)
            return lll_fail(err, LLL_ERR_UNSUPPORTED,
                            "%s: tokenizer.ggml.tokens has no %s, expected "
                            "for the chat template %s; leave --chat out and "
                            "write the prompt in full", file->path,
                            f->tokens[i], f->name);
    const char *user = f->frames[CHAT_USER].before;
    const char *answer = f->frames[CHAT_ASSISTANT].after;
    if ((words->bos < 0 && strstr(user, "{bos}") != NULL)
        || (words->eos < 0 && strstr(answer, "{eos}") != NULL))
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: the file names no token for the beginning or "
                        "the end of a text, expected for the chat template "
                        "%s; leave --chat out", file->path, f->name);
    return LLL_OK;
}
// @end formats-tokens

// @begin formats-own
// What the file's own template says beside its format.
static void read_template(chat_template *chat, gguf_string text)
{
    const chat_format *f = chat->format;
    chat->begins_with_bos = holds(text, "bos_token")
        && strstr(f->frames[CHAT_USER].before, "{bos}") == NULL;
    chat->wants_system = holds(text, "default_system_message")
                         || holds(text, "true == true");
    if (f->traits & CHAT_READS_DEFAULT)
        find_default_system(chat, text);
    if (holds(text, "strftime_now") && !chat->wants_system)
        chat->note = "the file's template asks for today's date; the model "
                     "is told the date that stands in it instead";
}
// @end formats-own

// @begin formats-recognise
const chat_format *chat_format_at(size_t i)
{
    return i < sizeof formats / sizeof formats[0] ? &formats[i] : NULL;
}

static lll_status find_format(chat_template *chat, const gguf_file *file,
                              gguf_string text, const char *name,
                              lll_error *err)
{
    const chat_format *f;
    for (size_t i = 0; (f = chat_format_at(i)) != NULL; i++)
        if (name != NULL ? strcmp(name, f->name) == 0 : matches(f, text)) {
            chat->format = f;
            return LLL_OK;
        }
    if (name != NULL)
        return lll_fail(err, LLL_ERR_NOT_FOUND, "--chat-template %s: "
                        "expected one of %s", name, chat_format_names);
    return lll_fail(err, LLL_ERR_UNSUPPORTED,
                    "%s: tokenizer.chat_template is none of those known "
                    "here; if it is like one of them, say so with "
                    "--chat-template NAME (%s)", file->path,
                    chat_format_names);
}
// @end formats-recognise

// @begin formats-recognise-2
lll_status chat_recognise(chat_template *chat, const gguf_file *file,
                          const tokenizer *words, const char *name,
                          lll_error *err)
{
    gguf_string text = {"", 0};
    chat_template found = {0};
    lll_status status = gguf_get_string(file, "tokenizer.chat_template",
                                        &text, NULL);
    if (status != LLL_OK && name == NULL)
        return lll_fail(err, LLL_ERR_NOT_FOUND,
                        "%s: tokenizer.chat_template is missing: this model "
                        "was not trained to talk; leave --chat out, or say "
                        "--chat-template NAME", file->path);
    status = find_format(&found, file, text, name, err);
    if (status == LLL_OK)
        status = check_tokens(found.format, file, words, err);
    if (status != LLL_OK)
        return status;
    found.begins_with_bos = found.format->traits & CHAT_BEGINS_WITH_BOS;
    if (matches(found.format, text))
        read_template(&found, text);
    if (found.format->traits & CHAT_OWN_SYSTEM)
        found.has_system = true;        // with the dates alone
    *chat = found;
    return LLL_OK;
}
// @end formats-recognise-2
