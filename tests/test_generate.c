// The loop from a prompt to text, on the tiny model: everything that ends it,
// what comes out while it runs, and what must not change a letter of it.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/generating.h"

static void max_tokens_end_it(void **state)
{
    static collector c;
    (void)state;
    session s;
    char whole[MOST_TEXT] = "";
    start_with(&s, 512, 1);
    for (int n = 0; n <= 12; n++) {
        generate_options o = greedy(&c, n);
        o.ignore_end = true;
        generate_report r = run(&s, "A token", &o, &c);
        assert_int_equal(r.reason, FINISH_LENGTH);
        assert_int_equal(r.completion_tokens, n);
        // The last one was chosen and never fed.
        int fed = n > 0 ? n - 1 : 0;
        assert_int_equal(s.model.caches[0].length, r.prompt_tokens + fed);
        // A longer run begins with the shorter one.
        assert_int_equal(strncmp(c.text, whole, strlen(whole)), 0);
        strcpy(whole, c.text);
        empty_cache(&s);
    }
    assert_true(strlen(whole) > 12);
    session_close(&s);
}

static void the_report_adds_up(void **state)
{
    static collector c;
    (void)state;
    session s;
    start_with(&s, 512, 1);
    generate_options o = greedy(&c, 20);
    o.ignore_end = true;
    generate_report r = run(&s, "A token", &o, &c);
    assert_true(r.prefill_seconds > 0);
    assert_true(r.first_token_seconds >= r.prefill_seconds);
    assert_true(r.decode_seconds > 0 && r.decode_seconds < 10);
    // The history is what the cache holds: the prompt, then the answer.
    char back[256];
    int n = s.model.caches[0].length;
    size_t length = tokenizer_decode(&s.words, s.model.history, (size_t)n,
                                     false, back, sizeof back);
    assert_true(length > 7 && length < sizeof back);
    assert_memory_equal(back, "A token", 7);
    assert_memory_equal(back + 7, c.text, length - 7);
    session_close(&s);
}

static void the_end_token_ends_it(void **state)
{
    static collector c;
    (void)state;
    session s;
    start_with(&s, 512, 1);
    // What comes after <|im_end|> is not asked; the model of data/ ends this.
    generate_options o = greedy(&c, -1);
    generate_report r = run(&s, "A language model", &o, &c);
    assert_int_equal(r.reason, FINISH_STOP);
    assert_true(r.completion_tokens > 1);
    assert_null(strstr(c.text, "<|im_end|>"));
    // The end token is counted and is not fed.
    assert_int_equal(s.model.caches[0].length,
                     r.prompt_tokens + r.completion_tokens - 1);
    char first[MOST_TEXT];
    strcpy(first, c.text);
    empty_cache(&s);

    o.special = true;                   // still ends, still does not show
    run(&s, "A language model", &o, &c);
    assert_string_equal(c.text, first);
    empty_cache(&s);

    o.ignore_end = true;
    r = run(&s, "A language model", &o, &c);
    assert_int_equal(r.reason, FINISH_LENGTH);
    size_t n = strlen(first);
    assert_int_equal(strncmp(c.text, first, n), 0);
    assert_int_equal(strncmp(c.text + n, "<|im_end|>", 10), 0);
    session_close(&s);
}

static void bad_prompts_are_refused(void **state)
{
    static collector c;
    static int32_t ids[N_CTX + 1];
    (void)state;
    session s;
    lll_error err = {0};
    generate_report r = {.prompt_tokens = 77};
    start_with(&s, 16, 1);
    generate_options o = greedy(&c, 5);
    assert_int_equal(generate(&s.model, &s.words, ids, 0, &o, &r, &err),
                     LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "empty"));
    assert_int_equal(generate(&s.model, &s.words, ids, N_CTX + 1, &o, &r,
                              &err), LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "161 tokens"));
    assert_non_null(strstr(err.text, "context of 160"));
    ids[3] = VOCAB;
    assert_int_equal(generate(&s.model, &s.words, ids, 4, &o, &r, &err),
                     LLL_ERR_ARGUMENT);
    assert_int_equal(r.prompt_tokens, 77);
    assert_int_equal(c.n_calls, 0);
    assert_int_equal(s.model.caches[0].length, 0);
    ids[3] = 0;                         // and one that just fits
    o.max_tokens = -1;
    assert_int_equal(generate(&s.model, &s.words, ids, N_CTX, &o, &r, &err),
                     LLL_OK);
    assert_int_equal(r.completion_tokens, 1);
    session_close(&s);
}

