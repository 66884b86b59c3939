// replaces fill() in common/sampler.c; caught by tests/test_sampler.c
//
// The logits as they are. A NaN is neither better nor worse than anything, so
// the heap leaves what is below it where it is.

// @begin wrong-nan
static void fill(sampler *s, const float *logits)
{
    for (int i = 0; i < s->vocab_size; i++)
        s->candidates[i] = (candidate){i, logits[i]};
}
// @end wrong-nan
