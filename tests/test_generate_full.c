// Contexts that are full, and several texts in one model.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/quant.h"
#include "tests/generating.h"

static void a_full_context_ends_it(void **state)
{
    static collector c;
    (void)state;
    session s;
    start_with(&s, 512, 1);
    generate_options o = greedy(&c, -1);
    o.ignore_end = true;
    generate_report r = run(&s, "A token", &o, &c);
    assert_int_equal(r.reason, FINISH_LENGTH);
    assert_int_equal(s.model.caches[0].length, N_CTX);
    // The last place holds a token, and that token's successor is text too.
    assert_int_equal(r.completion_tokens, N_CTX - r.prompt_tokens + 1);
    // Nothing more fits now, and that is no error.
    lll_error err = {0};
    static const int32_t ids[N_CTX + 1];
    for (size_t n = 1; n <= N_CTX; n += N_CTX - 1) {
        r = (generate_report){.prompt_tokens = 77};
        assert_int_equal(generate(&s.model, &s.words, ids, n, &o, &r, &err),
                         LLL_OK);
        assert_int_equal(r.reason, FINISH_LENGTH);
        assert_int_equal(r.prompt_tokens + r.completion_tokens, 0);
        assert_int_equal(s.model.caches[0].length, N_CTX);
    }
    // What would not fit into an empty context is one.
    r.prompt_tokens = 77;
    assert_int_equal(generate(&s.model, &s.words, ids, N_CTX + 1, &o, &r,
                              &err), LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "a prompt of 161 tokens after 160"));
    assert_int_equal(r.prompt_tokens, 77);
    session_close(&s);
}

// What the keys of one position of the first layer are, as floats.
static void keys_at(const session *s, int sequence, int head, int position,
                    float *out)
{
    const kv_cache *c = &s->model.caches[sequence];
    const unsigned char *rows = kv_cache_keys(c, 0, head);
    quant_decode(c->type, rows + (size_t)position * c->row_bytes, out,
                 (size_t)c->head_dim, NULL);
}

// The keys of the first layer depend on a token and its position only. So
// there nothing is approximate but the rounding: they must be those of a run
// that never saw what was removed.
static void check_keys(const session *s, double limit)
{
    float got[64], want[64];
    double largest = 0;
    int n = s->model.caches[0].length;
    assert_int_equal(n, s->model.caches[1].length);
    assert_true(s->config.head_dim <= 64);
    for (int head = 0; head < s->config.n_kv_heads; head++)
        for (int i = 0; i < n; i++) {
            keys_at(s, 0, head, i, got);
            keys_at(s, 1, head, i, want);
            for (int k = 0; k < s->config.head_dim; k++)
                largest = fmax(largest, fabs((double)(got[k] - want[k])));
        }
    print_message("largest difference of a key %.1e, limit %.0e\n", largest,
                  limit);
    assert_true(largest <= limit);
}

static void removed_tokens_were_never_there(void **state)
{
    // Keys of this model reach 8: floats are rounded by 6e-8 of that in a few
    // sums, halves twice by 5e-4. (Its heads are too small for Q8_0, which
    // tests/test_context_shift.py tries.)
    static const struct { const char *type; double limit; } caches[] = {
        {"f32", 2e-6}, {"f16", 8e-3}};
    static const int cuts[][2] = {{0, 1}, {0, 30}, {4, 17}, {39, 1}, {7, 0},
                                  {5, 35}};
    static const char text[] = "You read the words of a model, and it is not "
                               "the number that you are called, but a token";
    (void)state;
    for (int type = 0; type < 2; type++) {
        session s;
        lll_error err;
        const float *logits;
        int32_t ids[40], left[40];
        start_sequences(&s, 2, caches[type].type);
        const int32_t *list;
        size_t n_list;
        assert_int_equal(session_encode(&s, text, strlen(text), &list,
                                        &n_list, &err), LLL_OK);
        for (int i = 0; i < 40; i++)
            ids[i] = list[(size_t)i % n_list];
        for (int cut = 0; cut < 6; cut++) {
            int from = cuts[cut][0], n = cuts[cut][1];
            kv_cache_truncate(&s.model.caches[0], 0);
            kv_cache_truncate(&s.model.caches[1], 0);
            memcpy(left, ids, sizeof left);
            memmove(left + from, left + from + n,
                    (size_t)(40 - from - n) * sizeof *left);
            assert_int_equal(generate_prefill(&s.model, 0, ids, 40, NULL,
                                              &logits, &err), LLL_OK);
            llama_remove(&s.model, 0, from, n);
            assert_int_equal(generate_prefill(&s.model, 1, left,
                                              (size_t)(40 - n), NULL,
                                              &logits, &err), LLL_OK);
            check_keys(&s, caches[type].limit);
        }
        session_close(&s);
    }
}

