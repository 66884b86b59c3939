#ifndef COMMON_SAMPLER_H
#define COMMON_SAMPLER_H

#include <stdint.h>

// @begin sampler-params
// From logits to the next token. Taught in chapter 8.
// Sources: Fan et al. 2018 (top-k), Holtzman et al. 2020 (top-p), Nguyen et
// al. 2024 (min-p), Keskar et al. 2019 (repetition penalty).

typedef struct {
    double temperature;     // 0: always the most likely token
    int top_k;              // keep the k most likely; 0 keeps all
    double top_p;           // keep the fewest that reach this probability
    double min_p;           // drop below this share of the most likely
    double repeat_penalty;  // 1: none; above 1 recent tokens are less likely
    int repeat_last_n;      // how many tokens back; 0: none, -1: all
    uint64_t seed;
} sampler_params;
// @end sampler-params

// @begin sampler-types
// What llama.cpp uses when nothing is said; the seed is the caller's.
sampler_params sampler_defaults(void);

// One token and its logit; later its probability.
typedef struct {
    int32_t id;
    float logit;
} candidate;

typedef struct {
    sampler_params params;
    uint64_t random;        // state of the generator
    candidate *candidates;  // [vocab_size], borrowed
    int vocab_size;
} sampler;
// @end sampler-types

// @begin sampler-api
// candidates   memory for vocab_size entries, plan.bytes[PLAN_CANDIDATES]
void sampler_init(sampler *s, const sampler_params *params,
                  candidate *candidates, int vocab_size);

// Choose the token that follows.
//
// logits    [vocab_size]
// recent    [n_recent], the tokens so far, oldest first, each
//           0..vocab_size - 1
//
// The order is that of llama.cpp: penalty, top-k, top-p, min-p, temperature.
// Equal logits go to the smaller number, so the choice depends on nothing
// but the arguments and the seed. A logit that is not a number counts as
// impossible.
int32_t sampler_choose(sampler *s, const float *logits,
                       const int32_t *recent, int n_recent);

// The n most likely tokens, best first, into s->candidates[0..n-1];
// n <= vocab_size.
void sampler_top(sampler *s, const float *logits, int n);

// log of the probability that softmax(logits) gives to `id`, in double.
double log_probability(const float *logits, int vocab_size, int32_t id);
// @end sampler-api

#endif
