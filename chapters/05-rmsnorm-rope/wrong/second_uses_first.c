// replaces common/rope.c; caught by tests/test_rope.c
//
// The second line reads what the first has just written. At position 0 the
// sine is 0 and nothing is wrong; the error grows with the angle.
#include "common/rope.h"

#define rope_rotate right_rope_rotate
#include "common/rope.c"
#undef rope_rotate

// @begin wrong-second-uses-first
void rope_rotate(float *head, const float *table, int rope_dim)
{
    for (int i = 0; i < rope_dim; i += 2) {
        float c = table[i], s = table[i + 1];
        head[i] = head[i] * c - head[i + 1] * s;
        head[i + 1] = head[i] * s + head[i + 1] * c;    // head[i] is new
    }
}
// @end wrong-second-uses-first
