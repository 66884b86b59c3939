// replaces common/rope.c; caught by tests/test_rope.c
//
// The angle in float. Right for every test at position 10, and for a short
// chat; a long document slowly loses the order of its words.
#include "common/rope.h"

#define rope_table right_rope_table
#include "common/rope.c"
#undef rope_table

// @begin wrong-float-angle
void rope_table(float *table, const double *frequencies, int rope_dim,
                int position)
{
    for (int i = 0; i < rope_dim / 2; i++) {
        float angle = (float)position * (float)frequencies[i];
        table[2 * i] = cosf(angle);
        table[2 * i + 1] = sinf(angle);
    }
}
// @end wrong-float-angle
