// replaces common/bpe.c; caught by tests/test_bpe.c
//
// Among pairs of the same rank it takes the last one, not the first. That is
// the same in every word that has no pair twice, one behind the other.
#include "common/bpe.h"

#define bpe_merge right_bpe_merge
#include "common/bpe.c"
#undef bpe_merge

// @begin wrong-rightmost
void bpe_merge(const bpe_rules *rules, const unsigned char *text,
               bpe_symbol *symbols, size_t n, uint32_t *numbers)
{
    (void)numbers;
    for (size_t left = n; left > 1; left--) {
        uint32_t best = BPE_NONE, at = 0;
        for (uint32_t i = 0; i != BPE_NONE; i = symbols[i].next) {
            uint32_t rank = pair_rank(rules, text, symbols, i);
            if (rank != BPE_NONE && rank <= best) {
                best = rank;
                at = i;
            }
        }
        if (best == BPE_NONE)
            return;
        join(symbols, at, rules->joined(rules->vocabulary, text,
                                        &symbols[at],
                                        &symbols[symbols[at].next], best));
    }
}
// @end wrong-rightmost
