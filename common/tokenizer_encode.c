#include <stdlib.h>
#include <string.h>

#include "common/bpe.h"
#include "common/size.h"
#include "common/tokenizer.h"
#include "common/unicode.h"

// A piece that was met before, and where its tokens are. Texts repeat their
// words, and the same bytes between two cuts always give the same tokens.
// @begin encode-types
typedef struct {
    const unsigned char *bytes;     // in the caller's text; NULL: free
    uint32_t n_bytes, n_ids;
    size_t first_id;                // ids[first_id] and on
} known_piece;

enum { KNOWN_MOST = 8192, KNOWN_LONGEST = 64 };

typedef struct {
    const tokenizer *t;
    int32_t *ids;                   // the caller's
    size_t n_ids, capacity;
    known_piece *known;             // n_known of them, a power of two
    size_t n_known;
    void *work;                     // one block: symbols, numbers, bytes
    size_t work_symbols;            // room for a piece of so many bytes
    bpe_symbol *symbols;
    uint32_t *numbers;
    unsigned char *copy;
    bpe_rules rules;
    lll_error *err;
} encoder;
// @end encode-types

// @begin encode-rules
static bool find_merge(const void *vocabulary_, const unsigned char *text,
                       const bpe_symbol *left, const bpe_symbol *right,
                       uint32_t *rank, int32_t *id)
{
    const vocabulary *v = vocabulary_;
    (void)text;
    *rank = bpe_table_find(&v->merges, left->id, right->id);
    if (*rank == BPE_NONE)
        return false;
    *id = v->merges.pairs[*rank].result;
    return true;
}

static bool find_joined(const void *vocabulary_, const unsigned char *text,
                        const bpe_symbol *left, const bpe_symbol *right,
                        uint32_t *rank, int32_t *id)
{
    const vocabulary *v = vocabulary_;
    *id = vocabulary_find(v, text + left->start,
                          (size_t)left->n_bytes + right->n_bytes);
    if (*id < 0)
        return false;
    *rank = v->tokens[*id].rank;
    return true;
}
// @end encode-rules

// @begin encode-reserve
// Make room for a piece of n_bytes bytes. Most pieces are words, so the room
// follows the longest piece, not the text.
static lll_status reserve(encoder *e, size_t n_bytes)
{
    if (e->work != NULL && n_bytes <= e->work_symbols)
        return LLL_OK;
    size_t n = n_bytes < 1024 ? 1024 : n_bytes, bytes;
    // BPE_NUMBERS(n) is less than 5/4 n from n = 1024 on.
    size_t each = sizeof(bpe_symbol) + 5 * sizeof(uint32_t) / 4 + 1;
    if (n >= BPE_NONE || !size_mul(n, each, &bytes))
        return lll_fail(e->err, LLL_ERR_OVERFLOW,
                        "a piece of text without a cut has %zu bytes, "
                        "expected less than 4 GiB", n_bytes);
    free(e->work);
    e->work_symbols = 0;
    e->work = malloc(bytes);
    if (e->work == NULL)
        return lll_fail(e->err, LLL_ERR_MEMORY,
                        "the system refused %zu bytes of memory to cut a "
                        "piece of %zu bytes into tokens", bytes, n_bytes);
    e->symbols = e->work;
    e->numbers = (uint32_t *)(e->symbols + n);
    e->copy = (unsigned char *)(e->numbers + BPE_NUMBERS(n));
    e->work_symbols = n;
    return LLL_OK;
}
// @end encode-reserve

// @begin encode-put
static lll_status put(encoder *e, int32_t id)
{
    if (e->n_ids == e->capacity)
        return lll_fail(e->err, LLL_ERR_OVERFLOW,
                        "the text has more than %zu tokens, the room that "
                        "was given", e->capacity);
    e->ids[e->n_ids++] = id;
    return LLL_OK;
}

// A character that is no token, in SentencePiece: its bytes, one by one, or
// else one unknown token.
static lll_status put_bytes(encoder *e, const unsigned char *bytes, size_t n)
{
    const tokenizer *t = e->t;
    lll_status status = LLL_OK;
    for (size_t i = 0; i < n && status == LLL_OK; i++) {
        int32_t id = t->words.byte_tokens[bytes[i]];
        if (id < 0)
            return t->unknown < 0 ? LLL_OK : put(e, t->unknown);
        status = put(e, id);
    }
    return status;
}
// @end encode-put

