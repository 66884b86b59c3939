#include "common/bpe.h"

// The ranks of all pairs, in a tree: the leaves are the symbols of the
// piece, each holding the rank of the pair that begins there; a node holds
// the smallest of its eight children. Eight, because a word has about so
// many letters, and its tree is then a single row.
// @begin bpe-tree
enum { CHILDREN = 8, MAX_ROWS = 12, TOP_ROW = CHILDREN };
#define NO_PAIR UINT32_MAX

typedef struct {
    uint32_t *row[MAX_ROWS];    // row[0] the leaves; each padded with
                                // NO_PAIR to a multiple of eight
    int n_rows;                 // the last row has eight entries
} rank_tree;

static uint32_t smallest(const uint32_t *children)
{
    uint32_t least = children[0];
    for (int i = 1; i < CHILDREN; i++)
        least = children[i] < least ? children[i] : least;
    return least;
}

// Leaf `at` has a new rank. Upwards only as far as that changes anything.
static void tree_set(rank_tree *tree, size_t at, uint32_t rank)
{
    tree->row[0][at] = rank;
    for (int i = 0; i + 1 < tree->n_rows; i++) {
        at /= CHILDREN;
        uint32_t least = smallest(tree->row[i] + at * CHILDREN);
        if (tree->row[i + 1][at] == least)
            return;
        tree->row[i + 1][at] = least;
    }
}
// @end bpe-tree

// @begin bpe-tree-2
// The leftmost leaf with the smallest rank; false when no pair is left.
static bool tree_first(const rank_tree *tree, size_t *at, uint32_t *rank)
{
    *at = 0;
    *rank = smallest(tree->row[tree->n_rows - 1]);
    if (*rank == NO_PAIR)
        return false;
    for (int i = tree->n_rows - 1; i >= 0; i--) {
        *at *= CHILDREN;
        while (tree->row[i][*at] != *rank)
            ++*at;
    }
    return true;
}
// @end bpe-tree-2

// @begin bpe-tree-build
static size_t padded(size_t n)
{
    return (n + CHILDREN - 1) / CHILDREN * CHILDREN;
}

// Lay out the rows over n leaves, which are there already.
static void tree_build(rank_tree *tree, uint32_t *numbers, size_t n)
{
    tree->n_rows = 0;
    for (;;) {
        uint32_t *row = numbers;
        tree->row[tree->n_rows++] = row;
        for (size_t i = n; i < padded(n); i++)
            row[i] = NO_PAIR;
        numbers += padded(n);
        if (n <= TOP_ROW)
            return;
        n = padded(n) / CHILDREN;
        for (size_t i = 0; i < n; i++)
            numbers[i] = smallest(row + i * CHILDREN);
    }
}
// @end bpe-tree-build

// @begin bpe-join
// How early the pair that begins at `left` is joined, or NO_PAIR.
static uint32_t pair_rank(const bpe_rules *rules, const unsigned char *text,
                          const bpe_symbol *symbols, uint32_t left)
{
    uint32_t rank, right = symbols[left].next;
    int32_t id;
    if (right == BPE_NONE
        || !rules->find(rules->vocabulary, text, &symbols[left],
                        &symbols[right], &rank, &id))
        return NO_PAIR;
    return rank;
}

// The left symbol grows over the right one.
static void join(bpe_symbol *symbols, uint32_t left, int32_t id)
{
    bpe_symbol *l = &symbols[left];
    const bpe_symbol *r = &symbols[l->next];
    l->n_bytes += r->n_bytes;
    l->next = r->next;
    l->id = id;
    if (l->next != BPE_NONE)
        symbols[l->next].previous = left;
}
// @end bpe-join

// @begin bpe-merge
void bpe_merge(const bpe_rules *rules, const unsigned char *text,
               bpe_symbol *symbols, size_t n, uint32_t *numbers)
{
    rank_tree tree;
    size_t first;
    uint32_t rank;
    int32_t id;
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = pair_rank(rules, text, symbols, i);
    tree_build(&tree, numbers, n);

    while (tree_first(&tree, &first, &rank)) {
        uint32_t left = (uint32_t)first, right = symbols[left].next;
        uint32_t previous = symbols[left].previous;
        // The tree knows only ranks: ask once more what the pair makes.
        if (!rules->find(rules->vocabulary, text, &symbols[left],
                         &symbols[right], &rank, &id))
            return;
        join(symbols, left, id);

        // One symbol is gone, and the one that grew has new pairs on both
        // sides.
        tree_set(&tree, right, NO_PAIR);
        tree_set(&tree, left, pair_rank(rules, text, symbols, left));
        if (previous != BPE_NONE)
            tree_set(&tree, previous,
                     pair_rank(rules, text, symbols, previous));
    }
}
// @end bpe-merge

// @begin bpe-table
static size_t first_slot(const bpe_table *table, int32_t left, int32_t right)
{
    // Multiplying by a large odd number mixes towards the high bits; the
    // table uses the low ones.
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    key *= 0x9e3779b97f4a7c15u;
    return (size_t)(key >> 32) & (table->n_slots - 1);
}

uint32_t bpe_table_find(const bpe_table *table, int32_t left, int32_t right)
{
    if (table->n_slots == 0)
        return BPE_NONE;
    size_t slot = first_slot(table, left, right);
    while (table->slots[slot] != 0) {
        const bpe_pair *pair = &table->pairs[table->slots[slot] - 1];
        if (pair->left == left && pair->right == right)
            return table->slots[slot] - 1;
        slot = (slot + 1) & (table->n_slots - 1);
    }
    return BPE_NONE;
}
// @end bpe-table

// @begin bpe-table-2
bool bpe_table_add(bpe_table *table, uint32_t rank)
{
    const bpe_pair *added = &table->pairs[rank];
    size_t slot = first_slot(table, added->left, added->right);
    while (table->slots[slot] != 0) {
        const bpe_pair *pair = &table->pairs[table->slots[slot] - 1];
        if (pair->left == added->left && pair->right == added->right)
            return false;
        slot = (slot + 1) & (table->n_slots - 1);
    }
    table->slots[slot] = rank + 1;
    return true;
}
// @end bpe-table-2
