#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/bpe.h"
#include "common/plan.h"
#include "common/size.h"
#include "common/tokenizer.h"
#include "common/unicode.h"

typedef tokenizer_encoder encoder;

// @begin encode-rules
// Byte level: the line of the merge list.
static uint32_t line_of_pair(const void *words, const unsigned char *text,
                             const bpe_symbol *left, const bpe_symbol *right)
{
    const vocabulary *v = words;
    // Most lookups are of two bytes, and most of those find nothing: these
    // bits are nearer than the table.
    if (left->n_bytes == 1 && right->n_bytes == 1) {
        unsigned byte = text[right->start];
        if (!(v->byte_pairs[text[left->start]][byte / 32] >> byte % 32 & 1))
            return BPE_NONE;
    }
    return bpe_table_find(&v->merges, left->id, right->id);
}

static int32_t result_of_line(const void *words, const unsigned char *text,
                              const bpe_symbol *left, const bpe_symbol *right,
                              uint32_t rank)
{
    const vocabulary *v = words;
    (void)text, (void)left, (void)right;
    return v->merges.pairs[rank].result;
}

// @end encode-rules

// @begin encode-rules-2
// SentencePiece: any two neighbours that make a token, by its score.
static int32_t joined_token(const void *words, const unsigned char *text,
                            const bpe_symbol *left, const bpe_symbol *right,
                            uint32_t rank)
{
    (void)rank;
    return vocabulary_find(words, text + left->start,
                           (size_t)left->n_bytes + right->n_bytes);
}

static uint32_t rank_of_joined(const void *words, const unsigned char *text,
                               const bpe_symbol *left,
                               const bpe_symbol *right)
{
    const vocabulary *v = words;
    int32_t id = joined_token(words, text, left, right, 0);
    return id < 0 ? BPE_NONE : v->tokens[id].rank;
}
// @end encode-rules-2

// @begin encode-room
// The planner of chapter 2 knows no more of an encoder than these two.
static_assert(sizeof(known_piece) <= PLAN_KNOWN_BYTES
              && sizeof(bpe_symbol) + 5 * sizeof(uint32_t) / 4 + 1
                 <= PLAN_SYMBOL_BYTES,
              "the planner's numbers for an encoder are too small");

size_t tokenizer_room(size_t longest)
{
    return plan_encoder(longest);
}

// Cut the room up. BPE_NUMBERS(n) is less than 5/4 n from n = 1024 on, and
// the planner counts no fewer.
static void use_room(encoder *e, void *room, size_t longest)
{
    size_t n = longest < PLAN_PIECE_LEAST ? PLAN_PIECE_LEAST : longest;
    e->longest = n;
    e->n_known = plan_known_pieces(longest);
    e->known = room;
    e->symbols = (bpe_symbol *)(void *)(e->known + e->n_known);
    e->numbers = (uint32_t *)(e->symbols + n);
    e->copy = (unsigned char *)(e->numbers + BPE_NUMBERS(n));
}
// @end encode-room

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

// @begin encode-put
// One token of the piece at hand. A character that is no token, in
// SentencePiece, gives its bytes, one by one, or else one unknown token.
static void put_symbol(encoder *e)
{
    const bpe_symbol *s = &e->symbols[e->symbol];
    const tokenizer *t = e->t;
    int32_t id = s->id;
    bool done = true;
    if (id < 0) {
        id = t->words.byte_tokens[e->bytes[s->start + e->byte]];
        if (id < 0)
            id = t->unknown;
        else
            done = ++e->byte == s->n_bytes;
    }
    if (id >= 0)
        e->ids[e->n_ids++] = id;
    if (done) {
        e->symbol = s->next;
        e->byte = 0;
    }
}
// @end encode-put

// @begin encode-merge-piece
static void merge_piece(encoder *e, size_t n)
{
    const tokenizer *t = e->t;
    size_t count = 0;
    int32_t whole = -1;
    if (t->pre != NULL && t->pre->whole_words)
        whole = vocabulary_find(&t->words, e->bytes, n);
    if (whole >= 0)
        add_symbol(e, count++, 0, n, whole);
    else
        count = first_symbols(e, e->bytes, n);
    if (count > 1)
        bpe_merge(&e->rules, e->bytes, e->symbols, count, e->numbers);
    e->symbol = count > 0 ? 0 : BPE_NONE;
    e->byte = 0;
}

// Where a piece of these bytes is remembered.
static known_piece *recall(encoder *e, const unsigned char *bytes, size_t n)
{
    return &e->known[vocabulary_hash(bytes, n) & (e->n_known - 1)];
}
// @end encode-merge-piece

