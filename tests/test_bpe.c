// Merging against a search that looks at every pair each time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bpe.h"

enum { N_LETTERS = 4, N_MERGES = 40, MOST = 700 };

typedef struct {
    bpe_table table;
    bpe_pair pairs[N_MERGES];
    uint32_t slots[128];
} rules_of_pairs;

static uint32_t rank_of(const void *vocabulary, const unsigned char *text,
                        const bpe_symbol *left, const bpe_symbol *right)
{
    const rules_of_pairs *r = vocabulary;
    (void)text;
    return bpe_table_find(&r->table, left->id, right->id);
}

static int32_t joined(const void *vocabulary, const unsigned char *text,
                      const bpe_symbol *left, const bpe_symbol *right,
                      uint32_t rank)
{
    const rules_of_pairs *r = vocabulary;
    (void)text, (void)left, (void)right;
    return r->pairs[rank].result;
}

static uint32_t number(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

// Random merges over four letters; pairs that come twice keep the first. Each
// second time they are shuffled: what a merge makes may then be joined before
// the merge itself, as no trained list has it and any file may.
static void make_rules(rules_of_pairs *r, uint64_t seed)
{
    memset(r, 0, sizeof *r);
    r->table.pairs = r->pairs;
    r->table.slots = r->slots;
    r->table.n_slots = 128;
    for (uint32_t i = 0; i < N_MERGES; i++) {
        r->pairs[i].left = (int32_t)(number(&seed) % (N_LETTERS + i));
        r->pairs[i].right = (int32_t)(number(&seed) % (N_LETTERS + i));
        r->pairs[i].result = (int32_t)(N_LETTERS + i);
    }
    bool shuffled = seed % 2 == 0;
    for (uint32_t i = 0; i < N_MERGES; i++) {
        uint32_t other = i + number(&seed) % (N_MERGES - i);
        bpe_pair pair = r->pairs[i];
        if (shuffled) {
            r->pairs[i] = r->pairs[other];
            r->pairs[other] = pair;
        }
        r->table.n_pairs++;
        bpe_table_add(&r->table, i);
    }
}

static size_t slowly(const rules_of_pairs *r, int32_t *ids, size_t n)
{
    for (;;) {
        uint32_t best = BPE_NONE;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t rank = bpe_table_find(&r->table, ids[i], ids[i + 1]);
            if (rank < best) {
                best = rank;
                at = i;
            }
        }
        if (best == BPE_NONE)
            return n;
        ids[at] = r->pairs[best].result;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

static void same_as_the_slow_way(void **state)
{
    (void)state;
    static bpe_symbol symbols[MOST];
    static uint32_t numbers[BPE_NUMBERS(MOST)];
    static int32_t ids[MOST];
    uint64_t seed = 7;
    for (int round = 0; round < 400; round++) {
        rules_of_pairs r;
        make_rules(&r, (uint64_t)round);
        size_t n = 1 + number(&seed) % (round % 10 == 0 ? MOST : 20);
        for (size_t i = 0; i < n; i++) {
            ids[i] = (int32_t)(number(&seed) % (round % 3 == 0 ? 1 : 4));
            bpe_symbol s = {(uint32_t)i, 1,
                            i == 0 ? BPE_NONE : (uint32_t)i - 1,
                            i + 1 == n ? BPE_NONE : (uint32_t)i + 1, ids[i]};
            symbols[i] = s;
        }
        bpe_rules rules = {&r, rank_of, joined};
        bpe_merge(&rules, NULL, symbols, n, numbers);
        size_t expected = slowly(&r, ids, n), count = 0, bytes = 0;
        for (uint32_t i = 0; i != BPE_NONE; i = symbols[i].next) {
            assert_true(count < expected);
            assert_int_equal(symbols[i].id, ids[count++]);
            assert_int_equal(symbols[i].start, bytes);
            bytes += symbols[i].n_bytes;
        }
        assert_int_equal(count, expected);
        assert_int_equal(bytes, n);
    }
}

static void a_pair_twice_keeps_the_first(void **state)
{
    (void)state;
    bpe_pair pairs[] = {{1, 2, 5}, {2, 1, 6}, {1, 2, 7}};
    uint32_t slots[8] = {0};
    bpe_table t = {pairs, 3, slots, 8};
    assert_true(bpe_table_add(&t, 0));
    assert_true(bpe_table_add(&t, 1));
    assert_false(bpe_table_add(&t, 2));
    assert_int_equal(bpe_table_find(&t, 1, 2), 0);
    assert_int_equal(bpe_table_find(&t, 2, 1), 1);
    assert_int_equal(bpe_table_find(&t, 2, 2), BPE_NONE);
    bpe_table empty = {NULL, 0, NULL, 0};
    assert_int_equal(bpe_table_find(&empty, 1, 2), BPE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_slow_way),
        cmocka_unit_test(a_pair_twice_keeps_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
