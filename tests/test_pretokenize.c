// Where each pre-tokenizer cuts, and that cutting loses nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/pretokenize.h"

// The pieces of text with "|" between them.
static const char *cuts(const char *name, const char *text)
{
    static char out[512];
    const pretokenizer *rules;
    pretokenize_scan scan;
    size_t begin, end, n = 0, done = 0;
    assert_int_equal(pretokenize_find(name, strlen(name), &rules, NULL),
                     LLL_OK);
    pretokenize_begin(&scan, rules, text, strlen(text));
    while (pretokenize_next(&scan, &begin, &end)) {
        assert_int_equal(begin, done);
        assert_true(end > begin);
        if (n > 0)
            out[n++] = '|';
        memcpy(out + n, text + begin, end - begin);
        n += end - begin;
        done = end;
    }
    assert_int_equal(done, strlen(text));
    out[n] = '\0';
    return out;
}

static void known_cuts(void **state)
{
    (void)state;
    static const char *const t[][3] = {
        {"gpt-2", "Hello world", "Hello| world"},
        {"gpt-2", "it's we'll I'D", "it|'s| we|'ll| I|'|D"},
        {"gpt-2", "a   b\n\n c", "a|  | b|\n\n| c"},
        {"gpt-2", "a  ", "a|  "},
        {"gpt-2", "x 123!? y", "x| 123|!?| y"},
        {"gpt-2", "", ""},
        {"gpt-2", "\ta", "\t|a"},
        {"smollm", "in 1984, yes", "in| |1|9|8|4|,| yes"},
        {"starcoder", "12", "1|2"},
        {"llama-bpe", "12345 it'S", "123|45| it|'S"},
        {"llama-bpe", "a.b (c)\n\n  d", "a|.b| (|c|)\n\n| | d"},
        {"llama-bpe", " \n \n x", " \n \n| x"},
        {"llama-bpe", "x'\u017f", "x|'\u017f"},     // folds to 's
        {"qwen2", "12 ab\r\n", "1|2| ab|\r\n"},
        {"falcon", "a+b 12345", "a|+|b| |123|45"},
        {"falcon", "x! 12", "x|!| 12"},
        {"deepseek-llm", "ab 12\n\nc", "ab| |12|\n|\n|c"},
        {"deepseek-llm", "a   \u4e2db", "a|   |\u4e2d|b"},
        {"deepseek-coder", "x = (42);", "x| =| (|4|2|);"},
        {"deepseek-v3", "f(abc) 1234", "f|(abc|)| |123|4"},
        {"default", "a b 1234", "a| b| |123|4"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        assert_string_equal(cuts(t[i][0], t[i][1]), t[i][2]);
}

static void aliases_cut_alike(void **state)
{
    (void)state;
    for (size_t i = 0; pretokenize_names(i) != NULL; i++) {
        const char *word = pretokenize_names(i);
        const pretokenizer *first = NULL, *rules;
        while (*word != '\0') {
            size_t n = strcspn(word, " ");
            assert_int_equal(pretokenize_find(word, n, &rules, NULL),
                             LLL_OK);
            if (first == NULL)
                first = rules;
            assert_ptr_equal(rules, first);
            word += n + strspn(word + n, " ");
        }
        assert_non_null(first);
    }
}

static void unknown_names_are_named(void **state)
{
    (void)state;
    const pretokenizer *rules = NULL;
    lll_error err;
    assert_int_equal(pretokenize_find("gpt-3", 5, &rules, &err),
                     LLL_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "\"gpt-3\""));
    assert_non_null(strstr(err.text, "--pre"));
    assert_null(rules);
    // A part of a name, several names, and none are no names either.
    assert_int_equal(pretokenize_find("gpt", 3, &rules, NULL),
                     LLL_ERR_UNSUPPORTED);
    assert_int_equal(pretokenize_find("gpt-2 phi-2", 11, &rules, NULL),
                     LLL_ERR_UNSUPPORTED);
    assert_int_equal(pretokenize_find("", 0, &rules, NULL),
                     LLL_ERR_UNSUPPORTED);
}

static void any_bytes_are_cut_without_loss(void **state)
{
    (void)state;
    static const char *const parts[] = {
        " ", "\n", "\r", "a", "'s", "7", "!", "\xff", "\xe2\x82", "\xc3\xa9",
        "\u4e2d", "\u0301", "\u3000", "+", "\xf0\x9f\xa6\x99", "\t", "Z",
    };
    uint64_t seed = 4;
    for (int round = 0; round < 3000; round++) {
        char text[200] = "";
        for (int i = 0; i < round % 30; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            strcat(text, parts[(seed >> 33) % (sizeof parts
                                               / sizeof parts[0])]);
        }
        for (size_t i = 0; pretokenize_names(i) != NULL; i++) {
            char name[32] = "";
            strncat(name, pretokenize_names(i),
                    strcspn(pretokenize_names(i), " "));
            cuts(name, text);
        }
    }
}

// Time per byte must not grow: a million spaces before a word would take
// hours where each space looks at the rest of them.
static void long_runs_take_linear_time(void **state)
{
    (void)state;
    size_t n = 1 << 20;
    char *text = malloc(n + 3);
    assert_non_null(text);
    memset(text, ' ', n);
    memcpy(text + n, "\xe4\xb8\xad", 3);
    for (size_t i = 0; pretokenize_names(i) != NULL; i++) {
        const pretokenizer *rules;
        pretokenize_scan scan;
        size_t begin, end, pieces = 0;
        pretokenize_find(pretokenize_names(i),
                         strcspn(pretokenize_names(i), " "), &rules, NULL);
        pretokenize_begin(&scan, rules, text, n + 3);
        while (pretokenize_next(&scan, &begin, &end))
            pieces++;
        assert_in_range(pieces, 1, 3);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_cuts),
        cmocka_unit_test(aliases_cut_alike),
        cmocka_unit_test(unknown_names_are_named),
        cmocka_unit_test(any_bytes_are_cut_without_loss),
        cmocka_unit_test(long_runs_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
