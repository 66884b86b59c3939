// replaces common/rope.c; caught by tests/test_rope.c
//
// Nobody's mistake either: what becomes of a model that is not told where its
// words stand.
#include "common/rope.h"

#define rope_rotate right_rope_rotate
#include "common/rope.c"
#undef rope_rotate

// @begin wrong-no-rope
void rope_rotate(float *head, const float *table, int rope_dim)
{
    (void)head;
    (void)table;
    (void)rope_dim;
}
// @end wrong-no-rope
