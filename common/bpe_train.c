#include "common/bpe_train.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/size.h"
#include "common/unicode.h"
#include "common/vocabulary.h"

// @begin train-types
#define NOWHERE UINT32_MAX

// The words as symbols that grow. Symbol i begins at byte i of the words.
typedef struct {
    uint32_t id;                    // its token
    uint32_t previous, next;        // neighbours in its word, or NOWHERE
    uint32_t word;
    uint32_t pair;                  // that begins here; 0: none
    uint32_t pair_previous, pair_next;  // other places of the same pair
} train_symbol;

typedef struct {
    uint32_t left, right;
    uint64_t count;
    uint32_t first;                 // one of its places, or NOWHERE
    uint32_t chain;                 // next pair with the same hash, or next
                                    // free one; 0: none
    uint32_t heap_at;               // 0: not in the heap
} train_pair;

typedef struct {
    bpe_trainer *t;
    train_symbol *symbols;          // one for each byte of the words
    train_pair *pairs;              // the first one is not used
    uint32_t n_pairs, free_pair;
    uint32_t *heap;                 // heap[1] is the pair to join next
    uint32_t n_heap;
    uint32_t *buckets;              // pairs by their two tokens
    size_t n_buckets;               // a power of two
} training;
// @end train-types

// @begin train-heap
// Is a joined before b? This is the rule for ties as well.
static bool before(const train_pair *a, const train_pair *b)
{
    if (a->count != b->count)
        return a->count > b->count;
    return a->left != b->left ? a->left < b->left : a->right < b->right;
}

static void place(training *g, uint32_t at, uint32_t pair)
{
    g->heap[at] = pair;
    g->pairs[pair].heap_at = at;
}

// The count of the pair at heap[at] has changed: move it to its place.
static void sift(training *g, uint32_t at)
{
    uint32_t moved = g->heap[at];
    const train_pair *pairs = g->pairs, *m = &pairs[moved];
    for (; at > 1 && before(m, &pairs[g->heap[at / 2]]); at /= 2)
        place(g, at, g->heap[at / 2]);
    while (at <= g->n_heap / 2) {
        uint32_t child = at * 2;
        if (child < g->n_heap && before(&pairs[g->heap[child + 1]],
                                        &pairs[g->heap[child]]))
            child++;
        if (!before(&pairs[g->heap[child]], m))
            break;
        place(g, at, g->heap[child]);
        at = child;
    }
    place(g, at, moved);
}
// @end train-heap

// @begin train-heap-remove
static void heap_remove(training *g, uint32_t pair)
{
    uint32_t at = g->pairs[pair].heap_at, last = g->heap[g->n_heap--];
    g->pairs[pair].heap_at = 0;
    if (last != pair) {
        place(g, at, last);
        sift(g, at);
    }
}
// @end train-heap-remove

// @begin train-pairs
static uint32_t *bucket_of(training *g, uint32_t left, uint32_t right)
{
    uint64_t key = (uint64_t)left << 32 | right;
    key *= 0x9e3779b97f4a7c15u;
    return &g->buckets[(size_t)(key >> 32) & (g->n_buckets - 1)];
}

static uint32_t find_pair(training *g, uint32_t left, uint32_t right)
{
    uint32_t *bucket = bucket_of(g, left, right);
    for (uint32_t i = *bucket; i != 0; i = g->pairs[i].chain)
        if (g->pairs[i].left == left && g->pairs[i].right == right)
            return i;
    uint32_t added = g->free_pair;
    if (added != 0)
        g->free_pair = g->pairs[added].chain;
    else
        added = ++g->n_pairs;
    train_pair pair = {left, right, 0, NOWHERE, *bucket, 0};
    g->pairs[added] = pair;
    *bucket = added;
    place(g, ++g->n_heap, added);
    return added;
}

static void forget_pair(training *g, uint32_t pair)
{
    train_pair *p = &g->pairs[pair];
    uint32_t *link = bucket_of(g, p->left, p->right);
    while (*link != pair)
        link = &g->pairs[*link].chain;
    *link = p->chain;
    p->chain = g->free_pair;
    g->free_pair = pair;
}
// @end train-pairs

