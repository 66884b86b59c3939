#include "chapters/01-tensor-sizes/exercises/01-6-bookmark/bookmark.h"

size_t arena_mark(const arena *memory)
{
    (void)memory;               // your work begins here
    return 0;
}

void arena_rewind(arena *memory, size_t mark)
{
    (void)memory;
    (void)mark;
}