// @begin encode-symbols
// Append a symbol to the list of `count`.
static void add_symbol(encoder *e, size_t count, size_t start, size_t length,
                       int32_t id)
{
    bpe_symbol *s = &e->symbols[count];
    s->start = (uint32_t)start;
    s->n_bytes = (uint32_t)length;
    s->previous = count == 0 ? BPE_NONE : (uint32_t)count - 1;
    s->next = BPE_NONE;
    s->id = id;
    if (count > 0)
        s[-1].next = (uint32_t)count;
}
// @end encode-symbols

// @begin encode-symbols-2
// Cut a piece into its smallest symbols and return how many there are:
// bytes, or characters where the vocabulary is made of characters.
static size_t first_symbols(encoder *e, const unsigned char *bytes, size_t n)
{
    const vocabulary *v = &e->t->words;
    size_t count = 0, length;
    if (v->kind == VOCABULARY_BYTE_LEVEL) {
        // SmolLM2 has no token for the byte 0x13, and calls the end of the
        // text its unknown token. Such bytes are left out before merging,
        // as the tokenizers package does.
        for (size_t at = 0; at < n; at++)
            if (v->byte_tokens[bytes[at]] >= 0)
                add_symbol(e, count++, at, 1, v->byte_tokens[bytes[at]]);
        return count;
    }
    for (size_t at = 0; at < n; at += length) {
        uint32_t code;
        int decoded = unicode_decode(bytes + at, n - at, &code);
        // What is not UTF-8 goes byte by byte, like any character that is
        // no token.
        length = decoded < 1 ? 1 : (size_t)decoded;
        add_symbol(e, count++, at, length,
                   vocabulary_find(v, bytes + at, length));
    }
    return count;
}
// @end encode-symbols-2

// @begin encode-merge-piece
static lll_status merge_piece(encoder *e, const unsigned char *bytes,
                              size_t n)
{
    if (e->t->pre != NULL && e->t->pre->whole_words) {
        int32_t whole = vocabulary_find(&e->t->words, bytes, n);
        if (whole >= 0)
            return put(e, whole);
    }
    lll_status status = reserve(e, n);
    if (status != LLL_OK)
        return status;
    size_t count = first_symbols(e, bytes, n);
    if (count == 0)
        return LLL_OK;
    bpe_merge(&e->rules, bytes, e->symbols, count, e->numbers);
    for (uint32_t i = 0; i != BPE_NONE && status == LLL_OK; ) {
        const bpe_symbol *s = &e->symbols[i];
        status = s->id >= 0 ? put(e, s->id)
                            : put_bytes(e, bytes + s->start, s->n_bytes);
        i = s->next;
    }
    return status;
}
// @end encode-merge-piece

// @begin encode-piece
static known_piece *recall(encoder *e, const unsigned char *bytes, size_t n)
{
    uint64_t hash = n;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 0x9e3779b97f4a7c15u;
    return &e->known[(size_t)(hash >> 32) & (e->n_known - 1)];
}

// The bytes must stay until the text is encoded.
static lll_status encode_piece(encoder *e, const unsigned char *bytes,
                               size_t n)
{
    if (n > KNOWN_LONGEST)
        return merge_piece(e, bytes, n);
    known_piece *known = recall(e, bytes, n);
    size_t first = e->n_ids;
    lll_status status = LLL_OK;
    if (known->bytes != NULL && known->n_bytes == n
        && memcmp(known->bytes, bytes, n) == 0) {
        for (size_t i = 0; i < known->n_ids && status == LLL_OK; i++)
            status = put(e, e->ids[known->first_id + i]);
        return status;
    }
    status = merge_piece(e, bytes, n);
    known->bytes = bytes;
    known->n_bytes = (uint32_t)n;
    known->n_ids = (uint32_t)(e->n_ids - first);
    known->first_id = first;
    return status;
}
// @end encode-piece

// @begin encode-sentencepiece
// SentencePiece has no pre-tokenizer: its merges may use the whole text.
// But where no token has a space behind another character, none will cross
// from a word to the space after it, and cutting there changes nothing.
static size_t word_end(const encoder *e, const unsigned char *text, size_t n)
{
    size_t at = 0;
    if (!e->t->words.words_apart)
        return n;
    while (at < n && text[at] == ' ')
        at++;
    const unsigned char *space = memchr(text + at, ' ', n - at);
    return space == NULL ? n : (size_t)(space - text);
}
// @end encode-sentencepiece

