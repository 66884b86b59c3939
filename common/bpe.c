#include "common/bpe.h"

// A heap entry is one number: the rank above, the position of the left
// symbol below. The smallest number is the next pair to join, and among
// equals the leftmost.
// @begin bpe-heap
static void sift_down(uint64_t *heap, size_t n, size_t at)
{
    uint64_t entry = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && heap[child + 1] < heap[child])
            child++;
        if (entry <= heap[child])
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

static void sift_up(uint64_t *heap, size_t at)
{
    uint64_t entry = heap[at];
    while (at > 0 && entry < heap[(at - 1) / 2]) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = entry;
}
// @end bpe-heap

// @begin bpe-candidate
// Put the pair that begins at `left` into heap[n] if it can be joined.
// Returns how many entries there are then.
static size_t add_candidate(const bpe_rules *rules,
                            const unsigned char *text,
                            const bpe_symbol *symbols, uint32_t left,
                            uint64_t *heap, size_t n)
{
    uint32_t rank, right = symbols[left].next;
    int32_t id;
    if (right == BPE_NONE
        || !rules->find(rules->vocabulary, text, &symbols[left],
                        &symbols[right], &rank, &id))
        return n;
    heap[n] = (uint64_t)rank << 32 | left;
    return n + 1;
}
// @end bpe-candidate

// @begin bpe-join
// The left symbol grows over the right one.
static void join(bpe_symbol *symbols, uint32_t left, int32_t id)
{
    bpe_symbol *l = &symbols[left];
    bpe_symbol *r = &symbols[l->next];
    l->n_bytes += r->n_bytes;
    l->next = r->next;
    l->id = id;
    r->n_bytes = 0;
    if (l->next != BPE_NONE)
        symbols[l->next].previous = left;
}
// @end bpe-join

// @begin bpe-merge
void bpe_merge(const bpe_rules *rules, const unsigned char *text,
               bpe_symbol *symbols, size_t n, uint64_t *heap)
{
    size_t waiting = 0;
    for (uint32_t i = 0; i + 1 < n; i++)
        waiting = add_candidate(rules, text, symbols, i, heap, waiting);
    for (size_t i = waiting / 2; i-- > 0; )
        sift_down(heap, waiting, i);

    while (waiting > 0) {
        uint32_t rank, left = (uint32_t)heap[0];
        uint32_t wanted = (uint32_t)(heap[0] >> 32);
        int32_t id;
        heap[0] = heap[--waiting];
        sift_down(heap, waiting, 0);

        // Entries are never removed when their pair is gone: the symbol was
        // swallowed, or has other bytes or another neighbour by now. Asking
        // again what can be joined here tells.
        bpe_symbol *l = &symbols[left];
        if (l->n_bytes == 0 || l->next == BPE_NONE
            || !rules->find(rules->vocabulary, text, l, &symbols[l->next],
                            &rank, &id)
            || rank != wanted)
            continue;
        join(symbols, left, id);

        size_t before = waiting;
        waiting = add_candidate(rules, text, symbols, left, heap, waiting);
        if (waiting > before)
            sift_up(heap, waiting - 1);
        before = waiting;
        if (l->previous != BPE_NONE)
            waiting = add_candidate(rules, text, symbols, l->previous, heap,
                                    waiting);
        if (waiting > before)
            sift_up(heap, waiting - 1);
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
// @end bpe-table
