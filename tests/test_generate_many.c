// Several texts in one model, pass by pass: who goes on, who waits, who ends,
// and that none of it is seen in the text of another.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/generating.h"

enum { MOST = 8 };

static const char *const PROMPTS[MOST] = {
    "A", "A language model", "A token is a", ("It reads the words of a "
    "model and of a text, and it is not a number that one token can be"),
    "words",
    "Each number", "the", "You are a token"};
static collector texts[MOST];
static generation going[MOST];

static generate_options wild(int sequence)
{
    // Texts that never come, and whose beginnings are held back.
    static const char *const stops[] = {"e\x01", " \x01", "t\x01"};
    generate_options o = greedy(&texts[sequence], 20 + 7 * sequence);
    o.stops = stops;
    o.n_stops = 3;
    o.sampling.temperature = 1;
    o.sampling.seed = 5;
    o.ignore_end = true;
    o.sequence = sequence;
    return o;
}

static void begin(session *s, int i)
{
    const int32_t *ids;
    size_t n;
    lll_error err;
    generate_options o = wild(i);
    texts[i] = (collector){.n_bytes = 0};
    kv_cache_truncate(&s->model.caches[i], 0);
    assert_int_equal(session_encode(s, PROMPTS[i], strlen(PROMPTS[i]), &ids,
                                    &n, &err), LLL_OK);
    if (generation_begin(&going[i], &s->model, &s->words, ids, n, &o, &err)
        != LLL_OK)
        fail_msg("%s", err.text);
}

