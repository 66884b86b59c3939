#include "chapters/05-rmsnorm-rope/scaling.h"

#include <math.h>

// @begin scaling-linear
// All pairs alike: position 4000 is read as position 1000. Source: Chen et
// al. 2023.
static void linear(float *factors, const scaling *s)
{
    for (int i = 0; i < s->rope_dim / 2; i++)
        factors[i] = (float)s->stretch;
}
// @end scaling-linear

// @begin scaling-ntk
// Another base, so large that the last pair turns `stretch` times slower and
// the first as before; between them each pair by the same share more than
// the one before it. Source: Peng et al. 2023, section 3.1.
static void ntk(float *factors, const scaling *s)
{
    int last = s->rope_dim / 2 - 1;
    for (int i = 0; i <= last; i++)
        factors[i] = (float)pow(s->stretch, last > 0 ? (double)i / last : 0);
}
// @end scaling-ntk

// @begin scaling-by-parts
// A pair that made more than `most` turns in training has been seen at every
// angle and stays; one that made fewer than `least` is slowed down whole; in
// between the two frequencies are mixed.
static void by_parts(float *factors, const scaling *s, double least,
                     double most)
{
    const double turn = 2 * acos(-1.0);
    for (int i = 0; i < s->rope_dim / 2; i++) {
        double turns = s->context * s->frequencies[i] / turn;
        double keep = (turns - least) / (most - least);
        keep = fmin(fmax(keep, 0), 1);
        factors[i] = (float)(1 / (keep + (1 - keep) / s->stretch));
    }
}
// @end scaling-by-parts

// @begin scaling-two
// Source: Peng et al. 2023, section 3.2 and, for the scores, 3.4.
static void yarn(float *factors, const scaling *s)
{
    by_parts(factors, s, 1, 32);
}

// Source: Llama 3.1, as its files and its reference code have it.
static void llama3(float *factors, const scaling *s)
{
    by_parts(factors, s, 1, 4);
}

static double as_before(const scaling *s)
{
    (void)s;
    return 1;
}

static double yarn_scores(const scaling *s)
{
    // Both the query and the key are made longer, hence the square.
    return pow(0.1 * log(s->stretch) + 1, 2);
}
// @end scaling-two

// @begin scaling-methods
const scaling_method scaling_methods[SCALING_METHODS] = {
    {"linear", linear, as_before},
    {"NTK", ntk, as_before},
    {"YaRN", yarn, yarn_scores},
    {"Llama 3", llama3, as_before},
};
// @end scaling-methods
