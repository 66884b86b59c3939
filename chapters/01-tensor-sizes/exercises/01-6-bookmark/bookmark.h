// The question of exercise 01-6.
#include "common/arena.h"

size_t arena_mark(const arena *memory);
void arena_rewind(arena *memory, size_t mark);
