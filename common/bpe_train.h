#ifndef COMMON_BPE_TRAIN_H
#define COMMON_BPE_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/word_counts.h"

// Where the merges of a byte-level vocabulary come from: join the pair of
// neighbours that is most frequent in the words of some texts, again and
// again, until there are as many tokens as wanted.
//
//     bpe_trainer t;
//     s = bpe_trainer_init(&t, rules, special, 1, &err);
//     s = bpe_trainer_add(&t, text, n_bytes, &err);        // once a text
//     s = bpe_trainer_run(&t, 4096, 2, NULL, NULL, &err);
//     for (size_t id = 0; id < t.n_tokens; id++)
//         bytes = bpe_trainer_token(&t, id, &n_bytes);
//     bpe_trainer_free(&t);
//
// vocabulary_store.h writes the result as a file has it.
// Taught in chapter 4. Source: Sennrich, Haddow and Birch 2016, "Neural
// Machine Translation of Rare Words with Subword Units"; for bytes, Radford
// and others 2019.

// @begin bpe-trainer
// Merge i makes token n_special + 256 + i.
typedef struct {
    uint32_t left, right;           // the tokens that it joins
    uint32_t start, n_bytes;        // the bytes that it makes, in the words
    uint64_t count;                 // how often the pair was there
} trained_merge;

typedef struct {
    const pretokenizer *rules;
    const char *const *special;     // borrowed
    size_t n_special;
    unsigned char byte_of[256];     // token n_special + i is byte_of[i]
    word_counts words;
    size_t n_tokens;                // n_special + 256 + n_merges
    trained_merge *merges;          // in the order in which they were made
    size_t n_merges;
    arena memory;                   // the merges, and what they took
} bpe_trainer;
// @end bpe-trainer

enum { BPE_N_BYTES = 256 };

// Begin with an empty list of words.
//
// rules       what cuts texts into words: no merge crosses a cut
// special     n_special texts like "<|endoftext|>", the first tokens of the
//             vocabulary; borrowed until bpe_trainer_free(). Where one stands
//             in a text the text is cut, and it is not learnt from
//
// LLL_ERR_ARGUMENT   a special token that is empty, a single byte, longer
//                    than VOCABULARY_SPECIAL_MOST, there twice, not UTF-8,
//                    or spelled as the file spells other bytes ("\u0120the")
lll_status bpe_trainer_init(bpe_trainer *t, const pretokenizer *rules,
                            const char *const *special, size_t n_special,
                            lll_error *err);
void bpe_trainer_free(bpe_trainer *t);      // accepts a zeroed struct

// Count the words of a text, any bytes. Before bpe_trainer_run() only.
// Errors, time and memory as word_counts_add().
lll_status bpe_trainer_add(bpe_trainer *t, const char *text, size_t n_bytes,
                           lll_error *err);

// @begin bpe-trainer-run
// Learn: the special tokens, the 256 bytes in the order of their letters
// ("!" first, as in GPT-2), then the joined pair with the largest count, and
// among equals the one with the smaller left, then the smaller right token.
// These are the merges of the `tokenizers` package, in its order. Once in
// the life of a trainer.
//
// vocab_size    how many tokens to have; fewer, without an error, when no
//               pair is left that is there min_count times
// min_count     at least 1
// observer      called with `context` after each merge, or NULL
//
// LLL_ERR_ARGUMENT   vocab_size below 256 + n_special or above INT32_MAX,
//                    min_count 0
// LLL_ERR_OVERFLOW, LLL_ERR_MEMORY   no room; nothing is changed then
//
// For different words of N bytes together: memory 96 bytes for each of them,
// and none that grows on the way. Time O(N log N): each of at most N joins
// changes at most five counts, each in a heap.
lll_status bpe_trainer_run(bpe_trainer *t, size_t vocab_size,
                           uint64_t min_count,
                           void (*observer)(void *context,
                                            const bpe_trainer *t),
                           void *context, lll_error *err);
// @end bpe-trainer-run

// The bytes that token `id`, below n_tokens, stands for.
const unsigned char *bpe_trainer_token(const bpe_trainer *t, size_t id,
                                       size_t *n_bytes);

#endif
