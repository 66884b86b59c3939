#include "common/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"

lll_status arena_init(arena *memory, size_t capacity, lll_error *err)
{
    size_t request;
    memset(memory, 0, sizeof *memory);
    if (!size_add(capacity, ARENA_ALIGNMENT, &request))
        return lll_fail(err, LLL_ERR_OVERFLOW,
                        "memory size overflow: %zu bytes", capacity);

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

enum { SMALL = 16 };

static size_t alignment_of(size_t bytes)
{
    return bytes < ARENA_ALIGNMENT ? SMALL : ARENA_ALIGNMENT;
}

static size_t round_up(size_t n, size_t alignment)
{
    if (n > SIZE_MAX - (alignment - 1))
        return SIZE_MAX;
    return (n + alignment - 1) / alignment * alignment;
}

size_t arena_round(size_t bytes)
{
    return round_up(bytes, alignment_of(bytes));
}

void *arena_take(arena *memory, size_t bytes)
{
    size_t start = round_up(memory->used, alignment_of(bytes));
    // The start of the next line may lie behind the end of the block.
    if (start > memory->capacity
        || arena_round(bytes) > memory->capacity - start)
        return NULL;
    memory->used = start + arena_round(bytes);
    return memory->base + start;
}

void arena_free(arena *memory)
{
    free(memory->block);
    memset(memory, 0, sizeof *memory);
}