// Every part of a text that the model writes, taken as the stop string: what
// comes out is what stood before it, however it lies over the tokens.
static void stop_strings_anywhere(void **state)
{
    static collector c;
    static char whole[MOST_TEXT];
    (void)state;
    session s;
    start_with(&s, 512, 1);
    generate_options o = greedy(&c, 30);
    o.ignore_end = true;
    run(&s, "A token", &o, &c);
    strcpy(whole, c.text);
    size_t n = strlen(whole);
    assert_true(n > 60);
    for (size_t at = 0; at + 9 < n; at += 3)
        for (size_t length = 1; length <= 9; length += 4) {
            char stop[16] = "";
            memcpy(stop, whole + at, length);
            // One that never comes must not hold the text back for good.
            const char *const stops[] = {"\x01 never", stop, ""};
            o.stops = stops;
            o.n_stops = 3;
            empty_cache(&s);
            generate_report r = run(&s, "A token", &o, &c);
            assert_int_equal(r.reason, FINISH_STOP_STRING);
            size_t want = (size_t)(strstr(whole, stop) - whole);
            assert_int_equal(c.n_bytes, want);
            assert_memory_equal(c.text, whole, want);
        }
    // Almost a stop string: what was held back is written after all.
    char almost[80] = "";
    memcpy(almost, whole + n - 40, 40);
    strcat(almost, "\x01");
    const char *const stops[] = {almost};
    o.stops = stops;
    o.n_stops = 1;
    empty_cache(&s);
    generate_report r = run(&s, "A token", &o, &c);
    assert_int_equal(r.reason, FINISH_LENGTH);
    assert_string_equal(c.text, whole);
    session_close(&s);
}

static void an_interrupt_ends_it(void **state)
{
    static collector c;
    (void)state;
    session s;
    start_with(&s, 512, 1);
    generate_options o = greedy(&c, -1);
    o.ignore_end = true;
    c.interrupt_at = 5;
    generate_report r = run(&s, "A token", &o, &c);
    assert_int_equal(r.reason, FINISH_INTERRUPTED);
    assert_int_equal(c.n_calls, 5);
    assert_true(r.completion_tokens >= 5 && r.completion_tokens < 30);
    // Set already: the prompt is read, and nothing is written.
    r = run(&s, "A token", &o, &c);
    assert_int_equal(r.reason, FINISH_INTERRUPTED);
    assert_int_equal(r.completion_tokens, 0);
    session_close(&s);
}

static void nothing_but_the_prompt_decides(void **state)
{
    static const int batches[] = {1, 3, 512}, threads[] = {1, 2, 5};
    static collector c;
    static char want[2][MOST_TEXT];
    (void)state;
    for (int b = 0; b < 3; b++)
        for (int t = 0; t < 3; t++)
            for (int warm = 0; warm < 2; warm++) {
                session s;
                start_with(&s, batches[b], threads[t]);
                generate_options o = greedy(&c, 60);
                o.ignore_end = true;
                o.sampling.temperature = warm ? 1.5 : 0;
                o.sampling.seed = 7;
                run(&s, "You read the words of a model, and it is not the "
                    "number that you are called", &o, &c);
                if (b == 0 && t == 0)
                    strcpy(want[warm], c.text);
                assert_string_equal(c.text, want[warm]);
                session_close(&s);
            }
    assert_true(strlen(want[0]) > 60);
    assert_string_not_equal(want[0], want[1]);
}

