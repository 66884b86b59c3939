#include <string.h>

#include "chapters/01-tensor-sizes/exercises/01-6-bookmark/bookmark.h"
#include "tools/exercise.h"

static bool all(const unsigned char *bytes, size_t n, unsigned char wanted)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != wanted)
            return false;
    return true;
}

// Three pieces, the third taken again and again.
static void pieces(arena *memory)
{
    unsigned char *first = arena_take(memory, 64);
    memset(first, 1, 64);
    size_t mark = arena_mark(memory);
    exercise_case(memory->used == 64, "a mark takes nothing",
                  "used is %zu", memory->used);
    unsigned char *second = arena_take(memory, 100);
    memset(second, 2, 100);
    arena_rewind(memory, mark);
    exercise_case(memory->used == 64, "rewound",
                  "expected 64 bytes used, got %zu", memory->used);
    unsigned char *again = arena_take(memory, 128);
    exercise_case(again == second, "the room is used again",
                  "the next piece is somewhere else");
    exercise_case(again != NULL && all(again, 128, 0), "and it is zeroed",
                  "old bytes are still there");
    exercise_case(all(first, 64, 1), "what was before stays",
                  "the first piece was changed");
}

static void marks(arena *memory)
{
    size_t low = arena_mark(memory);
    arena_take(memory, 64);
    size_t high = arena_mark(memory);
    arena_rewind(memory, low);
    arena_rewind(memory, high);
    exercise_case(memory->used == low, "a mark from ahead does nothing",
                  "expected %zu bytes used, got %zu", low, memory->used);
    arena_rewind(memory, low);
    exercise_case(memory->used == low, "the same mark twice",
                  "expected %zu bytes used, got %zu", low, memory->used);
    arena_rewind(memory, 0);
    exercise_case(memory->used == 0 && arena_take(memory, 256) != NULL,
                  "to the beginning", "the whole block should be free");
}

int main(void)
{
    arena memory = {0};
    exercise_case(arena_mark(&memory) == 0, "a zeroed arena",
                  "its mark is 0");
    arena_rewind(&memory, 0);
    arena_init(&memory, 256, NULL);
    pieces(&memory);
    marks(&memory);
    arena_rewind(&memory, 0);
    memset(memory.base, 7, 256);        // whoever looks beyond `used`
    arena_take(&memory, 64);
    arena_rewind(&memory, 0);
    exercise_case(all(memory.base, 64, 0) && all(memory.base + 64, 192, 7),
                  "only what was used is cleared",
                  "bytes beyond it were touched, or some were left");
    arena_free(&memory);
    return exercise_end();
}
