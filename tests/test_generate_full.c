// Contexts that are full, and several texts in one model.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
    // Nothing more fits now.
    lll_error err = {0};
    const int32_t one = 5;
    generate_report untouched = {.prompt_tokens = 77};
    assert_int_equal(generate(&s.model, &s.words, &one, 1, &o, &untouched,
                              &err), LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "a prompt of 1 tokens after 160"));
    assert_int_equal(untouched.prompt_tokens, 77);
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
        cmocka_unit_test(sequences_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
