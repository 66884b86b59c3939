// Choosing the next token: ties, numbers that are none, each cut by hand, the
// penalty, and the distribution of many draws.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/sampler.h"

#define LN2 0.69314718f
enum { MOST = 64 };

// The parameters that change nothing.
static const sampler_params PLAIN = {
    .temperature = 1, .top_k = 0, .typical = 1, .top_p = 1, .min_p = 0,
    .repeat_penalty = 1, .repeat_last_n = 64, .seed = 1,
};

static int32_t choose(sampler_params p, const float *logits, int n)
{
    candidate list[MOST];
    sampler s;
    sampler_init(&s, &p, list, n);
    return sampler_choose(&s, logits, NULL, 0);
}

static int32_t greedy(const float *logits, int n)
{
    sampler_params p = PLAIN;
    p.temperature = 0;
    return choose(p, logits, n);
}

// How often each of n tokens comes in n_draws.
static void draw(sampler_params p, const float *logits, int n, int n_draws,
                 int *counts)
{
    candidate list[MOST];
    sampler s;
    memset(counts, 0, (size_t)n * sizeof *counts);
    sampler_init(&s, &p, list, n);
    for (int i = 0; i < n_draws; i++) {
        int32_t id = sampler_choose(&s, logits, NULL, 0);
        assert_in_range(id, 0, n - 1);
        counts[id]++;
    }
}

// Which tokens can come at all: bit i for token i.
static unsigned possible(sampler_params p, const float *logits, int n)
{
    int counts[MOST];
    unsigned bits = 0;
    draw(p, logits, n, 3000, counts);
    for (int i = 0; i < n; i++)
        bits |= counts[i] > 0 ? 1u << i : 0;
    return bits;
}

static void the_largest_wins_and_ties_go_to_the_first(void **state)
{
    (void)state;
    assert_int_equal(greedy((const float[]){-1, 3, 2}, 3), 1);
    assert_int_equal(greedy((const float[]){-5, -3, -3, -4}, 4), 1);
    assert_int_equal(greedy((const float[]){7}, 1), 0);
    assert_int_equal(greedy((const float[]){0, 0, 0}, 3), 0);
    // Sampling from one candidate is the same choice.
    sampler_params p = PLAIN;
    p.top_k = 1;
    assert_int_equal(choose(p, (const float[]){-5, -3, -3, -4}, 4), 1);
    p = PLAIN;
    p.top_p = 0;
    assert_int_equal(choose(p, (const float[]){-5, -3, -3, -4}, 4), 1);
}

static void what_is_no_number_is_impossible(void **state)
{
    (void)state;
    const float some[] = {NAN, 1, NAN, 1, -INFINITY, NAN};
    assert_int_equal(greedy(some, 6), 1);
    assert_int_equal(possible(PLAIN, some, 6), 1 << 1 | 1 << 3);
    // Infinitely likely: certain, and the first of several.
    const float certain[] = {5, NAN, INFINITY, 9, INFINITY, -INFINITY};
    assert_int_equal(greedy(certain, 6), 2);
    assert_int_equal(possible(PLAIN, certain, 6), 1 << 2);
    // Nothing is possible: still a token, the same every time.
    const float none[] = {NAN, -INFINITY, NAN};
    assert_int_equal(greedy(none, 3), 0);
    int32_t id = choose(PLAIN, none, 3);
    assert_in_range(id, 0, 2);
    assert_int_equal(choose(PLAIN, none, 3), id);
}

// A choice that could be made all the same must not hide a broken model.
static void what_is_no_number_is_told(void **state)
{
    static const float fine[] = {1, -INFINITY, 2}, nan[] = {1, 2, NAN, NAN};
    static const float above[] = {1, INFINITY, NAN};
    (void)state;
    candidate list[4];
    sampler s;
    sampler_init(&s, &PLAIN, list, 3);
    assert_int_equal(s.no_number, -1);
    sampler_choose(&s, above, NULL, 0);
    assert_int_equal(s.no_number, 1);
    sampler_choose(&s, fine, NULL, 0);      // told of this list, not the last
    assert_int_equal(s.no_number, -1);
    sampler_init(&s, &PLAIN, list, 4);
    sampler_top(&s, nan, 1);
    assert_int_equal(s.no_number, 2);
}

// Top-k has room for forty, and thirty-one can come: the others are not
// carried along with a share of zero.
static void no_share_for_the_impossible(void **state)
{
    float logits[64];
    candidate list[64];
    const candidate *kept;
    sampler s;
    sampler_params p = PLAIN;
    (void)state;
    for (int i = 0; i < 64; i++)
        logits[i] = i < 31 ? 0 : NAN;
    p.top_k = 40;
    sampler_init(&s, &p, list, 64);
    assert_int_equal(sampler_distribution(&s, logits, NULL, 0, &kept), 31);
    assert_int_equal(kept[30].id, 30);
}

