#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chapters/04-tokenizer/exercises/04-6-family/family.h"
#include "tools/exercise.h"

enum { FIRST = 300, CHAIN = 300000, MARK = 0x7fffffff };

static void expect(const char *name, const trained_merge *merges,
                   uint32_t id, size_t capacity, const uint32_t *wanted,
                   size_t n)
{
    uint32_t out[32];
    for (int i = 0; i < 32; i++)
        out[i] = MARK;
    size_t got = family(merges, FIRST, id, out, capacity);
    size_t written = n < capacity ? n : capacity;
    if (got != n)
        exercise_case(false, name, "expected %zu tokens, got %zu", n, got);
    else if (memcmp(out, wanted, written * sizeof *out) != 0)
        exercise_case(false, name, "expected another order");
    else
        exercise_case(out[written] == MARK, name,
                      "something was written behind the end");
}

// Left or right chains: each token is the one before and a byte.
static void expect_chain(const char *name, bool left)
{
    trained_merge *merges = calloc(CHAIN, sizeof *merges);
    uint32_t *out = malloc((2 * CHAIN + 1) * sizeof *out);
    for (uint32_t i = 0; i < CHAIN; i++) {
        uint32_t before = i == 0 ? 7 : FIRST + i - 1;
        merges[i].left = left ? before : 5;
        merges[i].right = left ? 5 : before;
        merges[i].n_bytes = i + 2;
    }
    size_t n = family(merges, FIRST, FIRST + CHAIN - 1, out, 2 * CHAIN + 1);
    bool right = n == 2 * CHAIN + 1 && out[0] == FIRST + CHAIN - 1
        && out[1] == (left ? FIRST + CHAIN - 2 : 5)
        && out[n - 1] == (left ? 5 : 7);
    exercise_case(right, name, "expected %d tokens, got %zu, or another "
                  "order", 2 * CHAIN + 1, n);
    free(merges);
    free(out);
}

int main(void)
{
    // en, hen, " t", " then"
    static const trained_merge merges[] = {
        {.left = 69, .right = 78, .n_bytes = 2},
        {.left = 72, .right = FIRST, .n_bytes = 3},
        {.left = 221, .right = 84, .n_bytes = 2},
        {.left = FIRST + 2, .right = FIRST + 1, .n_bytes = 5},
        {.left = FIRST, .right = FIRST, .n_bytes = 4},
    };
    static const uint32_t then[] = {FIRST + 3, FIRST + 2, 221, 84, FIRST + 1,
                                    72, FIRST, 69, 78};
    static const uint32_t twice[] = {FIRST + 4, FIRST, 69, 78, FIRST, 69,
                                     78};
    static const uint32_t byte[] = {84};
    expect("a byte", merges, 84, 31, byte, 1);
    expect("two bytes", merges, FIRST, 31, then + 6, 3);
    expect("\" then\"", merges, FIRST + 3, 31, then, 9);
    expect("the same half twice", merges, FIRST + 4, 31, twice, 7);
    expect("room for four", merges, FIRST + 3, 4, then, 9);
    expect("no room", merges, FIRST + 3, 0, then, 9);
    expect_chain("a long chain to the left", true);
    expect_chain("a long chain to the right", false);
    return exercise_end();
}
