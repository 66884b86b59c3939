// replaces common/attention.c; caught by tests/test_attention.c
//
// Spans are added as they come. Every sentence shorter than a span is right,
// and a longer one is, too, as long as its largest score comes first.
#include "common/attention.h"

#define attend_merge right_attend_merge
#include "common/attention.c"
#undef attend_merge

// @begin wrong-forgotten-rescale
void attend_merge(attend_state *state, float maximum, float total,
                  const float *out, int head_dim)
{
    if (maximum > state->maximum)
        state->maximum = maximum;
    state->total += total;
    for (int i = 0; i < head_dim; i++)
        state->out[i] += out[i];
}
// @end wrong-forgotten-rescale
