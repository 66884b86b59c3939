// replaces common/arena.c; caught by tests/test_arena.c
//
// Rounding up as everybody writes it. For the 63 largest sizes the sum runs
// over, what is left is next to nothing, and next to nothing always fits.
#include "common/arena.h"

#define arena_round right_arena_round
#define arena_take right_arena_take
#include "common/arena.c"
#undef arena_take
#undef arena_round

// @begin wrong-round-up-to-nothing
size_t arena_round(size_t bytes)
{
    return (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}
// @end wrong-round-up-to-nothing

void *arena_take(arena *memory, size_t bytes)
{
    return right_arena_take(memory, arena_round(bytes));
}
