// Sentences: escaped, cut, in UTF-8.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"

static void sentence_and_code(void **state)
{
    (void)state;
    lll_error err;
    assert_int_equal(lll_fail(&err, LLL_ERR_FORMAT, "%s: byte %d", "a", 7),
                     LLL_ERR_FORMAT);
    assert_int_equal(err.code, LLL_ERR_FORMAT);
    assert_string_equal(err.text, "a: byte 7");
    assert_int_equal(lll_fail(NULL, LLL_ERR_IO, "%d", 1), LLL_ERR_IO);
}

static void a_sentence_around_an_earlier_one(void **state)
{
    (void)state;
    lll_error err;
    lll_fail(&err, LLL_ERR_IO, "inner");
    lll_fail(&err, LLL_ERR_IO, "outer: %s", err.text);
    assert_string_equal(err.text, "outer: inner");
}

static void what_is_not_printable_is_escaped(void **state)
{
    static const struct { const char *in, *out; } cases[] = {
        {"\x1b[2J\n\t\x7f", "\\x1b[2J\\x0a\\x09\\x7f"},
        {"\xc3\xa9 \xe9\x8d\xb5 \xf0\x9f\xa6\x99",      // e acute, key, llama
         "\xc3\xa9 \xe9\x8d\xb5 \xf0\x9f\xa6\x99"},
        {"\xc2\x9b" "2J", "\\xc2\\x9b" "2J"},   // CSI, short for ESC [
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xc0\xaf", "\\xc0\\xaf"},             // "/" written too long
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},    // half a surrogate pair
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},   // above 10FFFF
        {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
        {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
        {"\xef\xbf\xbf", "\xef\xbf\xbf"},
        {"\xc2\xa0", "\xc2\xa0"}, {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lll_error err;
        lll_fail(&err, LLL_ERR_IO, "%s", cases[i].in);
        assert_string_equal(err.text, cases[i].out);
    }
}

// Of every length, in words of one-byte, three-byte and escaped characters.
static void a_long_sentence_ends_in_dots(void **state)
{
    static const char *const letters[] = {"a ", "\xe9\x8d\xb5 ", "\x01"};
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        for (size_t n = 1; n < (kind == 2 ? 127 : 900); n++) {
            char text[4000] = "";
            lll_error err;
            size_t at = 0, one = strlen(letters[kind]);
            for (size_t i = 0; i < n; i++, at += one)
                memcpy(text + at, letters[kind], one + 1);
            memset(&err, 'x', sizeof err);
            lll_fail(&err, LLL_ERR_IO, "%s", text);
            size_t written = kind == 2 ? 4 : one;
            size_t length = strlen(err.text);
            if (n * written < sizeof err.text) {
                assert_int_equal(length, n * written);
                continue;
            }
            assert_true(length < sizeof err.text);
            assert_true(length + written >= sizeof err.text - 4);
            assert_string_equal(err.text + length - 3, "...");
            for (size_t i = 0; i < length;) {
                int bytes = printable_bytes(err.text + i, length - i);
                assert_true(bytes > 0);
                i += (size_t)bytes;
            }
        }
    }
}

// The reason stands behind the name, and is what the reader needs.
static void long_words_lose_their_middle(void **state)
{
    static const char reason[] = ": cannot open it: no such file";
    (void)state;
    for (size_t n = 400; n < 7000; n += 97) {
        char path[7001];
        lll_error err;
        memset(path, 'p', n);
        path[0] = 'A';
        path[n - 1] = 'Z';
        path[n] = '\0';
        lll_fail(&err, LLL_ERR_IO, "%s%s", path, reason);
        size_t length = strlen(err.text), end = sizeof reason - 1;
        assert_int_equal(err.text[0], 'A');
        assert_string_equal(err.text + length - end, reason);
        assert_int_equal(err.text[length - end - 1], 'Z');
        assert_int_equal(length < n + end, n >= 512 - end);
        if (n > 4000)
            continue;
        lll_fail(&err, LLL_ERR_IO, "key %s and key %s%s", path, path, reason);
        length = strlen(err.text);
        assert_string_equal(err.text + length - end, reason);
        assert_true(length < 2 * NAME_TEXT + 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentence_and_code),
        cmocka_unit_test(a_sentence_around_an_earlier_one),
        cmocka_unit_test(what_is_not_printable_is_escaped),
        cmocka_unit_test(a_long_sentence_ends_in_dots),
        cmocka_unit_test(long_words_lose_their_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
