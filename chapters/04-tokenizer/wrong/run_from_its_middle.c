// replaces join_everywhere() in common/bpe_train.c;
// caught by tests/test_bpe_train.c
//
// The places of a pair are joined in the order of the list, and the list is
// in no order. Only where places overlap does that matter.

// @begin wrong-run-middle
static void join_everywhere(training *g, uint32_t pair, uint32_t id)
{
    heap_remove(g, pair);
    while (g->pairs[pair].first != NOWHERE) {
        uint32_t at = g->pairs[pair].first;
        for (; at != NOWHERE && g->symbols[at].pair == pair;
             at = g->symbols[at].next)
            join_at(g, at, id);
    }
    forget_pair(g, pair);
}
// @end wrong-run-middle
