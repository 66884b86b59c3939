#include "common/bpe.h"

// The ranks of all pairs, in a tree: the leaves are the symbols of the
// piece, each holding the rank of the pair that begins there; a node holds
// the smallest of its eight children. Eight, because a word has about so
// many letters, and its tree is then a single row.
// @begin bpe-tree
enum { CHILDREN = 8, MAX_ROWS = 12, TOP_ROW = CHILDREN };
#define NO_PAIR BPE_NONE        // larger than any rank

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

// The group of leaf `at` has new ranks. Upwards only as far as that changes
// anything.
static void tree_update(rank_tree *tree, size_t at)
{
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
// The first leaf at or behind `at` with this rank, the smallest there is;
// there must be one. Near ones are found without going up to the top.
static size_t tree_find(const rank_tree *tree, size_t at, uint32_t rank)
{
    int i = 0;
    for (;; i++) {
        size_t behind = at / CHILDREN + 1;      // the next group
        while (at < behind * CHILDREN && tree->row[i][at] != rank)
            at++;
        if (at < behind * CHILDREN)
            break;
        at = behind;
    }
    while (i-- > 0) {
        at *= CHILDREN;
        while (tree->row[i][at] != rank)
            at++;
    }
    return at;
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
    uint32_t right = symbols[left].next;
    return right == BPE_NONE ? NO_PAIR
         : rules->rank(rules->vocabulary, text, &symbols[left],
                       &symbols[right]);
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

// @begin bpe-rerank
// One symbol is gone, and the one that grew has new pairs on both sides.
static void rerank(rank_tree *tree, const bpe_rules *rules,
                   const unsigned char *text, const bpe_symbol *symbols,
                   uint32_t left, uint32_t gone)
{
    uint32_t *ranks = tree->row[0], previous = symbols[left].previous;
    ranks[gone] = NO_PAIR;
    ranks[left] = pair_rank(rules, text, symbols, left);
    if (previous != BPE_NONE)
        ranks[previous] = pair_rank(rules, text, symbols, previous);
    // Most often, all three are in one group.
    tree_update(tree, left);
    if (gone / CHILDREN != left / CHILDREN)
        tree_update(tree, gone);
    if (previous != BPE_NONE && previous / CHILDREN != left / CHILDREN)
        tree_update(tree, previous);
}
// @end bpe-rerank

// @begin bpe-merge
void bpe_merge(const bpe_rules *rules, const unsigned char *text,
               bpe_symbol *symbols, size_t n, uint32_t *numbers)
{
    rank_tree tree;
    uint32_t from = 0, before = NO_PAIR;
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = pair_rank(rules, text, symbols, i);
    tree_build(&tree, numbers, n);

    for (;;) {
        uint32_t rank = smallest(tree.row[tree.n_rows - 1]);
        if (rank == NO_PAIR)
            return;
        // The pairs before `from` were worse than the last one, so this one
        // is not among them unless it is worse, too.
        size_t first = tree_find(&tree, rank <= before ? from : 0, rank);
        uint32_t left = (uint32_t)first, right = symbols[left].next;
        before = rank;
        join(symbols, left,
             rules->joined(rules->vocabulary, text, &symbols[left],
                           &symbols[right], rank));
        rerank(&tree, rules, text, symbols, left, right);
        from = symbols[left].previous == BPE_NONE ? left
             : symbols[left].previous;
    }
}
// @end bpe-merge

// @begin bpe-table
static uint32_t hash_pair(int32_t left, int32_t right)
{
    // Multiplying by a large odd number mixes towards the high bits.
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 32);
}

// The slot of this pair, or the free one where it would go. Each slot holds
// a line number + 1, and in the bits above, which such a number leaves free,
// those of the pair's hash: most pairs that are not there are recognized
// without a look at the list, which is far away.
static size_t find_slot(const bpe_table *table, int32_t left, int32_t right,
                        uint32_t *found)
{
    uint32_t hash = hash_pair(left, right);
    uint32_t mask = (uint32_t)(table->n_slots - 1);
    size_t slot = hash & mask;
    for (; table->slots[slot] != 0; slot = (slot + 1) & mask) {
        if ((table->slots[slot] ^ hash) & ~mask)
            continue;
        *found = (table->slots[slot] & mask) - 1;
        const bpe_pair *pair = &table->pairs[*found];
        if (pair->left == left && pair->right == right)
            return slot;
    }
    *found = BPE_NONE;
    return slot;
}
// @end bpe-table

// @begin bpe-table-2
uint32_t bpe_table_find(const bpe_table *table, int32_t left, int32_t right)
{
    uint32_t found = BPE_NONE;
    if (table->n_slots > 0)
        find_slot(table, left, right, &found);
    return found;
}

bool bpe_table_add(bpe_table *table, uint32_t rank)
{
    const bpe_pair *pair = &table->pairs[rank];
    uint32_t found, mask = (uint32_t)(table->n_slots - 1);
    size_t slot = find_slot(table, pair->left, pair->right, &found);
    if (found != BPE_NONE)
        return false;
    table->slots[slot] = (hash_pair(pair->left, pair->right) & ~mask)
                       | (rank + 1);
    return true;
}
// @end bpe-table-2
