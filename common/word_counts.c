#include "common/word_counts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"
#include "common/vocabulary.h"

// @begin word-counts-grow
// Room for `needed` items of `each` bytes at *list, twice as many as before
// when it grows, so that each item is moved at most twice on average.
static lll_status grow(void *list, size_t *capacity, size_t needed,
                       size_t each, lll_error *err)
{
    void *old, *larger = NULL;
    size_t n = *capacity == 0 ? 1024 : *capacity, bytes;
    if (needed <= *capacity)
        return LLL_OK;
    while (n < needed && n <= SIZE_MAX / 2)
        n *= 2;
    memcpy(&old, list, sizeof old);
    if (size_mul(n, each, &bytes))
        larger = realloc(old, bytes);
    if (larger == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "the system refused memory for "
                        "%zu items of %zu bytes to count words", n, each);
    memcpy(list, &larger, sizeof larger);
    *capacity = n;
    return LLL_OK;
}
// @end word-counts-grow

// @begin word-counts-find
// The slot of this word, or the free one where it would go.
static size_t find_slot(const word_counts *w, const unsigned char *bytes,
                        size_t n, uint32_t hash)
{
    size_t slot = hash & (w->n_slots - 1);
    while (w->slots[slot] != 0) {
        const counted_word *word = &w->words[w->slots[slot] - 1];
        if (word->hash == hash && word->n_bytes == n
            && memcmp(w->bytes + word->start, bytes, n) == 0)
            break;
        slot = (slot + 1) & (w->n_slots - 1);
    }
    return slot;
}
// @end word-counts-find

// @begin word-counts-slots
// Half of the slots stay free, so that a search ends soon.
static lll_status grow_slots(word_counts *w, lll_error *err)
{
    if (w->n_words < w->n_slots / 2)
        return LLL_OK;
    size_t n = w->n_slots == 0 ? 1024 : w->n_slots * 2;
    uint32_t *slots = calloc(n, sizeof *slots);
    if (slots == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "the system refused memory for "
                        "a table of %zu words", n / 2);
    for (size_t i = 0; i < w->n_words; i++) {
        // All words differ: the first free slot is the right one.
        size_t slot = w->words[i].hash & (n - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (n - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    free(w->slots);
    w->slots = slots;
    w->n_slots = n;
    return LLL_OK;
}
// @end word-counts-slots

// @begin word-counts-enter
static lll_status enter(word_counts *w, const unsigned char *bytes, size_t n,
                        lll_error *err)
{
    lll_status status = grow_slots(w, err);
    if (status != LLL_OK)
        return status;
    uint32_t hash = vocabulary_hash(bytes, n);
    size_t slot = find_slot(w, bytes, n, hash);
    if (w->slots[slot] != 0) {
        w->words[w->slots[slot] - 1].count++;
        return LLL_OK;
    }
    // Training numbers these bytes in 32 bits, the last number being none.
    if (n >= UINT32_MAX - w->n_bytes)
        return lll_fail(err, LLL_ERR_OVERFLOW, "the different words of the "
                        "texts have more than %" PRIu32 " bytes together, "
                        "expected at most that; train on a part of them",
                        UINT32_MAX - 1);
    status = grow(&w->bytes, &w->bytes_capacity, w->n_bytes + n, 1, err);
    if (status == LLL_OK)
        status = grow(&w->words, &w->words_capacity, w->n_words + 1,
                      sizeof *w->words, err);
    if (status != LLL_OK)
        return status;
    memcpy(w->bytes + w->n_bytes, bytes, n);
    counted_word word = {w->n_bytes, (uint32_t)n, hash, 1};
    w->words[w->n_words++] = word;
    w->n_bytes += n;
    w->slots[slot] = (uint32_t)w->n_words;
    return LLL_OK;
}
// @end word-counts-enter

// @begin word-counts-add
lll_status word_counts_add(word_counts *w, const pretokenizer *rules,
                           const char *text, size_t n_bytes, lll_error *err)
{
    pretokenize_scan scan;
    size_t begin, end;
    lll_status status = LLL_OK;
    pretokenize_begin(&scan, rules, text, n_bytes);
    while (status == LLL_OK && pretokenize_next(&scan, &begin, &end))
        status = enter(w, (const unsigned char *)text + begin, end - begin,
                       err);
    return status;
}

void word_counts_free(word_counts *w)
{
    free(w->bytes);
    free(w->words);
    free(w->slots);
    memset(w, 0, sizeof *w);
}
// @end word-counts-add
