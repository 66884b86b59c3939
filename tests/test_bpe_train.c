// Learning merges: by hand, by counting again, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bpe_train.h"

static const char *const end[] = {"<|endoftext|>"};

static const pretokenizer *gpt2(void)
{
    const pretokenizer *rules = NULL;
    assert_int_equal(pretokenize_find("gpt-2", 5, &rules, NULL), LLL_OK);
    return rules;
}

static void learn(bpe_trainer *t, const char *text, size_t vocab_size,
                  uint64_t min_count)
{
    lll_error err;
    assert_int_equal(bpe_trainer_init(t, gpt2(), end, 1, &err), LLL_OK);
    assert_int_equal(bpe_trainer_add(t, text, strlen(text), &err), LLL_OK);
    assert_int_equal(bpe_trainer_run(t, vocab_size, min_count, NULL, NULL,
                                     &err), LLL_OK);
}

static void check_merges(const bpe_trainer *t, const char *const *texts,
                         size_t n)
{
    assert_int_equal(t->n_merges, n);
    assert_int_equal(t->n_tokens, 257 + n);
    for (size_t i = 0; i < n; i++) {
        size_t n_bytes;
        const unsigned char *bytes = bpe_trainer_token(t, 257 + i, &n_bytes);
        assert_int_equal(n_bytes, strlen(texts[i]));
        assert_memory_equal(bytes, texts[i], n_bytes);
    }
}

static void learns_by_hand(void **state)
{
    (void)state;
    bpe_trainer t;
    // es 9, then est 9; lo 7 and low 7; ties go to the smaller tokens.
    static const char *const texts[] = {"es", "est", "lo", "low"};
    learn(&t, "low low low low low\nlower lower newest newest newest newest"
          " newest newest\nwidest widest widest", 261, 2);
    check_merges(&t, texts, 4);
    assert_int_equal(t.merges[0].count, 9);
    assert_int_equal(t.merges[2].count, 7);
    assert_int_equal(t.merges[1].left, 257);
    bpe_trainer_free(&t);
    assert_null(t.merges);
}

// The pairs of a run overlap: three times (a, a) in four letters, and two
// joins, from the left.
static void runs_join_from_the_left(void **state)
{
    (void)state;
    bpe_trainer t;
    static const char *const texts[] = {"aa", "aab", "aaaab"};
    learn(&t, "aaaab", 300, 1);
    check_merges(&t, texts, 3);
    assert_int_equal(t.merges[0].count, 3);
    assert_int_equal(t.merges[1].count, 1);
    bpe_trainer_free(&t);

    static const char *const odd[] = {"aa", "aaa", "aaaaa"};
    learn(&t, "aaaaa", 300, 1);
    check_merges(&t, odd, 3);
    assert_int_equal(t.merges[1].left, 257);
    bpe_trainer_free(&t);
}

static void tokens_before_the_merges(void **state)
{
    (void)state;
    bpe_trainer t;
    size_t n;
    bool seen[256] = {false};
    learn(&t, "", 500, 2);
    assert_int_equal(t.n_tokens, 257);
    assert_string_equal((const char *)bpe_trainer_token(&t, 0, &n), end[0]);
    assert_int_equal(n, strlen(end[0]));
    assert_int_equal(*bpe_trainer_token(&t, 1, &n), '!');
    for (size_t id = 1; id < 257; id++) {
        seen[*bpe_trainer_token(&t, id, &n)] = true;
        assert_int_equal(n, 1);
    }
    for (int i = 0; i < 256; i++)
        assert_true(seen[i]);
    bpe_trainer_free(&t);
}

static void count_calls(void *context, const bpe_trainer *t)
{
    size_t *calls = context;
    assert_int_equal(t->n_merges, ++*calls);
}

static void the_observer_sees_each(void **state)
{
    (void)state;
    bpe_trainer t;
    size_t calls = 0;
    assert_int_equal(bpe_trainer_init(&t, gpt2(), NULL, 0, NULL), LLL_OK);
    assert_int_equal(bpe_trainer_add(&t, "banana", 6, NULL), LLL_OK);
    assert_int_equal(bpe_trainer_run(&t, 259, 1, count_calls, &calls, NULL),
                     LLL_OK);
    assert_int_equal(calls, 3);
    assert_int_equal(t.n_tokens, 259);
    bpe_trainer_free(&t);
}

static void refuses(void **state)
{
    (void)state;
    bpe_trainer t, untouched;
    lll_error err;
    static char too_long[2000];
    memset(too_long, 'x', sizeof too_long - 1);
    const char *const wrong[][2] = {
        {"", "another length"}, {"a", "another length"},
        {too_long, "another length"}, {"<\xc3>", "not UTF-8"},
        {"\xc4\xa0the", "spelled like other bytes"},
        {"<|endoftext|>", "given twice"},
    };
    memset(&t, 0x5a, sizeof t);
    untouched = t;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *const special[] = {end[0], wrong[i][0]};
        assert_int_equal(bpe_trainer_init(&t, gpt2(), special, 2, &err),
                         LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, wrong[i][1]));
        assert_memory_equal(&t, &untouched, sizeof t);
    }
    // What only looks like it may stay: all ASCII, or not only letters.
    const char *const fine[] = {end[0], "the", "<\uff5cend\u2581of\uff5c>"};
    assert_int_equal(bpe_trainer_init(&t, gpt2(), fine, 3, &err), LLL_OK);
    static const size_t sizes[] = {0, 258, (size_t)INT32_MAX + 1};
    for (int i = 0; i < 3; i++)
        assert_int_equal(bpe_trainer_run(&t, sizes[i], 1, NULL, NULL, &err),
                         LLL_ERR_ARGUMENT);
    assert_int_equal(bpe_trainer_run(&t, 300, 0, NULL, NULL, &err),
                     LLL_ERR_ARGUMENT);
    assert_int_equal(t.n_tokens, 259);
    bpe_trainer_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_by_hand),
        cmocka_unit_test(runs_join_from_the_left),
        cmocka_unit_test(tokens_before_the_merges),
        cmocka_unit_test(the_observer_sees_each),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