// @begin train-places
static uint64_t weight(const training *g, const train_symbol *s)
{
    return g->t->words.words[s->word].count;
}

// A pair begins at symbol `at`, unless its word ends there.
static void add_place(training *g, uint32_t at)
{
    train_symbol *s = &g->symbols[at];
    if (s->next == NOWHERE)
        return;
    s->pair = find_pair(g, s->id, g->symbols[s->next].id);
    train_pair *pair = &g->pairs[s->pair];
    s->pair_previous = NOWHERE;
    s->pair_next = pair->first;
    if (pair->first != NOWHERE)
        g->symbols[pair->first].pair_previous = at;
    pair->first = at;
    pair->count += weight(g, s);
    sift(g, pair->heap_at);
}
// @end train-places

// @begin train-places-2
static void remove_place(training *g, uint32_t at)
{
    train_symbol *s = &g->symbols[at];
    uint32_t index = s->pair;
    train_pair *pair = &g->pairs[index];
    if (index == 0)
        return;
    if (s->pair_previous == NOWHERE)
        pair->first = s->pair_next;
    else
        g->symbols[s->pair_previous].pair_next = s->pair_next;
    if (s->pair_next != NOWHERE)
        g->symbols[s->pair_next].pair_previous = s->pair_previous;
    s->pair = 0;
    pair->count -= weight(g, s);
    // The pair that is being joined has left the heap, and is forgotten at
    // the end.
    if (pair->heap_at == 0)
        return;
    if (pair->first != NOWHERE) {
        sift(g, pair->heap_at);
    } else {
        heap_remove(g, index);
        forget_pair(g, index);
    }
}
// @end train-places-2

// @begin train-join
// Symbol `at` grows over its right neighbour and becomes token `id`.
static void join_at(training *g, uint32_t at, uint32_t id)
{
    train_symbol *s = &g->symbols[at];
    uint32_t previous = s->previous, right = s->next;
    if (previous != NOWHERE)
        remove_place(g, previous);
    remove_place(g, at);
    remove_place(g, right);
    s->id = id;
    s->next = g->symbols[right].next;
    if (s->next != NOWHERE)
        g->symbols[s->next].previous = at;
    if (previous != NOWHERE)
        add_place(g, previous);
    add_place(g, at);
}

static void join_everywhere(training *g, uint32_t pair, uint32_t id)
{
    heap_remove(g, pair);
    while (g->pairs[pair].first != NOWHERE) {
        uint32_t at = g->pairs[pair].first, previous;
        // In "aaaa" the places of (a, a) overlap. Encoding joins from the
        // left, so begin where the run does.
        while ((previous = g->symbols[at].previous) != NOWHERE
               && g->symbols[previous].pair == pair)
            at = previous;
        for (; at != NOWHERE && g->symbols[at].pair == pair;
             at = g->symbols[at].next)
            join_at(g, at, id);
    }
    forget_pair(g, pair);
}
// @end train-join

// @begin train-merge
static uint32_t length_of(const bpe_trainer *t, uint32_t id)
{
    size_t n;
    bpe_trainer_token(t, id, &n);
    return (uint32_t)n;
}

// The next merge and its token. No token can be there already: wherever the
// same bytes stand between two borders that no join has crossed, the joins
// so far have done the same to them, so their last two symbols are the same.
static uint32_t add_merge(bpe_trainer *t, const train_pair *pair)
{
    trained_merge merge = {
        .left = pair->left, .right = pair->right, .start = pair->first,
        .n_bytes = length_of(t, pair->left) + length_of(t, pair->right),
        .count = pair->count};
    t->merges[t->n_merges++] = merge;
    return (uint32_t)t->n_tokens++;
}
// @end train-merge

