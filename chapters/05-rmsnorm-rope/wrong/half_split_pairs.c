// replaces common/rope.c; caught by tests/test_rope.c
//
// The pairing of another file format. Each pair is still turned by a correct
// angle, so lengths are right, scores depend on the distance alone, and the
// text that comes out looks like text.
#include "common/rope.h"

#define rope_rotate right_rope_rotate
#include "common/rope.c"
#undef rope_rotate

// @begin wrong-half-split-pairs
void rope_rotate(float *head, const float *table, int rope_dim)
{
    int half = rope_dim / 2;
    for (int i = 0; i < half; i++) {
        float c = table[2 * i], s = table[2 * i + 1];
        float x = head[i], y = head[i + half];      // not neighbours
        head[i] = x * c - y * s;
        head[i + half] = x * s + y * c;
    }
}
// @end wrong-half-split-pairs