// @begin encode-sentencepiece-2
static lll_status encode_sentencepiece(encoder *e, const unsigned char *text,
                                       size_t n)
{
    size_t at = 0;
    lll_status status = LLL_OK;
    if (e->t->add_space_prefix) {
        size_t end = word_end(e, text, n);
        status = reserve(e, end + 1);
        if (status == LLL_OK) {
            e->copy[0] = ' ';
            memcpy(e->copy + 1, text, end);
            status = merge_piece(e, e->copy, end + 1);
        }
        at = end;
    }
    while (at < n && status == LLL_OK) {
        size_t length = word_end(e, text + at, n - at);
        status = encode_piece(e, text + at, length);
        at += length;
    }
    return status;
}
// @end encode-sentencepiece-2

// @begin encode-text
// Text between special tokens.
static lll_status encode_text(encoder *e, const unsigned char *text, size_t n)
{
    if (n == 0)
        return LLL_OK;
    if (e->t->pre == NULL)
        return encode_sentencepiece(e, text, n);
    pretokenize_scan scan;
    size_t begin, end;
    lll_status status = LLL_OK;
    pretokenize_begin(&scan, e->t->pre, (const char *)text, n);
    while (status == LLL_OK && pretokenize_next(&scan, &begin, &end))
        status = encode_piece(e, text + begin, end - begin);
    return status;
}
// @end encode-text

// @begin encode-text-2
static lll_status encode_all(encoder *e, const unsigned char *text, size_t n,
                             bool special)
{
    const vocabulary *v = &e->t->words;
    lll_status status = LLL_OK;
    size_t done = 0, at = 0;
    while (at < n && status == LLL_OK) {
        size_t length;
        int32_t id = -1;
        if (v->special_first[text[at]])
            id = vocabulary_find_special(v, text + at, n - at, special,
                                         &length);
        if (id < 0) {
            at++;
            continue;
        }
        status = encode_text(e, text + done, at - done);
        if (status == LLL_OK)
            status = put(e, id);
        at += length;
        done = at;
    }
    return status == LLL_OK ? encode_text(e, text + done, n - done) : status;
}
// @end encode-text-2

// @begin encode
lll_status tokenizer_encode(const tokenizer *t, const char *text,
                            size_t n_bytes, unsigned flags, int32_t *ids,
                            size_t capacity, size_t *n_ids, lll_error *err)
{
    bool bytes = t->words.kind == VOCABULARY_BYTE_LEVEL;
    encoder e = {.t = t, .ids = ids, .capacity = capacity, .err = err,
                 .n_known = 16,
                 .rules = {&t->words, bytes ? find_merge : find_joined}};
    lll_status status = LLL_OK;
    if (flags & TOKENIZER_BOS)
        status = t->bos >= 0 ? put(&e, t->bos)
               : lll_fail(err, LLL_ERR_NOT_FOUND,
                          "the file names no token for the beginning of a "
                          "text (tokenizer.ggml.bos_token_id)");
    // A piece for each eight bytes of text would be many different words.
    while (e.n_known < KNOWN_MOST && e.n_known * 8 < n_bytes)
        e.n_known *= 2;
    if (status == LLL_OK) {
        e.known = calloc(e.n_known, sizeof *e.known);
        if (e.known == NULL)
            status = lll_fail(err, LLL_ERR_MEMORY, "the system refused %zu "
                              "bytes of memory to cut a text into tokens",
                              e.n_known * sizeof *e.known);
    }
    if (status == LLL_OK)
        status = encode_all(&e, (const unsigned char *)text, n_bytes,
                            (flags & TOKENIZER_SPECIAL) != 0);
    free(e.work);
    free(e.known);
    if (status == LLL_OK)
        *n_ids = e.n_ids;
    return status;
}
// @end encode

// @begin encode-2
size_t tokenizer_max_ids(const tokenizer *t, size_t n_bytes)
{
    // A token for each byte, one for BOS, and as many again for the spaces
    // that SentencePiece puts before words after special tokens.
    size_t most = n_bytes;
    if (t->add_space_prefix && !size_mul(most, 2, &most))
        return SIZE_MAX;
    return size_add(most, 2, &most) ? most : SIZE_MAX;
}
// @end encode-2
