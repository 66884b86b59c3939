#include "common/tokenizer.h"

#include <inttypes.h>
#include <string.h>

#include "common/unicode.h"
#include "common/vocabulary_load.h"

// @begin tokenizer-read-id
// A token that the metadata names; *id stays when the key is not there.
static lll_status read_id(const gguf_file *file, const char *key,
                          size_t n_tokens, int32_t *id, lll_error *err)
{
    uint64_t value;
    if (gguf_find_value(file, key) == NULL)
        return LLL_OK;
    lll_status status = gguf_get_u64(file, key, &value, err);
    if (status == LLL_OK && value >= n_tokens)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %s is %" PRIu64 ", expected a token below %zu",
                        file->path, key, value, n_tokens);
    if (status == LLL_OK)
        *id = (int32_t)value;
    return status;
}

static lll_status read_flag(const gguf_file *file, const char *key,
                            bool *flag, lll_error *err)
{
    if (gguf_find_value(file, key) == NULL)
        return LLL_OK;
    return gguf_get_bool(file, key, flag, err);
}
// @end tokenizer-read-id

// @begin tokenizer-settings
static lll_status read_settings(tokenizer *t, const gguf_file *file,
                                lll_error *err)
{
    struct { const char *key; int32_t *id; } names[] = {
        {"tokenizer.ggml.bos_token_id", &t->bos},
        {"tokenizer.ggml.eos_token_id", &t->eos},
        {"tokenizer.ggml.eot_token_id", &t->eot},
        {"tokenizer.ggml.eom_token_id", &t->eom},
        {"tokenizer.ggml.unknown_token_id", &t->unknown},
    };
    lll_status status = LLL_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        *names[i].id = -1;
        if (status == LLL_OK)
            status = read_id(file, names[i].key, t->n_tokens, names[i].id,
                             err);
    }
    bool sentencepiece = t->words.kind == VOCABULARY_SENTENCEPIECE;
    t->add_bos = sentencepiece || t->pre->add_bos;
    t->add_eos = false;
    t->add_space_prefix = sentencepiece;
    if (status == LLL_OK)
        status = read_flag(file, "tokenizer.ggml.add_bos_token", &t->add_bos,
                           err);
    if (status == LLL_OK)
        status = read_flag(file, "tokenizer.ggml.add_eos_token", &t->add_eos,
                           err);
    // Byte-level files have the key too, where it means nothing.
    if (status == LLL_OK && sentencepiece)
        status = read_flag(file, "tokenizer.ggml.add_space_prefix",
                           &t->add_space_prefix, err);
    return status;
}
// @end tokenizer-settings

// @begin tokenizer-ends
static void add_end(tokenizer *t, int32_t id)
{
    if (id >= 0 && !tokenizer_is_end(t, id)
        && t->n_ends < TOKENIZER_MAX_ENDS)
        t->ends[t->n_ends++] = id;
}

// Files name one end, and models use several: a chat model ends its turn
// with one token and a document with another.
static void find_ends(tokenizer *t)
{
    static const char *const names[] = {
        "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>",
        "<|end_of_text|>", "<end_of_turn>", "<|end_of_turn|>", "<|end|>",
        "</s>", "<|return|>", "<|eot|>", "<EOT>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
    };
    add_end(t, t->eos);
    add_end(t, t->eot);
    add_end(t, t->eom);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int32_t id = tokenizer_find(t, names[i], strlen(names[i]));
        // As ordinary text the same letters are only letters.
        if (id >= 0 && t->words.tokens[id].type == TOKEN_CONTROL)
            add_end(t, id);
    }
}

bool tokenizer_is_end(const tokenizer *t, int32_t id)
{
    for (int i = 0; i < t->n_ends; i++)
        if (t->ends[i] == id)
            return true;
    return false;
}
// @end tokenizer-ends

// @begin tokenizer-init
static lll_status find_rules(tokenizer *t, const gguf_file *file,
                             const char *pre, lll_error *err)
{
    static const char key[] = "tokenizer.ggml.pre";
    // What llama.cpp takes for files from before the key existed.
    gguf_string name = {"default", 7};
    if (t->words.kind == VOCABULARY_SENTENCEPIECE)
        return pre == NULL ? LLL_OK
             : lll_fail(err, LLL_ERR_ARGUMENT,
                        "%s: tokenizer.ggml.model is \"llama\", which has no "
                        "pre-tokenizer, found \"%.64s\" asked for; leave "
                        "--pre out", file->path, pre);
    if (pre != NULL)
        return pretokenize_find(pre, strlen(pre), &t->pre, err);
    lll_status status = LLL_OK;
    if (gguf_find_value(file, key) != NULL)
        status = gguf_get_string(file, key, &name, err);
    if (status != LLL_OK)
        return status;
    lll_error why = {LLL_OK, ""};
    status = pretokenize_find(name.bytes, name.n_bytes, &t->pre, &why);
    if (status != LLL_OK)
        return lll_fail(err, status, "%s: %s: %s", file->path, key, why.text);
    return LLL_OK;
}
// @end tokenizer-init

