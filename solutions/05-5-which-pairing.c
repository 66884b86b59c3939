#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "chapters/05-rmsnorm-rope/exercises/05-5-which-pairing/pairing.h"
#include "common/rope.h"

static bool fits(const float *before, const float *after, const float *table,
                 int rope_dim, void (*turn)(float *, const float *, int))
{
    float turned[256], largest = 0;
    memcpy(turned, before, (size_t)rope_dim * sizeof *turned);
    turn(turned, table, rope_dim);
    for (int i = 0; i < rope_dim; i++)
        largest = fmaxf(largest, fabsf(after[i]));
    for (int i = 0; i < rope_dim; i++)
        if (!(fabsf(turned[i] - after[i]) <= 1e-3f * largest))
            return false;               // also where one is not a number
    return true;
}

// No program can tell them apart where both do the same: at position 0, in a
// head of two numbers, for a vector of zeros, and wherever the numbers were
// made for it, say 1, 2, 2, -1 when both pairs turn by the same angle.
pairing which_pairing(const float *before, const float *after,
                      const float *table, int rope_dim)
{
    bool neighbours = fits(before, after, table, rope_dim, rope_rotate);
    bool halves = fits(before, after, table, rope_dim, rope_rotate_halves);
    if (neighbours && halves)
        return EITHER;
    return neighbours ? NEIGHBOURS : halves ? HALVES : NEITHER;
}
