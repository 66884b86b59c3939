#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "chapters/03-gguf/exercises/03-3-layout/layout.h"
#include "tools/exercise.h"

enum { MOST = 6 };
#define UNTOUCHED ((size_t)4711)

static void places(const char *name, size_t lists_end, const size_t *n_bytes,
                   size_t n, size_t alignment, const size_t *wanted,
                   size_t wanted_end)
{
    size_t offsets[MOST], end = UNTOUCHED;
    for (int i = 0; i < MOST; i++)
        offsets[i] = UNTOUCHED;
    lll_status status = lay_out(lists_end, n_bytes, n, alignment, offsets,
                                &end);
    if (status != LLL_OK) {
        exercise_case(false, name, "expected LLL_OK, got another status");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (offsets[i] != wanted[i]) {
            exercise_case(false, name, "tensor %zu: expected offset %zu, "
                          "got %zu", i, wanted[i], offsets[i]);
            return;
        }
    if (offsets[n] != UNTOUCHED)
        exercise_case(false, name, "an offset too many was written");
    else
        exercise_case(end == wanted_end, name, "expected a file of %zu "
                      "bytes, got %zu", wanted_end, end);
}

static void refuses(const char *name, size_t lists_end, const size_t *n_bytes,
                    size_t n, size_t alignment, lll_status wanted)
{
    size_t offsets[MOST], end = UNTOUCHED;
    bool same = true;
    for (int i = 0; i < MOST; i++)
        offsets[i] = UNTOUCHED;
    lll_status status = lay_out(lists_end, n_bytes, n, alignment, offsets,
                                &end);
    for (int i = 0; i < MOST; i++)
        same = same && offsets[i] == UNTOUCHED;
    if (status != wanted)
        exercise_case(false, name, "expected %s, got another status",
                      wanted == LLL_ERR_ARGUMENT ? "LLL_ERR_ARGUMENT"
                                                 : "LLL_ERR_OVERFLOW");
    else
        exercise_case(same && end == UNTOUCHED, name,
                      "an output was changed");
}

int main(void)
{
    static const size_t few[] = {32, 33, 1, 64};
    static const size_t none[] = {0};
    places("no tensors", 77, none, 0, 32, none, 77);
    places("one, behind 64 bytes of lists", 64, few, 1, 32,
           (const size_t[]){0}, 96);
    places("one, behind 65", 65, few, 1, 32, (const size_t[]){0}, 128);
    places("one, behind 95", 95, few, 1, 32, (const size_t[]){0}, 128);
    places("four", 70, few, 4, 32, (const size_t[]){0, 32, 96, 128}, 288);
    places("an alignment of 64", 70, few, 4, 64,
           (const size_t[]){0, 64, 128, 192}, 384);
    places("an alignment of 24", 70, few, 4, 24,
           (const size_t[]){0, 48, 96, 120}, 264);
    places("of 24, where nothing is missing", 48, (const size_t[]){24, 48}, 2,
           24, (const size_t[]){0, 24}, 120);
    places("an alignment of 8", 71, few, 4, 8,
           (const size_t[]){0, 32, 72, 80}, 216);
    refuses("an alignment of 0", 64, few, 4, 0, LLL_ERR_ARGUMENT);
    refuses("an alignment of 4", 64, few, 4, 4, LLL_ERR_ARGUMENT);
    refuses("an alignment of 20", 64, few, 4, 20, LLL_ERR_ARGUMENT);
    size_t half = SIZE_MAX / 2 + 1;
    places("the longest file", 24, (const size_t[]){SIZE_MAX - 63, 24}, 2, 8,
           (const size_t[]){0, SIZE_MAX - 63}, SIZE_MAX - 15);
    refuses("a sum that is too large", 64, (const size_t[]){8, half, half}, 3,
            8, LLL_ERR_OVERFLOW);
    refuses("zeros that do not fit any more", 0,
            (const size_t[]){8, SIZE_MAX - 12}, 2, 8, LLL_ERR_OVERFLOW);
    refuses("lists that cannot be rounded up", SIZE_MAX - 3, few, 1, 8,
            LLL_ERR_OVERFLOW);
    return exercise_end();
}
