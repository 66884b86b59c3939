#include "common/sampler.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "common/plan.h"

// @begin sampler-init
static_assert(sizeof(candidate) == PLAN_CANDIDATE_BYTES,
              "the planner's number for a candidate is wrong");

sampler_params sampler_defaults(void)
{
    return (sampler_params){
        .temperature = 0.8, .top_k = 40, .typical = 1.0, .top_p = 0.95,
        .min_p = 0.05, .repeat_penalty = 1.0, .repeat_last_n = 64,
    };
}

void sampler_init(sampler *s, const sampler_params *params,
                  candidate *candidates, int vocab_size)
{
    *s = (sampler){.params = *params, .random = params->seed,
                   .candidates = candidates, .vocab_size = vocab_size,
                   .no_number = -1};
}
// @end sampler-init

// @begin sampler-random
// A number in [0, 1). splitmix64: a counter with a large odd step, whose
// bits are then mixed. Any seed will do, 0 included.
// Source: Steele, Lea and Flood 2014.
static double next_random(sampler *s)
{
    s->random += 0x9e3779b97f4a7c15u;
    uint64_t z = s->random;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}
// @end sampler-random

// @begin sampler-heap
// Does a come before b? Ties go to the smaller number, so that the order
// does not depend on how we sort.
static bool before(const candidate *a, const candidate *b)
{
    return a->logit > b->logit || (a->logit == b->logit && a->id < b->id);
}

// Let the entry at `i` sink to its place in the heap list[0..n-1], whose
// last entry in this order is on top.
static void sink(candidate *list, int n, int i)
{
    candidate moving = list[i];
    for (;;) {
        int child = 2 * i + 1;
        if (child >= n)
            break;
        if (child + 1 < n && before(&list[child], &list[child + 1]))
            child++;
        if (!before(&moving, &list[child]))
            break;
        list[i] = list[child];
        i = child;
    }
    list[i] = moving;
}

static void swap(candidate *a, candidate *b)
{
    candidate other = *a;
    *a = *b;
    *b = other;
}
// @end sampler-heap

// @begin sampler-take-best
// Bring the n_wanted best of n entries to the front of the list, best first.
// They are kept in a heap with the least of them on top: most entries are
// compared with that one, and no more.
static void take_best(candidate *list, int n, int n_wanted)
{
    for (int i = n_wanted / 2 - 1; i >= 0; i--)
        sink(list, n_wanted, i);
    for (int i = n_wanted; i < n; i++)
        if (before(&list[i], &list[0])) {
            swap(&list[i], &list[0]);
            sink(list, n_wanted, 0);
        }
    for (int left = n_wanted - 1; left > 0; left--) {
        swap(&list[0], &list[left]);
        sink(list, left, 0);
    }
}
// @end sampler-take-best

// @begin sampler-fill
static void fill(sampler *s, const float *logits)
{
    s->no_number = -1;
    for (int i = s->vocab_size - 1; i >= 0; i--) {
        // NaN compares false with everything and would break the heap.
        float logit = isnan(logits[i]) ? -INFINITY : logits[i];
        if (isnan(logits[i]) || logits[i] == INFINITY)
            s->no_number = i;
        s->candidates[i] = (candidate){i, logit};
    }
}
// @end sampler-fill

// @begin sampler-penalise
// The logit of a token that is there `count` times.
static float penalised(const sampler_params *p, float logit, int count)
{
    // Dividing a negative logit would reward it, so it is multiplied.
    float penalty = (float)p->repeat_penalty;
    logit = logit > 0 ? logit / penalty : logit * penalty;
    return logit - (float)count * (float)p->frequency_penalty
           - (float)p->presence_penalty;
}

static void penalise(sampler *s, const int32_t *recent, int n_recent)
{
    const sampler_params *p = &s->params;
    int window = p->repeat_last_n < 0 ? n_recent : p->repeat_last_n;
    int first = n_recent > window ? n_recent - window : 0;
    if (p->repeat_penalty == 1.0 && p->frequency_penalty == 0.0
        && p->presence_penalty == 0.0)
        return;
    // A candidate's number is its place in the list, so for a moment another
    // can stand there: how often the token was met, below zero.
    for (int i = first; i < n_recent; i++) {
        candidate *c = &s->candidates[recent[i]];
        c->id = c->id < 0 ? c->id - 1 : -1;
    }
    for (int i = first; i < n_recent; i++) {
        candidate *c = &s->candidates[recent[i]];
        if (c->id < 0)                  // a token pays once, not each time
            c->logit = penalised(p, c->logit, -c->id);
        c->id = recent[i];
    }
}
// @end sampler-penalise

// @begin sampler-greedy
static candidate *most_likely(const sampler *s)
{
    candidate *best = &s->candidates[0];
    for (int i = 1; i < s->vocab_size; i++)
        if (before(&s->candidates[i], best))
            best = &s->candidates[i];
    return best;
}
// @end sampler-greedy

