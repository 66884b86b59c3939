#include "common/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"

// @begin arena-init
lll_status arena_init(arena *memory, size_t capacity, lll_error *err)
{
    size_t request;
    memset(memory, 0, sizeof *memory);
    if (!size_add(capacity, ARENA_ALIGNMENT, &request))
        return lll_fail(err, LLL_ERR_OVERFLOW,
                        "memory size overflow: %zu bytes", capacity);

    // calloc, because for a large block the system hands out zeroed pages
    // that take no room until somebody writes to them.
    memory->block = calloc(1, request);
    if (memory->block == NULL) {
        char text[32];
        size_text(request, text, sizeof text);
        return lll_fail(err, LLL_ERR_MEMORY,
                        "the system refused %s of memory (%zu bytes)",
                        text, request);
    }
    uintptr_t start = (uintptr_t)memory->block;
    size_t gap = (ARENA_ALIGNMENT - start % ARENA_ALIGNMENT)
                 % ARENA_ALIGNMENT;
    memory->base = (unsigned char *)memory->block + gap;
    memory->capacity = capacity;
    return LLL_OK;
}
// @end arena-init

// @begin arena-take
size_t arena_round(size_t bytes)
{
    if (bytes > SIZE_MAX - (ARENA_ALIGNMENT - 1))
        return SIZE_MAX;
    return (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

void *arena_take(arena *memory, size_t bytes)
{
    size_t padded = arena_round(bytes);
    // Subtracting cannot overflow: used never exceeds capacity.
    if (padded > memory->capacity - memory->used)
        return NULL;
    void *piece = memory->base + memory->used;
    memory->used += padded;
    return piece;
}
// @end arena-take

// @begin arena-free
void arena_free(arena *memory)
{
    free(memory->block);
    memset(memory, 0, sizeof *memory);
}
// @end arena-free
