#include <stdlib.h>

#include "chapters/04-tokenizer/exercises/04-6-family/family.h"

// A token of n bytes has n bytes and n - 1 joins in its family. Right halves
// wait in an array; there are never more of them than bytes, since each will
// give one at least.
size_t family(const trained_merge *merges, uint32_t first, uint32_t id,
              uint32_t *out, size_t capacity)
{
    size_t n = 0, n_waiting = 0;
    uint32_t *waiting = NULL;
    if (id >= first)
        waiting = malloc(merges[id - first].n_bytes * sizeof *waiting);
    for (;;) {
        if (n < capacity)
            out[n] = id;
        n++;
        if (id >= first && waiting != NULL) {
            waiting[n_waiting++] = merges[id - first].right;
            id = merges[id - first].left;
        } else if (n_waiting > 0) {
            id = waiting[--n_waiting];
        } else {
            break;
        }
    }
    free(waiting);
    return n;
}
