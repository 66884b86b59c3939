// replaces penalised() in common/sampler.c; caught by tests/test_sampler.c
//
// Every logit is divided. Half of -4 is -2, which is more: tokens that the
// model would not have said are rewarded for having been said.

// @begin wrong-penalty
static float penalised(const sampler_params *p, float logit, int count)
{
    return logit / (float)p->repeat_penalty
           - (float)count * (float)p->frequency_penalty
           - (float)p->presence_penalty;
}
// @end wrong-penalty
