#include "chapters/05-rmsnorm-rope/exercises/05-5-which-pairing/pairing.h"
#include "common/rope.h"

pairing which_pairing(const float *before, const float *after,
                      const float *table, int rope_dim)
{
    (void)before;               // your work begins here
    (void)after;
    (void)table;
    (void)rope_dim;
    return NEITHER;
}