// With a shift the text goes on, and what the history says is there is what
// the cache holds.
static void a_shift_goes_on(void **state)
{
    static collector c;
    static char ended[MOST_TEXT];
    (void)state;
    for (int keep = 0; keep <= 100; keep += 50) {
        session s;
        start_sequences(&s, 2, "f32");
        generate_options o = greedy(&c, -1);
        o.ignore_end = true;
        run(&s, "A token", &o, &c);
        strcpy(ended, c.text);
        empty_cache(&s);
        o.context_shift = true;
        o.keep = keep;
        o.max_tokens = 500;
        generate_report r = run(&s, "A token", &o, &c);
        assert_int_equal(r.reason, FINISH_LENGTH);
        assert_int_equal(r.completion_tokens, 500);
        // To the end of the context nothing has changed.
        assert_int_equal(strncmp(c.text, ended, strlen(ended)), 0);
        const float *logits;
        lll_error err;
        int n = s.model.caches[0].length;
        assert_int_equal(generate_prefill(&s.model, 1, s.model.history,
                                          (size_t)n, NULL, &logits, &err),
                         LLL_OK);
        check_keys(&s, 2e-6);
        // A prompt finds room, too, unless it is longer than what may go.
        r = run(&s, "A language model reads", &o, &c);
        assert_int_equal(r.completion_tokens, 500);
        o.keep = 100;
        n = s.model.caches[0].length;
        assert_int_equal(generate(&s.model, &s.words, s.model.history,
                                  N_CTX - 99, &o, &r, &err), LLL_OK);
        assert_int_equal(r.reason, FINISH_LENGTH);
        assert_int_equal(r.prompt_tokens + r.completion_tokens, 0);
        assert_int_equal(s.model.caches[0].length, n);
        session_close(&s);
    }
}

static void too_much_to_keep(void **state)
{
    static collector c;
    static const int32_t one = 5;
    static const int keeps[] = {N_CTX, -1};
    generate_report r;
    lll_error err;
    session s;
    (void)state;
    start_sequences(&s, 1, NULL);
    for (int i = 0; i < 2; i++) {
        generate_options o = greedy(&c, -1);
        o.context_shift = true;
        o.keep = keeps[i];
        assert_int_equal(generate(&s.model, &s.words, &one, 1, &o, &r,
                                  &err), LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "expected 0 to 159"));
    }
    session_close(&s);
}

// Two texts side by side: each is what it would be alone.
static void sequences_do_not_meet(void **state)
{
    static const char *const prompts[] = {"A token", "A language model"};
    static char alone[2][MOST_TEXT];
    static collector c;
    session s;
    (void)state;
    start_sequences(&s, 2, NULL);
    generate_options o = greedy(&c, 20);
    o.ignore_end = true;
    for (int i = 0; i < 2; i++) {
        run(&s, prompts[i], &o, &c);
        strcpy(alone[i], c.text);
        empty_cache(&s);
    }
    assert_string_not_equal(alone[0], alone[1]);
    for (int i = 0; i < 2; i++) {
        o.sequence = i;
        generate_report r = run(&s, prompts[i], &o, &c);
        assert_string_equal(c.text, alone[i]);
        assert_int_equal(s.model.caches[i].length, r.prompt_tokens + 19);
        assert_int_equal(generate_history(&s.model, i)[0],
                         s.model.history[i * N_CTX]);
    }
    session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_context_ends_it),
        cmocka_unit_test(removed_tokens_were_never_there),
        cmocka_unit_test(a_shift_goes_on),
        cmocka_unit_test(too_much_to_keep),
        cmocka_unit_test(sequences_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