// @begin sampler-typical
// How much list[i] surprises, -log p, when log_total is the logarithm of the
// sum over the whole list.
static double surprise(const candidate *list, int i, double log_total)
{
    return log_total - (double)list[i].logit;
}

// Keep the candidates whose surprise is closest to the mean surprise. The
// list is sorted, so they lie together, around the place where the surprise
// passes the mean: grow from there. Returns how many stay, from *first on.
static int keep_typical(double typical, const candidate *list, int n,
                        int *first)
{
    double best = list[0].logit, total = 0.0, mean = 0.0, kept = 0.0;
    for (int i = 0; i < n; i++)
        total += exp((double)list[i].logit - best);
    double log_total = best + log(total);
    for (int i = 0; i < n; i++) {
        double x = surprise(list, i, log_total);
        mean += x * exp(-x);
    }
    int low = 0;
    while (low < n && surprise(list, low, log_total) < mean)
        low++;
    int high = low;                     // what stays is list[low..high - 1]
    while (high - low < n && kept <= typical) {
        // Of two that are equally far, the more likely.
        bool down = low > 0
                    && (high == n || mean - surprise(list, low - 1, log_total)
                        <= surprise(list, high, log_total) - mean);
        kept += exp(-surprise(list, down ? --low : high++, log_total));
    }
    *first = low;
    return high - low;
}
// @end sampler-typical

// @begin sampler-cut
// How many of the sorted candidates stay: list[0] is the best. The cuts look
// at the probabilities that the model gave.
static int cut(const sampler_params *p, const candidate *list, int n)
{
    double best = list[0].logit, all = 0.0, kept = 0.0;
    int n_kept = 0;
    for (int i = 0; i < n; i++)
        all += exp((double)list[i].logit - best);
    for (; n_kept < n; n_kept++) {
        double share = exp((double)list[n_kept].logit - best);
        // The best has share 1, so min_p is a bound on the share itself.
        bool enough = p->top_p < 1.0 && kept >= p->top_p * all;
        if (n_kept > 0 && (share < p->min_p || enough))
            break;
        kept += share;
    }
    return n_kept;
}
// @end sampler-cut

// @begin sampler-weigh
// Logits become probabilities, e^((logit - best) / temperature) over the sum
// of all n.
static void weigh(double temperature, candidate *list, int n)
{
    double best = list[0].logit, total = 0.0;
    for (int i = 0; i < n; i++)
        total += exp(((double)list[i].logit - best) / temperature);
    for (int i = 0; i < n; i++)
        list[i].logit = (float)(exp(((double)list[i].logit - best)
                                    / temperature) / total);
}
// @end sampler-weigh

// @begin sampler-distribution
int sampler_distribution(sampler *s, const float *logits,
                         const int32_t *recent, int n_recent,
                         const candidate **out)
{
    const sampler_params *p = &s->params;
    int n = s->vocab_size, first = 0;
    fill(s, logits);
    penalise(s, recent, n_recent);
    bool greedy = p->temperature <= 0.0;
    int n_best = p->top_k > 0 && p->top_k < n ? p->top_k : n;
    candidate *list = greedy ? most_likely(s) : s->candidates;
    if (!greedy) {
        take_best(list, n, n_best);
        while (n_best > 1 && list[n_best - 1].logit == -INFINITY)
            n_best--;                   // it is impossible, and stays so
    }
    // No logit is a number, and any will do; or one is beyond all others,
    // and the differences below would not be numbers.
    if (greedy || isinf(list->logit)) {
        list->logit = 1.0f;
        *out = list;
        return 1;
    }
    if (p->typical < 1.0)
        n_best = keep_typical(p->typical, list, n_best, &first);
    list += first;
    n_best = cut(p, list, n_best);
    weigh(p->temperature, list, n_best);
    *out = list;
    return n_best;
}
// @end sampler-distribution

// @begin sampler-choose
int32_t sampler_choose(sampler *s, const float *logits,
                       const int32_t *recent, int n_recent)
{
    const candidate *list;
    int n = sampler_distribution(s, logits, recent, n_recent, &list);
    double point = next_random(s);
    for (int i = 0; i < n; i++) {
        point -= (double)list[i].logit;
        if (point < 0.0)
            return list[i].id;
    }
    return list[n - 1].id;              // the sum was rounded
}
// @end sampler-choose

// @begin sampler-top
void sampler_top(sampler *s, const float *logits, int n)
{
    fill(s, logits);
    take_best(s->candidates, s->vocab_size, n);
}

double log_probability(const float *logits, int vocab_size, int32_t id)
{
    float largest = logits[0];
    for (int i = 1; i < vocab_size; i++)
        if (logits[i] > largest)
            largest = logits[i];
    double total = 0.0;
    for (int i = 0; i < vocab_size; i++)
        total += exp((double)logits[i] - (double)largest);
    return (double)logits[id] - (double)largest - log(total);
}
// @end sampler-top