// Probabilities 0.5, 0.25, 0.125, 0.125, in an order that has to be sorted.
static const float HALVES[] = {-3 * LN2, -1 * LN2,
                               -3 * LN2, -2 * LN2};

static void the_cuts_by_hand(void **state)
{
    (void)state;
    const unsigned best = 1 << 1, second = 1 << 3, third = 1, last = 1 << 2;
    sampler_params p = PLAIN;
    assert_int_equal(possible(p, HALVES, 4), best | second | third | last);
    p.top_k = 2;
    assert_int_equal(possible(p, HALVES, 4), best | second);
    p.top_k = 3;                        // of equals the smaller number stays
    assert_int_equal(possible(p, HALVES, 4), best | second | third);
    p.top_k = 99;
    assert_int_equal(possible(p, HALVES, 4), best | second | third | last);

    // The fewest that reach the probability: the one that crosses stays.
    static const double top_p[] = {0.4, 0.55, 0.74, 0.8, 0.9};
    const unsigned kept[] = {best, best | second, best | second,
                             best | second | third,
                             best | second | third | last};
    for (int i = 0; i < 5; i++) {
        p = PLAIN;
        p.top_p = top_p[i];
        assert_int_equal(possible(p, HALVES, 4), kept[i]);
    }
    // A share of the most likely: 1/2 for the second, 1/4 for the others.
    static const double min_p[] = {0.2, 0.3, 0.45, 0.6, 1};
    const unsigned left[] = {15, best | second, best | second, best, best};
    for (int i = 0; i < 5; i++) {
        p = PLAIN;
        p.min_p = min_p[i];
        assert_int_equal(possible(p, HALVES, 4), left[i]);
    }
}

// Surprises of 1, 2, 3 and 3 bits, 1.75 on average: the second candidate is
// nearest to that, then the best, then the others in order.
static void the_typical_by_hand(void **state)
{
    const unsigned best = 1 << 1, second = 1 << 3, third = 1, last = 1 << 2;
    static const double shares[] = {0, 0.2, 0.3, 0.7, 0.8, 0.9, 1};
    const unsigned kept[] = {second, second, best | second, best | second,
                             best | second | third,
                             best | second | third | last, 15};
    (void)state;
    for (int i = 0; i < 7; i++) {
        sampler_params p = PLAIN;
        p.typical = shares[i];
        assert_int_equal(possible(p, HALVES, 4), kept[i]);
    }
    // Min-p and top-p look at what is left, whose most likely is the second.
    sampler_params p = PLAIN;
    p.typical = 0.2;
    p.min_p = 1;
    p.top_p = 0.1;
    assert_int_equal(possible(p, HALVES, 4), second);
    // What cannot come surprises without end, and is the last to stay.
    const float some[] = {0, -INFINITY, NAN, 0};
    p = PLAIN;
    p.typical = 0.99;
    assert_int_equal(possible(p, some, 4), 1 | 1 << 3);
}

// Top-p counts what top-k left: of 0.5 and 0.25, the first is two thirds.
static void cuts_follow_each_other(void **state)
{
    (void)state;
    sampler_params p = PLAIN;
    p.top_k = 2;
    p.top_p = 0.6;
    assert_int_equal(possible(p, HALVES, 4), 1 << 1);
    p.top_p = 0.7;
    assert_int_equal(possible(p, HALVES, 4), 1 << 1 | 1 << 3);
    // The temperature comes after: at 1/2 the share of the second would be
    // 1/4, but what counts is the 1/2 that the model gave.
    p = PLAIN;
    p.temperature = 0.5;
    p.min_p = 0.3;
    assert_int_equal(possible(p, HALVES, 4), 1 << 1 | 1 << 3);
}

// After the penalty token `id` has the logit `want`: greedy prefers it to a
// logit a little below, and one a little above to it.
static void check_penalty(sampler_params p, float logit, float want,
                          const int32_t *recent, int n_recent)
{
    candidate list[2];
    sampler s;
    p.temperature = 0;
    sampler_init(&s, &p, list, 2);
    const float below[] = {want - 0.01f, logit};
    const float above[] = {want + 0.01f, logit};
    assert_int_equal(sampler_choose(&s, below, recent, n_recent), 1);
    assert_int_equal(sampler_choose(&s, above, recent, n_recent), 0);
}