// @begin encode-known
// Texts repeat their words, and the same bytes between two cuts always give
// the same tokens: copy them if they were met before and there is room.
static bool repeat(encoder *e, const known_piece *known, size_t n)
{
    if (known->bytes == NULL || known->n_bytes != n
        || known->n_ids > e->capacity - e->n_ids
        || memcmp(known->bytes, e->piece, n) != 0)
        return false;
    for (size_t i = 0; i < known->n_ids; i++)
        e->ids[e->n_ids++] = e->ids[known->first_id + i];
    return true;
}
// @end encode-known

// @begin encode-byte
// A piece of one byte, where bytes are the smallest symbols.
static void take_byte(encoder *e)
{
    int32_t id = e->t->words.byte_tokens[*e->piece];
    if (id >= 0)
        e->ids[e->n_ids++] = id;
    e->n_piece = 0;
}
// @end encode-byte

// @begin encode-piece
// The tokens of the piece that waits, as far as there is room for them.
static lll_status take_piece(encoder *e)
{
    enum { KNOWN_LONGEST = 64 };
    size_t n = e->n_piece, first = e->n_ids;
    known_piece *known = NULL;
    // Two bytes are merged sooner than they are remembered.
    if (n > 2 && n <= KNOWN_LONGEST && !e->prefixed) {
        known = recall(e, e->piece, n);
        if (repeat(e, known, n)) {
            e->n_piece = 0;
            return LLL_OK;
        }
    }
    if (n > e->longest)
        return lll_fail(e->err, LLL_ERR_OVERFLOW,
                        "a piece of text without a cut has %zu bytes, "
                        "expected at most %zu; use a larger context", n,
                        e->longest);
    e->n_piece = 0;
    e->bytes = e->piece;
    if (e->prefixed) {
        e->copy[0] = ' ';
        memcpy(e->copy + 1, e->piece, n - 1);
        e->bytes = e->copy;
        e->prefixed = false;
    }
    merge_piece(e, n);
    while (e->symbol != BPE_NONE && e->n_ids < e->capacity)
        put_symbol(e);
    if (known != NULL && e->symbol == BPE_NONE)
        *known = (known_piece){e->piece, (uint32_t)n,
                               (uint32_t)(e->n_ids - first), first};
    return LLL_OK;
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

// @begin encode-next-piece
// Cut the next piece off the text before the next special token.
static bool next_piece(encoder *e)
{
    size_t begin, end;
    if (e->t->pre != NULL) {
        if (e->at == e->end)
            return false;
        if (!pretokenize_next(&e->scan, &begin, &end)) {
            e->at = e->end;
            return false;
        }
        e->piece = e->text + e->begin + begin;
        e->n_piece = end - begin;
        return true;
    }
    if (e->at == e->end)
        return false;
    e->piece = e->text + e->at;
    e->n_piece = word_end(e, e->piece, e->end - e->at);
    e->prefixed = e->at == e->begin && e->t->add_space_prefix
                  && (e->at > 0 || !e->goes_on);
    e->at += e->n_piece;
    e->n_piece += e->prefixed;
    return true;
}
// @end encode-next-piece

// @begin encode-segment
// Go on behind a special token, to the next one or to the end of the text.
static void next_segment(encoder *e)
{
    const vocabulary *v = &e->t->words;
    size_t length = 0, at = e->next;
    e->begin = e->at = at;
    for (; at < e->n_bytes; at++) {
        if (v->special_first[e->text[at]])
            e->single = vocabulary_find_special(v, e->text + at,
                                                e->n_bytes - at, e->special,
                                                &length);
        if (e->single >= 0)
            break;
    }
    e->end = at;
    e->next = at + length;
    if (e->t->pre != NULL)
        pretokenize_begin(&e->scan, e->t->pre,
                          (const char *)e->text + e->begin,
                          e->end - e->begin);
}
// @end encode-segment

// @begin encode-text
// Until there is no room or no text. Whatever is begun goes on in the next
// call: the tokens of a piece, the text up to a special token, that token.
static lll_status fill(encoder *e)
{
    lll_status status = LLL_OK;
    while (status == LLL_OK && e->n_ids < e->capacity) {
        if (e->symbol != BPE_NONE)
            put_symbol(e);
        else if ((e->n_piece > 0 || next_piece(e))
                 && e->n_piece == 1 && e->t->pre != NULL)
            take_byte(e);
        else if (e->n_piece > 0)
            status = take_piece(e);
        else if (e->single >= 0) {
            e->ids[e->n_ids++] = e->single;
            e->single = -1;
        } else if (e->next < e->n_bytes)
            next_segment(e);
        else
            break;
    }
    return status;
}
// @end encode-text

// @begin encode-begin
lll_status tokenizer_begin(tokenizer_encoder *e, const tokenizer *t,
                           const char *text, size_t n_bytes, unsigned flags,
                           void *room, size_t longest, lll_error *err)
{
    bool bytes = t->words.kind == VOCABULARY_BYTE_LEVEL;
    if ((flags & TOKENIZER_BOS) && t->bos < 0)
        return lll_fail(err, LLL_ERR_NOT_FOUND,
                        "the file names no token for the beginning of a "
                        "text (tokenizer.ggml.bos_token_id)");
    *e = (encoder){.t = t, .text = (const unsigned char *)text,
                   .n_bytes = n_bytes, .symbol = BPE_NONE,
                   .special = (flags & TOKENIZER_SPECIAL) != 0,
                   .goes_on = (flags & TOKENIZER_GOES_ON) != 0,
                   .single = flags & TOKENIZER_BOS ? t->bos : -1,
                   .rules = {&t->words,
                             bytes ? line_of_pair : rank_of_joined,
                             bytes ? result_of_line : joined_token}};
    use_room(e, room, longest);
    return LLL_OK;
}
// @end encode-begin

// @begin encode-more
// What is remembered points into the list of the call before.
static void forget(encoder *e)
{
    memset(e->known, 0, e->n_known * sizeof *e->known);
}

lll_status tokenizer_more(tokenizer_encoder *e, int32_t *ids, size_t capacity,
                          size_t *n_ids, lll_error *err)
{
    e->ids = ids;
    e->capacity = capacity;
    e->n_ids = 0;
    e->err = err;
    forget(e);
    lll_status status = fill(e);
    if (status == LLL_OK)
        *n_ids = e->n_ids;
    return status;
}

size_t tokenizer_done(const tokenizer_encoder *e)
{
    return e->piece == NULL ? 0 : (size_t)(e->piece - e->text);
}
// @end encode-more

// @begin encode-grow
// A room of our own, for a longest piece of so many bytes.
static lll_status make_room(void **room, size_t longest, lll_error *err)
{
    size_t bytes = tokenizer_room(longest);
    if (longest >= BPE_NONE || bytes == SIZE_MAX)
        return lll_fail(err, LLL_ERR_OVERFLOW,
                        "a piece of text without a cut has %zu bytes, "
                        "expected less than 4 GiB", longest);
    free(*room);
    *room = malloc(bytes);
    if (*room == NULL)
        return lll_fail(err, LLL_ERR_MEMORY,
                        "the system refused %zu bytes of memory to cut a "
                        "piece of %zu bytes into tokens", bytes, longest);
    return LLL_OK;
}

// As tokenizer_more(), with a larger room where a longer piece comes.
static lll_status fill_growing(encoder *e, int32_t *ids, size_t capacity,
                               void **room, lll_error *err)
{
    size_t n = 0;
    lll_status status = tokenizer_more(e, ids, capacity, &n, NULL);
    while (status == LLL_ERR_OVERFLOW) {
        status = make_room(room, e->n_piece, err);
        if (status != LLL_OK)
            return status;
        use_room(e, *room, e->n_piece);
        forget(e);
        status = fill(e);
    }
    return status;
}
// @end encode-grow

// @begin encode
lll_status tokenizer_encode(const tokenizer *t, const char *text,
                            size_t n_bytes, unsigned flags, int32_t *ids,
                            size_t capacity, size_t *n_ids, lll_error *err)
{
    enum { FIRST = 1 << 16 };   // bytes: few pieces are longer
    size_t longest = n_bytes < FIRST ? n_bytes : FIRST, n = 0;
    encoder e;
    void *room = NULL;
    int32_t one_more;
    lll_status status = make_room(&room, longest, err);
    if (status == LLL_OK)
        status = tokenizer_begin(&e, t, text, n_bytes, flags, room, longest,
                                 err);
    if (status == LLL_OK)
        status = fill_growing(&e, ids, capacity, &room, err);
    if (status == LLL_OK) {
        n = e.n_ids;
        status = fill_growing(&e, &one_more, 1, &room, err);
    }
    if (status == LLL_OK && e.n_ids > 0)
        status = lll_fail(err, LLL_ERR_OVERFLOW, "the text has more than %zu "
                          "tokens, the room that was given", capacity);
    free(room);
    if (status == LLL_OK)
        *n_ids = n;
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