// @begin tokenizer-init-2
lll_status tokenizer_init(tokenizer *t, const gguf_file *file,
                          const char *pre, lll_error *err)
{
    memset(t, 0, sizeof *t);
    lll_status status = vocabulary_init(&t->words, file, err);
    if (status == LLL_OK)
        status = find_rules(t, file, pre, err);
    if (status == LLL_OK) {
        t->n_tokens = t->words.n_tokens;
        t->longest_token = t->words.longest;
        t->n_bytes = t->words.memory.capacity + ARENA_ALIGNMENT;
        status = read_settings(t, file, err);
    }
    if (status == LLL_OK)
        find_ends(t);
    else
        tokenizer_free(t);
    return status;
}

void tokenizer_free(tokenizer *t)
{
    vocabulary_free(&t->words);
    memset(t, 0, sizeof *t);
}

lll_status tokenizer_plan(const gguf_file *file, size_t *n_bytes,
                          lll_error *err)
{
    return vocabulary_plan(file, n_bytes, err);
}
// @end tokenizer-init-2

// @begin tokenizer-find
int32_t tokenizer_find(const tokenizer *t, const char *text, size_t n_bytes)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length;
    int32_t id = vocabulary_find_special(&t->words, bytes, n_bytes, true,
                                         &length);
    if (id >= 0 && length == n_bytes)
        return id;
    return vocabulary_find(&t->words, bytes, n_bytes);
}

bool tokenizer_can_spell(const tokenizer *t, unsigned char byte)
{
    return t->words.byte_tokens[byte] >= 0;
}
// @end tokenizer-find

// @begin tokenizer-piece
// The bytes of a token as a reader sees them: none for what must not show.
static vocabulary_cursor shown(const tokenizer *t, int32_t id, bool special)
{
    vocabulary_cursor nothing = {NULL, NULL, 0};
    if (id < 0 || (size_t)id >= t->n_tokens)
        return nothing;
    if (!special && t->words.tokens[id].type == TOKEN_CONTROL)
        return nothing;
    return vocabulary_bytes(&t->words, id);
}

size_t tokenizer_piece(const tokenizer *t, int32_t id, bool special,
                       char *bytes, size_t capacity)
{
    vocabulary_cursor cursor = shown(t, id, special);
    unsigned char byte;
    size_t n = 0;
    for (; vocabulary_next(&cursor, &byte); n++)
        if (n < capacity)
            bytes[n] = (char)byte;
    return n;
}
// @end tokenizer-piece

// @begin tokenizer-decode
// Encoding put a space before the text and after each special token. This
// takes it away again: called with each token in turn, it says whether the
// first byte of this one is such a space.
static bool drops_space(const tokenizer *t, int32_t id, bool *at_start)
{
    if (!t->add_space_prefix || id < 0 || (size_t)id >= t->n_tokens)
        return false;
    bool special = vocabulary_is_special(t->words.tokens[id].type)
        && id != t->unknown;
    bool drops = *at_start && !special;
    *at_start = special;
    return drops;
}

size_t tokenizer_decode(const tokenizer *t, const int32_t *ids, size_t n_ids,
                        bool special, char *bytes, size_t capacity)
{
    bool at_start = true;
    size_t n = 0;
    for (size_t i = 0; i < n_ids; i++) {
        vocabulary_cursor cursor = shown(t, ids[i], special);
        bool drop = drops_space(t, ids[i], &at_start);
        unsigned char byte;
        while (vocabulary_next(&cursor, &byte)) {
            if (!(drop && byte == ' ')) {
                if (n < capacity)
                    bytes[n] = (char)byte;
                n++;
            }
            drop = false;
        }
    }
    return n;
}
// @end tokenizer-decode

// @begin utf8-stream
// Write what is certain: whole characters, and U+FFFD for bytes that can
// not become one. What is left waits for more.
static size_t settle(utf8_stream *s, bool finished, char *out,
                     size_t capacity)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t written = 0;
    while (s->n_held > 0) {
        uint32_t code;
        int length = unicode_decode(s->held, (size_t)s->n_held, &code);
        if (length == 0 && !finished)
            break;
        const char *from = length > 0 ? (const char *)s->held : replacement;
        size_t n = length > 0 ? (size_t)length : 3;
        if (n <= capacity - written) {
            memcpy(out + written, from, n);
            written += n;
        }
        int used = length > 0 ? length : length < 0 ? -length : s->n_held;
        s->n_held -= used;
        memmove(s->held, s->held + used, (size_t)s->n_held);
    }
    return written;
}
// @end utf8-stream

// @begin utf8-stream-2
size_t utf8_stream_push(utf8_stream *s, const tokenizer *t, int32_t id,
                        bool special, char *out, size_t capacity)
{
    vocabulary_cursor cursor = shown(t, id, special);
    bool drop = drops_space(t, id, &s->at_start);
    unsigned char byte;
    size_t written = 0;
    while (vocabulary_next(&cursor, &byte)) {
        if (!(drop && byte == ' ')) {
            s->held[s->n_held++] = byte;
            written += settle(s, false, out + written, capacity - written);
        }
        drop = false;
    }
    return written;
}

size_t utf8_stream_flush(utf8_stream *s, char *out, size_t capacity)
{
    return settle(s, true, out, capacity);
}
// @end utf8-stream-2
