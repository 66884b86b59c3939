#ifndef COMMON_SAMPLER_H
#define COMMON_SAMPLER_H

#include <stdint.h>

// @begin sampler-params
// From logits to the next token. Taught in chapter 8.
// Sources: Fan et al. 2018 (top-k), Meister et al. 2023 (typical), Holtzman
// et al. 2020 (top-p), Nguyen et al. 2024 (min-p), Keskar et al. 2019
// (repetition penalty).

typedef struct {
    double temperature;     // 0: always the most likely token
    int top_k;              // keep the k most likely; 0 keeps all
    double typical;         // keep the fewest that reach this probability,
                            // those that surprise as expected first; 1: all
    double top_p;           // keep the fewest that reach this probability
    double min_p;           // drop below this share of the most likely
    double repeat_penalty;  // 1: none; above 1 recent tokens are less likely
    double presence_penalty;    // off the logit of a recent token
    double frequency_penalty;   // off it each time that it is there
    int repeat_last_n;      // recent is so many tokens back; 0: none, -1: all
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
    int32_t no_number;      // the first token of the last list whose logit is
                            // NaN or above all numbers; -1: none is
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
// The order is that of llama.cpp: the three penalties, top-k, typical,
// top-p, min-p, temperature. Each cut looks at what the one before it left.
// Equal logits go to the smaller number, so the choice depends on nothing
// but the arguments and the seed. A logit that is not a number counts as
// impossible, and s->no_number tells of it.
int32_t sampler_choose(sampler *s, const float *logits,
                       const int32_t *recent, int n_recent);

// What sampler_choose() chooses from, most likely first: returns how many
// tokens can follow, and gives their ids, with probabilities in the place of
// logits, in *out, which is part of s->candidates.
int sampler_distribution(sampler *s, const float *logits,
                         const int32_t *recent, int n_recent,
                         const candidate **out);

// The n most likely tokens, best first, into s->candidates[0..n-1];
// n <= vocab_size.
void sampler_top(sampler *s, const float *logits, int n);

// log of the probability that softmax(logits) gives to `id`, in double.
double log_probability(const float *logits, int vocab_size, int32_t id);
// @end sampler-api

#endif
