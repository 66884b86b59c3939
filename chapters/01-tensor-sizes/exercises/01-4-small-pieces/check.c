#include <string.h>

#include "common/arena.h"
#include "tools/exercise.h"

static arena memory;

// Takes a piece; `at` is where it has to begin, -1 for "does not fit".
static void expect(const char *name, size_t bytes, long at, size_t used)
{
    size_t before = memory.used;
    unsigned char *piece = arena_take(&memory, bytes);
    if (at < 0)
        exercise_case(piece == NULL && memory.used == before, name,
                      "expected NULL and nothing changed");
    else if (piece == NULL)
        exercise_case(false, name, "expected a piece at %ld, got NULL", at);
    else
        exercise_case(piece == memory.base + at && memory.used == used, name,
                      "expected bytes %ld to %zu, got %ld to %zu", at, used,
                      (long)(piece - memory.base), memory.used);
    if (piece != NULL && at >= 0)
        memset(piece, 1, bytes);
}

static void fresh(size_t capacity)
{
    arena_free(&memory);
    arena_init(&memory, capacity, NULL);
}

int main(void)
{
    fresh(256);
    expect("a byte", 1, 0, 16);
    expect("another behind it", 1, 16, 32);
    expect("sixteen bytes", 16, 32, 48);
    expect("seventeen", 17, 48, 80);
    expect("a large piece begins a line", 64, 128, 192);
    expect("the last 64 bytes, small", 50, 192, 256);
    expect("nothing is left", 1, -1, 0);
    expect("no bytes always fit", 0, 256, 256);
    fresh(256);
    expect("100 bytes", 100, 0, 128);
    expect("28 bytes", 28, 128, 160);
    expect("200 do not fit", 200, -1, 0);
    expect("64 do, after a gap", 64, 192, 256);
    fresh(100);
    for (int i = 0; i < 5; i++)
        arena_take(&memory, 1);
    expect("its line begins behind the end", 64, -1, 0);
    expect("a small one still fits", 16, 80, 96);
    fresh(96);
    arena_take(&memory, 1);
    expect("the gap counts", 64, -1, 0);
    expect("the largest size there is", SIZE_MAX, -1, 0);
    expect("a little less", SIZE_MAX - 70, -1, 0);
    exercise_case(arena_round(1) == 16 && arena_round(63) == 64
                  && arena_round(64) == 64 && arena_round(65) == 128
                  && arena_round(0) == 0
                  && arena_round(SIZE_MAX) == SIZE_MAX,
                  "arena_round", "1, 63, 64, 65, 0, SIZE_MAX give 16, 64, "
                  "64, 128, 0, SIZE_MAX");
    arena_free(&memory);
    return exercise_end();
}