static void repetition_costs(void **state)
{
    static const int32_t once[] = {1}, thrice[] = {1, 1, 1};
    (void)state;
    sampler_params p = PLAIN;
    p.repeat_penalty = 2;
    check_penalty(p, 4, 2, once, 1);
    check_penalty(p, -4, -8, once, 1);          // not rewarded
    check_penalty(p, 4, 2, thrice, 3);          // a token pays once
    p.repeat_penalty = 0.5;                     // below 1: encouraged
    check_penalty(p, 4, 8, once, 1);
    check_penalty(p, -4, -2, once, 1);
    p.repeat_penalty = 1;
    check_penalty(p, 4, 4, once, 1);
}

static void presence_and_frequency_cost(void **state)
{
    static const int32_t once[] = {1}, thrice[] = {1, 1, 1};
    (void)state;
    sampler_params p = PLAIN;
    p.presence_penalty = 0.5;
    check_penalty(p, 4, 3.5f, once, 1);
    check_penalty(p, -4, -4.5f, thrice, 3);     // however often it came
    p.frequency_penalty = 0.25;
    check_penalty(p, 4, 3.25f, once, 1);
    check_penalty(p, 4, 2.75f, thrice, 3);
    p.repeat_penalty = 2;                       // first divides, then takes
    check_penalty(p, 4, 0.75f, thrice, 3);
    check_penalty(p, -4, -9.25f, thrice, 3);
    p.repeat_last_n = 2;                        // two of the three count
    check_penalty(p, 4, 1, thrice, 3);
    p = PLAIN;
    p.frequency_penalty = -0.25;                // below 0: encouraged
    check_penalty(p, 4, 4.75f, thrice, 3);
    check_penalty(p, 4, 4, once, 0);
}

static void only_recent_tokens_pay(void **state)
{
    // Token 1 stands four from the end. Three candidates, because the other
    // tokens of the text must not decide.
    static const int32_t text[] = {2, 1, 2, 2, 2};
    static const float logits[] = {3, 4, -9};
    (void)state;
    static const int windows[] = {0, 1, 3, 4, 5, 64, -1};
    static const int pays[] = {0, 0, 0, 1, 1, 1, 1};
    for (int i = 0; i < 7; i++) {
        candidate list[3];
        sampler s;
        sampler_params p = PLAIN;
        p.temperature = 0;
        p.repeat_penalty = 2;
        p.repeat_last_n = windows[i];
        sampler_init(&s, &p, list, 3);
        assert_int_equal(sampler_choose(&s, logits, text, 5),
                         pays[i] ? 0 : 1);
        // The list is whole again: each candidate has its number.
        for (int k = 0; k < 3; k++)
            assert_int_equal(s.candidates[k].id, k);
    }
}

static void a_seed_is_a_story(void **state)
{
    float logits[MOST];
    int32_t first[200];
    (void)state;
    for (int i = 0; i < MOST; i++)
        logits[i] = (float)(i % 7) * 0.3f;
    int n_different = 0;
    for (uint64_t seed = 0; seed < 3; seed++)
        for (int again = 0; again < 2; again++) {
            candidate list[MOST];
            sampler s;
            sampler_params p = PLAIN;
            p.seed = seed;
            sampler_init(&s, &p, list, MOST);
            for (int i = 0; i < 200; i++) {
                int32_t id = sampler_choose(&s, logits, NULL, 0);
                if (again)
                    assert_int_equal(id, first[i]);
                else
                    n_different += seed > 0 && id != first[i];
                first[i] = id;
            }
        }
    assert_true(n_different > 300);     // of 400
}

// Pearson's chi-squared with 5 degrees of freedom: a right sampler is above
// 25.7 once in ten thousand seeds, and this one's seed is fixed.
static void many_draws_are_close_to_softmax(void **state)
{
    static const float logits[] = {0.3f, -1.2f, 2.1f, 0.9f, 2.0f, -0.4f};
    enum { N = 6, DRAWS = 100000 };
    (void)state;
    for (int t = 0; t < 3; t++) {
        static const double temperatures[] = {0.5, 1, 2};
        sampler_params p = PLAIN;
        int counts[N];
        double weight[N], total = 0, chi = 0;
        p.temperature = temperatures[t];
        draw(p, logits, N, DRAWS, counts);
        for (int i = 0; i < N; i++)
            total += weight[i] = exp((double)logits[i] / p.temperature);
        for (int i = 0; i < N; i++) {
            double want = DRAWS * weight[i] / total;
            chi += (counts[i] - want) * (counts[i] - want) / want;
        }
        if (!(chi < 25.7))
            fail_msg("temperature %g: chi-squared %g", p.temperature, chi);
    }
}

