// Scoring a text: which tokens count, and the sum against one that is made
// here from the logits.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/score.h"
#include "common/session.h"
#include "tests/ref.h"

enum { N_IDS = 200, VOCAB = 512 };

static void start(session *s, int n_ctx, int n_batch, int n_outputs,
                  int n_threads)
{
    session_options o = session_defaults();
    lll_error err;
    o.n_ctx = n_ctx;
    o.n_batch = n_batch;
    o.n_outputs = n_outputs;
    o.n_threads = n_threads;
    if (session_open(s, ref_model(), &o, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

static void some_text(int32_t *ids)
{
    float numbers[N_IDS];
    ref_random(81, numbers, N_IDS);
    for (int i = 0; i < N_IDS; i++)
        ids[i] = (int32_t)((numbers[i] + 1.0f) * 0.5f * (VOCAB - 1));
}

// A text in windows of the context's length.
static lll_status score_all(session *s, const int32_t *ids, size_t n,
                            text_score *out, lll_error *err)
{
    size_t window = (size_t)s->request.n_ctx;
    lll_status status = LLL_OK;
    for (size_t i = 0; i < n && status == LLL_OK; i += window)
        status = score_window(&s->model, 0, ids + i,
                              n - i < window ? n - i : window, out, err);
    return status == LLL_OK ? score_finish(out, err) : status;
}

static text_score score(session *s, const int32_t *ids, size_t n)
{
    text_score out = {0};
    lll_error err;
    if (score_all(s, ids, n, &out, &err) != LLL_OK)
        fail_msg("%s", err.text);
    return out;
}

// -log p of the last of n tokens, from one forward pass over the others.
static double surprise(session *s, const int32_t *ids, int n)
{
    const float *logits;
    lll_error err;
    double total = 0;
    kv_cache_truncate(&s->model.caches[0], 0);
    llama_batch batch = {.n_tokens = n - 1, .ids = ids};
    assert_int_equal(llama_forward(&s->model, &batch, &logits, &err),
                     LLL_OK);
    for (int i = 0; i < VOCAB; i++)
        total += exp((double)logits[i]);
    return log(total) - (double)logits[ids[n - 1]];
}

// Windows of 16: of 40 tokens 15 + 15 + 7 are scored, each with what stands
// before it in its window and nothing else.
static void against_a_direct_sum(void **state)
{
    int32_t ids[N_IDS];
    double sum = 0;
    int n_scored = 0;
    (void)state;
    session s;
    some_text(ids);
    start(&s, 16, 16, 16, 1);
    for (int first = 0; first < 40; first += 16)
        for (int i = first + 1; i < 40 && i < first + 16; i++) {
            sum += surprise(&s, ids + first, i - first + 1);
            n_scored++;
        }
    assert_int_equal(n_scored, 37);
    text_score got = score(&s, ids, 40);
    assert_true(got.n_scored == 37);
    assert_true(fabs(got.nll - sum / 37) < 1e-9);
    assert_true(fabs(got.perplexity - exp(sum / 37)) < 1e-6);
    session_close(&s);
}

static void how_many_are_scored(void **state)
{
    static const struct { size_t n_ids; uint64_t want; } cases[] = {
        {2, 1}, {15, 14}, {16, 15}, {17, 15}, {18, 16}, {31, 29}, {32, 30},
        {33, 30}, {48, 45}, {200, 187}};
    int32_t ids[N_IDS];
    (void)state;
    session s;
    some_text(ids);
    start(&s, 16, 5, 3, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text_score got = score(&s, ids, cases[i].n_ids);
        assert_true(got.n_scored == cases[i].want);
        // What is left in the cache is the last window, however short.
        assert_int_equal(s.model.caches[0].length,
                         (cases[i].n_ids - 1) % 16 + 1);
    }
    session_close(&s);
}

// The first of a window is given: another one there changes what follows it
// in that window, is not asked itself, and leaves the other windows alone.
static void the_first_of_a_window_is_given(void **state)
{
    int32_t ids[N_IDS];
    (void)state;
    session s;
    some_text(ids);
    start(&s, 16, 16, 16, 1);
    double plain = score(&s, ids, 16).nll, before = score(&s, ids, 17).nll;
    assert_true(before == plain);       // alone in its window: not asked
    ids[16] = (ids[16] + 1) % VOCAB;
    assert_true(score(&s, ids, 17).nll == plain);
    double with = score(&s, ids, 18).nll;
    ids[16] = (ids[16] + 1) % VOCAB;
    assert_true(score(&s, ids, 18).nll != with);
    session_close(&s);
}

static void the_same_however_it_is_cut(void **state)
{
    static const int cuts[][3] = {      // batch, outputs, threads
        {64, 64, 1}, {1, 1, 1}, {64, 1, 2}, {7, 3, 1}, {64, 64, 5},
        {100, 100, 2}, {100, 63, 3}};
    int32_t ids[N_IDS];
    double want = 0;
    (void)state;
    some_text(ids);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        session s;
        start(&s, 100, cuts[i][0], cuts[i][1], cuts[i][2]);
        text_score got = score(&s, ids, N_IDS);
        if (i == 0)
            want = got.nll;
        assert_true(got.n_scored == 198);
        assert_true(got.nll == want);   // to the last bit
        session_close(&s);
    }
}

// Of all windows, in the order of the text, and nothing behind them.
static void each_token_is_told(void **state)
{
    int32_t ids[N_IDS];
    double each[N_IDS], sum = 0;
    text_score out = {.each = each};
    lll_error err;
    (void)state;
    session s;
    some_text(ids);
    start(&s, 16, 16, 7, 2);
    for (int i = 0; i < N_IDS; i++)
        each[i] = 1;                    // no log(probability)
    assert_int_equal(score_all(&s, ids, 40, &out, &err), LLL_OK);
    assert_true(out.n_scored == 37 && each[37] == 1);
    for (int i = 0; i < 37; i++)
        sum += each[i];
    assert_true(sum == out.sum);
    assert_true(fabs(each[0] + surprise(&s, ids, 2)) < 1e-9);
    assert_true(fabs(each[29] + surprise(&s, ids + 16, 16)) < 1e-9);
    session_close(&s);
}

static void count_up(void *context, size_t n_done)
{
    size_t *last = context;
    assert_true(n_done > *last);
    *last = n_done;
}

static void progress_reaches_the_end(void **state)
{
    int32_t ids[N_IDS];
    size_t last = 0;
    text_score out = {.progress = count_up, .context = &last};
    lll_error err;
    (void)state;
    session s;
    some_text(ids);
    start(&s, 64, 64, 10, 1);
    assert_int_equal(score_window(&s.model, 0, ids, 64, &out, &err), LLL_OK);
    assert_int_equal(last, 64);
    session_close(&s);
}

// Two models that read the same: cut otherwise they are the same model, and
// with floats for int8 codes a near one. The sum is made again from rows of
// logits that are asked for one at a time.
static void beside_a_rival(void **state)
{
    int32_t ids[N_IDS];
    float theirs[VOCAB];
    double apart = 0, sum = 0;
    uint64_t n_same = 0;
    lll_error err;
    (void)state;
    session a, b;
    session_options o = session_defaults();
    some_text(ids);
    start(&a, 32, 32, 7, 2);
    o.n_ctx = 32;
    o.n_outputs = 7;
    o.float_activations = true;
    assert_int_equal(session_open(&b, ref_model(), &o, &err), LLL_OK);
    score_rival rival = {.model = &b.model};
    text_score out = {.rival = &rival};
    assert_int_equal(score_window(&a.model, 0, ids, 30, &out, &err), LLL_OK);
    for (int n = 1; n < 30; n++) {
        const float *p, *q;
        llama_batch batch = {.n_tokens = n, .ids = ids};
        double of_p = 0, of_q = 0;
        int best_p = 0, best_q = 0;
        kv_cache_truncate(&b.model.caches[0], 0);
        assert_int_equal(llama_forward(&b.model, &batch, &q, &err), LLL_OK);
        memcpy(theirs, q, sizeof theirs);
        kv_cache_truncate(&a.model.caches[0], 0);
        assert_int_equal(llama_forward(&a.model, &batch, &p, &err), LLL_OK);
        for (int i = 0; i < VOCAB; i++) {
            of_p += exp((double)p[i]);
            of_q += exp((double)theirs[i]);
            best_p = p[i] > p[best_p] ? i : best_p;
            best_q = theirs[i] > theirs[best_q] ? i : best_q;
        }
        for (int i = 0; i < VOCAB; i++)
            apart += exp((double)p[i]) / of_p
                     * log(exp((double)p[i]) / of_p
                           / (exp((double)theirs[i]) / of_q));
        sum += (double)theirs[ids[n]] - log(of_q);
        n_same += best_p == best_q;
    }
    assert_true(apart > 0 && fabs(rival.divergence - apart) < 1e-9);
    assert_true(fabs(rival.sum - sum) < 1e-9 && rival.n_same == n_same);
    rival = (score_rival){.model = &b.model};
    text_score other = {.rival = &rival};
    session_close(&b);
    start(&b, 32, 32, 7, 1);            // the same model: nothing between
    assert_int_equal(score_window(&a.model, 0, ids, 30, &other, &err),
                     LLL_OK);
    assert_true(other.sum == out.sum && rival.sum == other.sum);
    assert_true(rival.divergence == 0 && rival.n_same == 29);
    session_close(&b);
    session_close(&a);
}

static void nothing_to_score_is_refused(void **state)
{
    int32_t ids[N_IDS];
    text_score out = {0};
    lll_error err = {0};
    (void)state;
    session s;
    some_text(ids);
    start(&s, 16, 16, 1, 1);
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(score_all(&s, ids, n, &out, &err),
                         LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "expected a text of at least 2"));
    }
    ids[7] = -1;
    assert_int_equal(score_all(&s, ids, 9, &out, &err), LLL_ERR_ARGUMENT);
    session_close(&s);
    start(&s, 1, 1, 1, 1);
    ids[7] = 1;
    out = (text_score){0};
    assert_int_equal(score_all(&s, ids, 9, &out, &err), LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "larger -c"));
    assert_true(out.n_scored == 0 && out.nll == 0);
    session_close(&s);
}

int main(int argc, char **argv)
{
    ref_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_direct_sum),
        cmocka_unit_test(how_many_are_scored),
        cmocka_unit_test(the_first_of_a_window_is_given),
        cmocka_unit_test(the_same_however_it_is_cut),
        cmocka_unit_test(each_token_is_told),
        cmocka_unit_test(progress_reaches_the_end),
        cmocka_unit_test(beside_a_rival),
        cmocka_unit_test(nothing_to_score_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
