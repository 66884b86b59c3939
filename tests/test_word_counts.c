// Words counted, and beside a search through all that were met.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/word_counts.h"

static const pretokenizer *gpt2(void)
{
    const pretokenizer *rules = NULL;
    assert_int_equal(pretokenize_find("gpt-2", 5, &rules, NULL), LLL_OK);
    return rules;
}

static uint64_t count_of(const word_counts *w, const char *word)
{
    uint64_t found = 0;
    for (size_t i = 0; i < w->n_words; i++)
        if (w->words[i].n_bytes == strlen(word)
            && memcmp(w->bytes + w->words[i].start, word,
                      strlen(word)) == 0) {
            assert_int_equal(found, 0);
            found = w->words[i].count;
        }
    return found;
}

static void counts_words(void **state)
{
    (void)state;
    static const char text[] = "the cat, the dog; the the\n";
    word_counts w = {NULL, 0, 0, NULL, 0, 0, NULL, 0};
    lll_error err;
    for (int i = 0; i < 3; i++)
        assert_int_equal(word_counts_add(&w, gpt2(), text, strlen(text),
                                         &err), LLL_OK);
    assert_int_equal(count_of(&w, "the"), 3);
    assert_int_equal(count_of(&w, " the"), 9);
    assert_int_equal(count_of(&w, ","), 3);
    assert_int_equal(count_of(&w, "\n"), 3);
    assert_int_equal(count_of(&w, "cat"), 0);
    assert_int_equal(w.n_words, 7);
    assert_int_equal(w.n_bytes, strlen("the cat, the dog;\n"));
    word_counts_free(&w);
    assert_null(w.bytes);
    word_counts_free(&w);
}

// So many that every list grows several times.
static void counts_many(void **state)
{
    (void)state;
    enum { MANY = 26 * 26 * 26 * 26 };
    word_counts w = {NULL, 0, 0, NULL, 0, 0, NULL, 0};
    char word[16];
    uint64_t sum = 0;
    for (int i = 0; i < MANY + 1000; i++) {
        int n = snprintf(word, sizeof word, "w%c%c%c%c", 'a' + i % 26,
                         'a' + i / 26 % 26, 'a' + i / 676 % 26,
                         'a' + i / 17576 % 26);
        assert_int_equal(word_counts_add(&w, gpt2(), word, (size_t)n, NULL),
                         LLL_OK);
    }
    assert_int_equal(w.n_words, MANY);
    assert_int_equal(w.n_bytes, 5 * w.n_words);
    for (size_t i = 0; i < w.n_words; i++) {
        assert_int_equal(w.words[i].count, i < 1000 ? 2 : 1);
        sum += w.words[i].count;
    }
    assert_int_equal(sum, MANY + 1000);
    word_counts_free(&w);
}

static void no_text_no_words(void **state)
{
    (void)state;
    word_counts w = {NULL, 0, 0, NULL, 0, 0, NULL, 0};
    assert_int_equal(word_counts_add(&w, gpt2(), "", 0, NULL), LLL_OK);
    assert_int_equal(w.n_words, 0);
    word_counts_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_words), cmocka_unit_test(counts_many),
        cmocka_unit_test(no_text_no_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
