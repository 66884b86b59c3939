#ifndef COMMON_BPE_H
#define COMMON_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Byte-pair encoding: begin with the smallest symbols, and join the best
// pair of neighbours until no pair can be joined. What "best" means is the
// caller's: the line of a merge list, or the score of the joined token.
// Taught in chapter 4. Source: Sennrich, Haddow and Birch 2016, "Neural
// Machine Translation of Rare Words with Subword Units".

// @begin bpe-symbol
// A piece of text on its way to becoming a token. Symbols lie in one array
// in the order of the text and are linked to their living neighbours.
typedef struct {
    uint32_t start, n_bytes;        // in the piece
    uint32_t previous, next;        // BPE_NONE at the ends
    int32_t id;                     // its token, or -1
} bpe_symbol;

#define BPE_NONE UINT32_MAX
// @end bpe-symbol

// @begin bpe-rules
// How early two neighbours are joined, smaller first, or BPE_NONE; and the
// token they make, when they have such a rank. The same pair gets the same
// answer each time.
typedef struct {
    const void *vocabulary;
    uint32_t (*rank)(const void *vocabulary, const unsigned char *text,
                     const bpe_symbol *left, const bpe_symbol *right);
    int32_t (*joined)(const void *vocabulary, const unsigned char *text,
                      const bpe_symbol *left, const bpe_symbol *right,
                      uint32_t rank);
} bpe_rules;
// @end bpe-rules

// Join neighbours in order of (rank, position) until nothing is left to
// join. Reads and writes symbols[0..n-1], already linked, 1 <= n < BPE_NONE;
// symbols[0] is always the first of the result.
//
// numbers   room for BPE_NUMBERS(n) numbers
//
// Time O(n log n): each of at most n - 1 joins changes three leaves of a
// tree. No allocation, no recursion. Others use a heap of candidate pairs,
// which must then skip the pairs that are gone by the time they come up; in
// a megabyte of one letter, this tree was three times as fast.
void bpe_merge(const bpe_rules *rules, const unsigned char *text,
               bpe_symbol *symbols, size_t n, uint32_t *numbers);

// The rows of the tree: n + n/8 + n/64 + ..., at most 12 of them, each
// rounded up to eight.
#define BPE_NUMBERS(n) ((n) + (n) / 7 + 12 * 8)

// The merge list of a vocabulary: which two tokens join into which, the
// line number being the rank. An open-addressing hash table.
typedef struct {
    int32_t left, right, result;
} bpe_pair;

typedef struct {
    bpe_pair *pairs;        // n_pairs of them, in file order
    uint32_t n_pairs;
    uint32_t *slots;        // 0: free; else a line number + 1 and a hash
    size_t n_slots;         // a power of two, more than n_pairs
} bpe_table;

// Enter pairs[rank]. False when an earlier line has the same pair, which
// then stays.
bool bpe_table_add(bpe_table *table, uint32_t rank);

// The line number of a pair, or BPE_NONE.
uint32_t bpe_table_find(const bpe_table *table, int32_t left, int32_t right);

#endif
