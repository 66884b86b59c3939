#ifndef COMMON_WORD_COUNTS_H
#define COMMON_WORD_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/pretokenize.h"

// The different words of some texts, and how often each is there. A word is
// what the pre-tokenizer cuts. Training looks at a word once, however often
// the texts repeat it.
// Taught in chapter 4.

// @begin word-counts-type
typedef struct {
    size_t start;               // its bytes begin at bytes[start]
    uint32_t n_bytes;
    uint32_t hash;
    uint64_t count;
} counted_word;

// A zeroed struct is an empty list.
typedef struct {
    unsigned char *bytes;       // of all different words, one after another
    size_t n_bytes, bytes_capacity;
    counted_word *words;        // in the order in which they were first met
    size_t n_words, words_capacity;
    uint32_t *slots;            // hash table of indices + 1; 0: free
    size_t n_slots;             // a power of two, or 0
} word_counts;
// @end word-counts-type

// Count the words of a text; the bytes are copied where a word is new.
//
// LLL_ERR_OVERFLOW   the different words have 4 GiB together
// LLL_ERR_MEMORY     no room for the lists
// After a failure only word_counts_free() may follow.
// Time O(n_bytes). Memory, at most: twice the bytes of the different words,
// and 64 bytes for each of them.
lll_status word_counts_add(word_counts *w, const pretokenizer *rules,
                           const char *text, size_t n_bytes, lll_error *err);
void word_counts_free(word_counts *w);      // accepts a zeroed struct

#endif