// Wild sampling of a byte-level vocabulary: many pieces are parts of
// characters. collect() checks that what comes out never is.
static void characters_come_out_whole(void **state)
{
    static collector c;
    (void)state;
    session s;
    int n_replaced = 0;
    start_with(&s, 512, 1);
    for (uint64_t seed = 0; seed < 20; seed++) {
        generate_options o = greedy(&c, -1);
        o.ignore_end = true;
        o.sampling = (sampler_params){.temperature = 50, .typical = 1,
                                      .top_p = 1, .repeat_penalty = 1,
                                      .seed = seed};
        empty_cache(&s);
        run(&s, "A token", &o, &c);
        n_replaced += strstr(c.text, "\xef\xbf\xbd") != NULL;
    }
    assert_true(n_replaced > 0);        // or this has tested nothing
    session_close(&s);
}

// A stop string ends the text although half a character follows it in the
// same token.
static void nothing_follows_a_stop(void **state)
{
    static collector c;
    (void)state;
    session s;
    start_with(&s, 512, 1);
    generate_options o = greedy(&c, 2);
    o.ignore_end = true;
    generate_report r = run(&s, "A token", &o, &c);
    // From now on the token that comes first stands for "e" and the byte C3.
    int32_t id = s.model.history[r.prompt_tokens];
    s.words.words.tokens[id].text = "e\u00c3";
    s.words.words.tokens[id].n_bytes = 3;
    o.max_tokens = 1;
    empty_cache(&s);
    run(&s, "A token", &o, &c);
    assert_string_equal(c.text, "e\xef\xbf\xbd");

    const char *const stops[] = {"e"};
    o.stops = stops;
    o.n_stops = 1;
    empty_cache(&s);
    r = run(&s, "A token", &o, &c);
    assert_int_equal(r.reason, FINISH_STOP_STRING);
    assert_string_equal(c.text, "");
    session_close(&s);
}

// What is in the cache stays in front: in two calls as in one.
static void a_conversation_goes_on(void **state)
{
    static collector c;
    static char whole[MOST_TEXT];
    int32_t ids[64];
    size_t n_ids;
    lll_error err;
    generate_report r;
    (void)state;
    session s;
    start_with(&s, 512, 2);
    generate_options o = greedy(&c, 20);
    o.ignore_end = true;
    assert_int_equal(tokenizer_encode(&s.words, "Each number of the word",
                                      23, 0, ids, 64, &n_ids, &err), LLL_OK);
    assert_true(n_ids > 4);
    assert_int_equal(generate(&s.model, &s.words, ids, n_ids, &o, &r, &err),
                     LLL_OK);
    strcpy(whole, c.text);

    empty_cache(&s);
    o.max_tokens = 0;                   // read the first part only
    assert_int_equal(generate(&s.model, &s.words, ids, 3, &o, &r, &err),
                     LLL_OK);
    c.n_bytes = 0;
    o.max_tokens = 20;
    assert_int_equal(generate(&s.model, &s.words, ids + 3, n_ids - 3, &o, &r,
                              &err), LLL_OK);
    assert_string_equal(c.text, whole);

    // Ten tokens, then the last of them as the prompt for ten more.
    empty_cache(&s);
    c.n_bytes = 0;
    o.max_tokens = 10;
    assert_int_equal(generate(&s.model, &s.words, ids, n_ids, &o, &r, &err),
                     LLL_OK);
    int32_t next = sampler_choose(
        &(sampler){.params = o.sampling, .candidates = s.model.candidates,
                   .vocab_size = VOCAB}, s.model.logits, NULL, 0);
    assert_int_equal(generate(&s.model, &s.words, &next, 1, &o, &r, &err),
                     LLL_OK);
    assert_string_equal(c.text, whole);
    session_close(&s);
}

