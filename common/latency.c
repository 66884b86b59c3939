#include "common/latency.h"

#include <math.h>

// @begin latency-add
static const double SHORTEST = 1e-6;

void latency_add(latency *l, double seconds)
{
    int power, last = LATENCY_POWERS * LATENCY_STEPS - 1, bucket = 0;
    if (seconds > SHORTEST) {
        // A half to one, times two to the power.
        double half = frexp(seconds / SHORTEST, &power);
        // A time on a bound belongs below it, which is what ceil() says.
        bucket = (power - 1) * LATENCY_STEPS
                 + (int)ceil((2 * half - 1) * LATENCY_STEPS) - 1;
    }
    l->counts[bucket < 0 ? 0 : bucket > last ? last : bucket]++;
    l->n++;
}
// @end latency-add

// @begin latency-percentile
double latency_percentile(const latency *l, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)l->n), seen = 0;
    int bucket = -1;
    if (l->n == 0)
        return 0.0;
    do
        seen += l->counts[++bucket];
    while (seen < wanted || seen == 0);
    double step = (double)(bucket % LATENCY_STEPS + 1) / LATENCY_STEPS;
    return SHORTEST * ldexp(1 + step, bucket / LATENCY_STEPS);
}
// @end latency-percentile