// @begin train-layout
static void lay_out(training *g)
{
    const bpe_trainer *t = g->t;
    const word_counts *w = &t->words;
    uint32_t id_of[256];
    for (uint32_t i = 0; i < BPE_N_BYTES; i++)
        id_of[t->byte_of[i]] = (uint32_t)t->n_special + i;
    for (uint32_t i = 0; i < w->n_words; i++) {
        uint32_t start = (uint32_t)w->words[i].start;
        uint32_t stop = start + w->words[i].n_bytes;
        for (uint32_t at = start; at < stop; at++) {
            train_symbol symbol = {
                .id = id_of[w->bytes[at]], .word = i,
                .previous = at == start ? NOWHERE : at - 1,
                .next = at + 1 == stop ? NOWHERE : at + 1};
            g->symbols[at] = symbol;
        }
        for (uint32_t at = start; at < stop; at++)
            add_place(g, at);
    }
}
// @end train-layout

// @begin train-plan
enum { SYMBOLS, PAIRS, HEAP, BUCKETS, MERGES, N_PIECES };

static size_t power_of_two(size_t least)
{
    size_t n = 16;
    while (n < least)
        n *= 2;
    return n;
}

// Everything has its largest size from the start: a join makes at least one
// symbol and one place of a pair less, so the bytes of the words bound them
// all. Pages that are never used cost nothing.
static lll_status reserve(training *g, lll_error *err)
{
    bpe_trainer *t = g->t;
    size_t n = t->words.n_bytes, total = 0, bytes[N_PIECES];
    g->n_buckets = power_of_two(n);
    const size_t each[N_PIECES] = {
        sizeof(train_symbol), sizeof(train_pair), sizeof(uint32_t),
        sizeof(uint32_t), sizeof(trained_merge)};
    const size_t count[N_PIECES] = {n, n + 1, n + 1, g->n_buckets, n};
    for (int i = 0; i < N_PIECES; i++)
        if (!size_mul(count[i], each[i], &bytes[i])
            || !size_add(total, arena_round(bytes[i]), &total))
            return lll_fail(err, LLL_ERR_OVERFLOW, "training size overflow: "
                            "different words of %zu bytes together", n);
// @end train-plan
// @begin train-reserve
    lll_status status = arena_init(&t->memory, total, err);
    if (status != LLL_OK)
        return status;
    g->symbols = arena_take(&t->memory, bytes[SYMBOLS]);
    g->pairs = arena_take(&t->memory, bytes[PAIRS]);
    g->heap = arena_take(&t->memory, bytes[HEAP]);
    g->buckets = arena_take(&t->memory, bytes[BUCKETS]);
    t->merges = arena_take(&t->memory, bytes[MERGES]);
    return LLL_OK;
}
// @end train-reserve

// @begin train-run
lll_status bpe_trainer_run(bpe_trainer *t, size_t vocab_size,
                           uint64_t min_count,
                           void (*observer)(void *context,
                                            const bpe_trainer *t),
                           void *context, lll_error *err)
{
    training g = {.t = t};
    if (vocab_size < t->n_special + BPE_N_BYTES || vocab_size > INT32_MAX)
        return lll_fail(err, LLL_ERR_ARGUMENT, "found %zu as the size of a "
                        "vocabulary, expected %zu (256 bytes and %zu special "
                        "tokens) to %d", vocab_size,
                        t->n_special + BPE_N_BYTES, t->n_special, INT32_MAX);
    if (min_count == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT, "found 0 as the least count "
                        "of a pair, expected 1 or more");
    lll_status status = reserve(&g, err);
    if (status != LLL_OK)
        return status;
    lay_out(&g);
    while (g.n_heap > 0 && g.pairs[g.heap[1]].count >= min_count
           && t->n_tokens < vocab_size) {
        uint32_t best = g.heap[1];
        join_everywhere(&g, best, add_merge(t, &g.pairs[best]));
        if (observer != NULL)
            observer(context, t);
    }
    return LLL_OK;
}
// @end train-run

// @begin train-special
// Written as the file writes other bytes, it would be there twice: the file
// spells " the" with this letter, U+0120.
static bool is_spelling(const char *text, size_t n_bytes)
{
    uint32_t code = 0;
    bool other = false;
    for (size_t at = 0; at < n_bytes; ) {
        at += (size_t)unicode_decode((const unsigned char *)text + at,
                                     n_bytes - at, &code);
        if (vocabulary_byte_of_letter(code) < 0)
            return false;
        other = other || code >= 0x80;
    }
    return other;
}