// What was cut leaves its probability to the others in proportion.
static void what_is_left_shares(void **state)
{
    int counts[4];
    (void)state;
    sampler_params p = PLAIN;
    p.top_k = 2;
    draw(p, HALVES, 4, 30000, counts);
    assert_int_equal(counts[0] + counts[2], 0);
    // 2/3 of 30000 is 20000, with a deviation of 82.
    assert_in_range(counts[1], 20000 - 400, 20000 + 400);
}

// What is drawn from: the ids that stay, and probabilities that add up.
static void the_distribution_is_what_is_drawn(void **state)
{
    static const int32_t ids[] = {1, 3, 0};
    static const double shares[] = {4 / 7.0, 2 / 7.0, 1 / 7.0};
    const candidate *out;
    candidate list[4];
    sampler s;
    (void)state;
    sampler_params p = PLAIN;
    p.top_k = 3;
    sampler_init(&s, &p, list, 4);
    assert_int_equal(sampler_distribution(&s, HALVES, NULL, 0, &out), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(out[i].id, ids[i]);
        assert_true(fabs((double)out[i].logit - shares[i]) < 1e-6);
    }
    s.params.temperature = 0;
    assert_int_equal(sampler_distribution(&s, HALVES, NULL, 0, &out), 1);
    assert_true(out->id == 1 && out->logit == 1.0f);
}

static void extreme_temperatures(void **state)
{
    int counts[4];
    (void)state;
    sampler_params p = PLAIN;
    p.temperature = 1e-300;
    assert_int_equal(possible(p, HALVES, 4), 1 << 1);
    p.temperature = 1e300;
    draw(p, HALVES, 4, 40000, counts);
    for (int i = 0; i < 4; i++)
        assert_in_range(counts[i], 10000 - 450, 10000 + 450);
}

static void the_best_in_order(void **state)
{
    static const float logits[] = {1, 5, 3, 5, NAN, -INFINITY, 4};
    static const int32_t want[] = {1, 3, 6, 2, 0, 4, 5};
    (void)state;
    for (int n = 1; n <= 7; n++) {
        candidate list[7];
        sampler s;
        sampler_init(&s, &PLAIN, list, 7);
        sampler_top(&s, logits, n);
        for (int i = 0; i < n; i++) {
            assert_int_equal(s.candidates[i].id, want[i]);
            if (i < 5)
                assert_true(s.candidates[i].logit == logits[want[i]]);
        }
    }
}

static void logarithms_of_probabilities(void **state)
{
    // Far from zero, where e^x alone would overflow.
    static const float high[] = {1000, 1000 + LN2, 1000};
    double total = 0;
    (void)state;
    assert_true(fabs(log_probability(high, 3, 1) - log(0.5)) < 1e-4);
    assert_true(fabs(log_probability(high, 3, 0) - log(0.25)) < 1e-4);
    for (int i = 0; i < 4; i++)
        total += exp(log_probability(HALVES, 4, i));
    assert_true(fabs(total - 1) < 1e-12);
    static const float some[] = {0, -INFINITY};
    assert_true(log_probability(some, 2, 0) == 0);
    assert_true(log_probability(some, 2, 1) == -(double)INFINITY);
    // A broken model must not get a score.
    static const float broken[] = {0, NAN, 1};
    assert_true(isnan(log_probability(broken, 3, 0)));
}

static void the_defaults(void **state)
{
    (void)state;
    sampler_params p = sampler_defaults();
    assert_true(p.temperature == 0.8 && p.top_k == 40 && p.top_p == 0.95
                && p.min_p == 0.05 && p.repeat_penalty == 1
                && p.repeat_last_n == 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_wins_and_ties_go_to_the_first),
        cmocka_unit_test(what_is_no_number_is_impossible),
        cmocka_unit_test(what_is_no_number_is_told),
        cmocka_unit_test(no_share_for_the_impossible),
        cmocka_unit_test(the_cuts_by_hand),
        cmocka_unit_test(the_typical_by_hand),
        cmocka_unit_test(cuts_follow_each_other),
        cmocka_unit_test(repetition_costs),
        cmocka_unit_test(presence_and_frequency_cost),
        cmocka_unit_test(only_recent_tokens_pay),
        cmocka_unit_test(a_seed_is_a_story),
        cmocka_unit_test(many_draws_are_close_to_softmax),
        cmocka_unit_test(what_is_left_shares),
        cmocka_unit_test(the_distribution_is_what_is_drawn),
        cmocka_unit_test(extreme_temperatures),
        cmocka_unit_test(the_best_in_order),
        cmocka_unit_test(logarithms_of_probabilities),
        cmocka_unit_test(the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