// A prompt in two calls, as a talk feeds it, cut before, at and behind what
// is computed together: the same row of logits, to the last bit.
static void where_a_prompt_is_cut_changes_no_bit(void **state)
{
    static const size_t places[] = {1, 2, 63, 64, 65, 127, 128, 129,
                                    N_CTX - 1};
    static float want[VOCAB];
    static int32_t ids[N_CTX];
    const float *logits;
    lll_error err;
    (void)state;
    for (int i = 0; i < N_CTX; i++)
        ids[i] = (i * 37 + 11) % VOCAB;
    for (int n_batch = 64; n_batch <= 512; n_batch *= 8) {
        session s;
        start_with(&s, n_batch, 2);
        assert_int_equal(generate_prefill(&s.model, 0, ids, N_CTX, NULL,
                                          &logits, &err), LLL_OK);
        memcpy(want, logits, sizeof want);
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            size_t n = places[i];
            empty_cache(&s);
            assert_int_equal(generate_prefill(&s.model, 0, ids, n, NULL,
                                              &logits, &err), LLL_OK);
            assert_int_equal(generate_prefill(&s.model, 0, ids + n, N_CTX - n,
                                              NULL, &logits, &err), LLL_OK);
            assert_memory_equal(logits, want, sizeof want);
        }
        session_close(&s);
    }
}

// A prompt that is still being read leaves no trace when it is interrupted.
static void an_interrupt_ends_the_prompt(void **state)
{
    static collector c;
    session s;
    (void)state;
    start_with(&s, 2, 1);
    generate_options o = greedy(&c, 5);
    run(&s, "A language model", &o, &c);
    int length = s.model.caches[0].length;
    c.interrupted = 1;
    generate_report r = run(&s, " reads a prompt that is long", &o, &c);
    assert_int_equal(r.reason, FINISH_INTERRUPTED);
    assert_int_equal(r.completion_tokens, 0);
    assert_int_equal(s.model.caches[0].length, length);
    session_close(&s);
}

// The last token goes into the cache only when the talk goes on.
static void the_last_token_is_kept_for_what_follows(void **state)
{
    static collector c;
    (void)state;
    for (int continues = 0; continues < 2; continues++) {
        session s;
        start_with(&s, 8, 1);
        generate_options o = greedy(&c, 3);
        o.continues = continues;
        generate_report r = run(&s, "A language model", &o, &c);
        assert_int_equal(r.completion_tokens, 3);
        assert_int_equal(s.model.caches[0].length,
                         r.prompt_tokens + 2 + continues);
        // The pass that feeds it is no part of what the tokens took.
        double most = latency_percentile(&r.token_times, 1);
        assert_true(r.decode_seconds > 0 && r.decode_seconds <= 2 * most);
        empty_cache(&s);
        o.max_tokens = 1;
        assert_true(run(&s, "A", &o, &c).decode_seconds == 0);
        session_close(&s);
    }
}

static void reasons_have_names(void **state)
{
    (void)state;
    assert_string_equal(finish_reason_name(FINISH_STOP), "stop");
    assert_string_equal(finish_reason_name(FINISH_LENGTH), "length");
    assert_string_equal(finish_reason_name(FINISH_STOP_STRING),
                        "stop string");
    assert_string_equal(finish_reason_name(FINISH_INTERRUPTED),
                        "interrupted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_tokens_end_it),
        cmocka_unit_test(the_report_adds_up),
        cmocka_unit_test(the_end_token_ends_it),
        cmocka_unit_test(bad_prompts_are_refused),
        cmocka_unit_test(stop_strings_anywhere),
        cmocka_unit_test(an_interrupt_ends_it),
        cmocka_unit_test(nothing_but_the_prompt_decides),
        cmocka_unit_test(characters_come_out_whole),
        cmocka_unit_test(nothing_follows_a_stop),
        cmocka_unit_test(a_conversation_goes_on),
        cmocka_unit_test(where_a_prompt_is_cut_changes_no_bit),
        cmocka_unit_test(an_interrupt_ends_the_prompt),
        cmocka_unit_test(the_last_token_is_kept_for_what_follows),
        cmocka_unit_test(reasons_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