static const char *wrong_with(const bpe_trainer *t, size_t i)
{
    const char *text = t->special[i];
    size_t n = strlen(text);
    uint32_t code;
    if (n < 2 || n > VOCABULARY_SPECIAL_MOST)
        return "of another length";
    for (size_t at = 0; at < n; ) {
        int length = unicode_decode((const unsigned char *)text + at,
                                    n - at, &code);
        if (length < 1)
            return "that is not UTF-8";
        at += (size_t)length;
    }
    for (size_t j = 0; j < i; j++)
        if (strcmp(text, t->special[j]) == 0)
            return "given twice";
    return is_spelling(text, n) ? "spelled like other bytes" : NULL;
}
// @end train-special

// @begin train-init
lll_status bpe_trainer_init(bpe_trainer *t, const pretokenizer *rules,
                            const char *const *special, size_t n_special,
                            lll_error *err)
{
    bpe_trainer made = {.rules = rules, .special = special,
                        .n_special = n_special,
                        .n_tokens = n_special + BPE_N_BYTES};
    size_t n = 0;
    for (uint32_t letter = 0; n < BPE_N_BYTES; letter++) {
        int byte = vocabulary_byte_of_letter(letter);
        if (byte >= 0)
            made.byte_of[n++] = (unsigned char)byte;
    }
    for (size_t i = 0; i < n_special; i++) {
        const char *why = wrong_with(&made, i);
        if (why != NULL)
            return lll_fail(err, LLL_ERR_ARGUMENT, "the special token "
                            "\"%.64s\" is one %s, expected different texts "
                            "of 2 to %d bytes, like \"<|endoftext|>\"",
                            special[i], why, VOCABULARY_SPECIAL_MOST);
    }
    *t = made;
    return LLL_OK;
}

void bpe_trainer_free(bpe_trainer *t)
{
    word_counts_free(&t->words);
    arena_free(&t->memory);
    memset(t, 0, sizeof *t);
}
// @end train-init

// @begin train-special-at
// The longest special token that these bytes begin with: its length, or 0.
static size_t special_at(const bpe_trainer *t, const char *text, size_t n)
{
    size_t longest = 0;
    for (size_t i = 0; i < t->n_special; i++) {
        size_t length = strlen(t->special[i]);
        if (length > longest && length <= n
            && memcmp(t->special[i], text, length) == 0)
            longest = length;
    }
    return longest;
}
// @end train-special-at

// @begin train-add
lll_status bpe_trainer_add(bpe_trainer *t, const char *text, size_t n_bytes,
                           lll_error *err)
{
    bool first[256] = {false};
    size_t done = 0, at = 0;
    lll_status status = LLL_OK;
    for (size_t i = 0; i < t->n_special; i++)
        first[(unsigned char)t->special[i][0]] = true;
    while (at < n_bytes && status == LLL_OK) {
        size_t length = first[(unsigned char)text[at]]
                      ? special_at(t, text + at, n_bytes - at) : 0;
        if (length == 0) {
            at++;
            continue;
        }
        status = word_counts_add(&t->words, t->rules, text + done, at - done,
                                 err);
        at += length;
        done = at;
    }
    if (status == LLL_OK)
        status = word_counts_add(&t->words, t->rules, text + done,
                                 n_bytes - done, err);
    return status;
}
// @end train-add

// @begin train-token-bytes
const unsigned char *bpe_trainer_token(const bpe_trainer *t, size_t id,
                                       size_t *n_bytes)
{
    if (id < t->n_special) {
        *n_bytes = strlen(t->special[id]);
        return (const unsigned char *)t->special[id];
    }
    id -= t->n_special;
    *n_bytes = 1;
    if (id < BPE_N_BYTES)
        return &t->byte_of[id];
    const trained_merge *merge = &t->merges[id - BPE_N_BYTES];
    *n_bytes = merge->n_bytes;
    return t->words.bytes + merge->start;
}
// @end train-token-bytes