// A model for `n` texts, whose batches have n_batch places.
static void start_many(session *s, int n, int n_batch)
{
    lll_error err;
    session_options o = session_defaults();
    o.n_ctx = N_CTX;
    o.n_batch = n_batch;
    o.n_threads = 2;
    o.n_sequences = o.n_outputs = n;
    if (session_open(s, "data/tiny.gguf", &o, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

static char want[MOST][MOST_TEXT];

// What each gets when it is alone.
static int each_alone(void **state)
{
    session s;
    (void)state;
    start_with(&s, 512, 1);
    for (int i = 0; i < MOST; i++) {
        generate_options o = wild(i);
        o.sequence = 0;
        empty_cache(&s);
        run(&s, PROMPTS[i], &o, &texts[i]);
        strcpy(want[i], texts[i].text);
    }
    session_close(&s);
    return 0;
}

static int n_going(int n)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += !going[i].ended;
    return count;
}

static void all_as_alone(void **state)
{
    static const int batches[] = {512, 16, 8, 3, 1};
    (void)state;
    for (int b = 0; b < 5; b++)
        for (int n = 1; n <= MOST; n += b == 0 ? 1 : 7) {
            session s;
            lll_error err;
            start_many(&s, n, batches[b]);
            for (int i = 0; i < n; i++)
                begin(&s, i);
            for (int pass = 0; n_going(n) > 0; pass++) {
                assert_true(pass < 2000);
                assert_int_equal(generation_pass(&s.model, going, n, &err),
                                 LLL_OK);
            }
            for (int i = 0; i < n; i++) {
                assert_int_equal(going[i].report.reason, FINISH_LENGTH);
                assert_int_equal(going[i].report.completion_tokens,
                                 20 + 7 * i);
                assert_string_equal(texts[i].text, want[i]);
            }
            session_close(&s);
        }
}

// Each begins when the one before it has said three tokens, two of them stop
// for a while, and a place is used twice.
static void they_come_and_go(void **state)
{
    session s;
    lll_error err;
    int n_begun = 0, again = 0;
    (void)state;
    start_many(&s, MOST, 64);
    for (int i = 0; i < MOST; i++)
        going[i] = (generation){.ended = true};
    for (int pass = 0; pass == 0 || n_going(MOST) > 0; pass++) {
        if (pass % 3 == 0 && n_begun < MOST)
            begin(&s, n_begun++);
        if (going[0].ended && !again) {
            assert_string_equal(texts[0].text, want[0]);
            begin(&s, 0);
            again = 1;
        }
        going[2].paused = pass > 8 && pass < 20;
        going[3].paused = pass == 10;
        int tokens = going[2].report.completion_tokens;
        assert_int_equal(generation_pass(&s.model, going, MOST, &err),
                         LLL_OK);
        if (going[2].paused)
            assert_int_equal(going[2].report.completion_tokens, tokens);
    }
    assert_true(again);
    for (int i = 0; i < MOST; i++)
        assert_string_equal(texts[i].text, want[i]);
    // None that goes on: nothing to do, and no error.
    assert_int_equal(generation_pass(&s.model, going, MOST, &err), LLL_OK);
    session_close(&s);
}

// One is interrupted while its prompt goes in, and one later.
static void one_ends_and_the_others_do_not(void **state)
{
    session s;
    lll_error err;
    (void)state;
    start_many(&s, 4, 8);
    for (int i = 0; i < 4; i++)
        begin(&s, i);
    for (int pass = 0; n_going(4) > 0; pass++) {
        if (pass == 1)
            texts[3].interrupted = 1;       // its prompt takes several
        if (pass == 20)
            texts[1].interrupted = 1;
        assert_int_equal(generation_pass(&s.model, going, 4, &err), LLL_OK);
    }
    assert_int_equal(going[3].report.reason, FINISH_INTERRUPTED);
    assert_int_equal(going[3].report.completion_tokens, 0);
    assert_int_equal(s.model.caches[3].length, 0);
    assert_int_equal(going[1].report.reason, FINISH_INTERRUPTED);
    size_t n = texts[1].n_bytes;
    assert_true(n > 0 && n < strlen(want[1]));
    assert_memory_equal(texts[1].text, want[1], n);
    assert_string_equal(texts[0].text, want[0]);
    assert_string_equal(texts[2].text, want[2]);
    session_close(&s);
}

static void what_cannot_begin_has_ended(void **state)
{
    static const int32_t ids[N_CTX + 1];
    session s;
    lll_error err = {0};
    (void)state;
    start_many(&s, 2, 64);
    for (int sequence = -1; sequence <= 2; sequence++) {
        generate_options o = wild(0);
        o.sequence = sequence;
        bool good = sequence == 0 || sequence == 1;
        assert_int_equal(generation_begin(&going[0], &s.model, &s.words, ids,
                                          1, &o, &err),
                         good ? LLL_OK : LLL_ERR_ARGUMENT);
        assert_int_equal(going[0].ended, !good);
    }
    generate_options o = wild(0);
    for (size_t n = 0; n <= N_CTX + 1; n += N_CTX + 1) {
        assert_int_equal(generation_begin(&going[0], &s.model, &s.words, ids,
                                          n, &o, &err), LLL_ERR_ARGUMENT);
        assert_true(going[0].ended);
    }
    session_close(&s);
}

// No number comes out of the model: each text ends by itself, with a
// sentence, and what was said before stays.
static void no_number_ends_a_text(void **state)
{
    session s;
    lll_error err;
    (void)state;
    start_many(&s, 2, 64);
    begin(&s, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(generation_pass(&s.model, going, 1, &err), LLL_OK);
    float *norm = (float *)(uintptr_t)s.model.weights.output_norm;
    norm[3] = NAN;
    begin(&s, 1);
    assert_int_equal(generation_pass(&s.model, going, 2, &err), LLL_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(going[i].ended);
        assert_int_equal(going[i].status, LLL_ERR_FORMAT);
        assert_non_null(strstr(going[i].error.text, "not numbers"));
        assert_int_equal(going[i].report.completion_tokens, i == 0 ? 5 : 0);
    }
    session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_as_alone),
        cmocka_unit_test(they_come_and_go),
        cmocka_unit_test(one_ends_and_the_others_do_not),
        cmocka_unit_test(what_cannot_begin_has_ended),
        cmocka_unit_test(no_number_ends_a_text),
    };
    return cmocka_run_group_tests(tests, each_alone, NULL);
}
