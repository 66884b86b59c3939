// UTF-8 in and out for every code point, what is not UTF-8, and kinds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/unicode.h"

static void every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x110010; code++) {
        unsigned char bytes[4] = {0};
        uint32_t back = 0xdead;
        int n = unicode_encode(code, bytes);
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            assert_int_equal(n, 0);
            continue;
        }
        assert_int_equal(n, code < 0x80 ? 1 : code < 0x800 ? 2
                            : code < 0x10000 ? 3 : 4);
        assert_int_equal(unicode_decode(bytes, 4, &back), n);
        assert_int_equal(back, code);
        for (int shorter = 0; shorter < n; shorter++)
            assert_int_equal(unicode_decode(bytes, (size_t)shorter, &back),
                             0);
    }
}

static void what_is_not_utf8(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t n; int answer; } t[] = {
        {"\x80", 1, -1}, {"\xbf" "a", 2, -1}, {"\xff", 1, -1},
        {"\xc0\x80", 2, -1}, {"\xc1\xbf", 2, -1}, {"\xf5\x80", 2, -1},
        {"\xe0\x80\x80", 3, -1},            // overlong
        {"\xe0\x9f\xbf", 3, -1}, {"\xf0\x80\x80\x80", 4, -1},
        {"\xed\xa0\x80", 3, -1},            // a surrogate
        {"\xf4\x90\x80\x80", 4, -1},        // above U+10FFFF
        {"\xc3" "a", 2, -1}, {"\xe2\x82" "a", 3, -2},
        {"\xf0\x9f\x98" "a", 4, -3}, {"\xf0\x9f\x98", 3, 0},
        {"\xe2", 1, 0}, {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        uint32_t code = 77;
        assert_int_equal(unicode_decode((const unsigned char *)t[i].bytes,
                                        t[i].n, &code), t[i].answer);
        assert_int_equal(code, 77);
    }
}

static void kinds(void **state)
{
    (void)state;
    assert_int_equal(unicode_kind('a'), UNICODE_LETTER);
    assert_int_equal(unicode_kind('7'), UNICODE_NUMBER | UNICODE_DIGIT);
    assert_int_equal(unicode_kind(' '), UNICODE_SPACE | UNICODE_BLANK);
    assert_int_equal(unicode_kind('\n'), UNICODE_SPACE | UNICODE_NEWLINE);
    assert_int_equal(unicode_kind('!'), UNICODE_PUNCTUATION);
    assert_int_equal(unicode_kind('+'), UNICODE_SYMBOL);
    assert_int_equal(unicode_kind(0), 0);
    assert_int_equal(unicode_kind(0x4e2d), UNICODE_LETTER);
    assert_int_equal(unicode_kind(0x00bd), UNICODE_NUMBER);     // 1/2
    assert_int_equal(unicode_kind(0x0301), UNICODE_MARK);
    assert_int_equal(unicode_kind(0x1f999), UNICODE_SYMBOL);
    assert_int_equal(unicode_kind(0x3000), UNICODE_SPACE);
    assert_int_equal(unicode_kind(0x200b), 0);      // has no width, no kind
    assert_int_equal(unicode_kind(0x10ffff), 0);
    assert_int_equal(unicode_kind(0x110000), 0);
    assert_int_equal(unicode_kind(UINT32_MAX), 0);
}

static void kinds_are_counted(void **state)
{
    (void)state;
    // Unicode 16.0 has so many, and 13 numbers more are from 17.0.
    size_t letters = 0, numbers = 0, marks = 0, spaces = 0;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        unsigned kind = unicode_kind(code);
        letters += (kind & UNICODE_LETTER) != 0;
        numbers += (kind & UNICODE_NUMBER) != 0;
        marks += (kind & UNICODE_MARK) != 0;
        spaces += (kind & UNICODE_SPACE) != 0;
    }
    assert_int_equal(letters, 141028);
    assert_int_equal(numbers, 1911 + 13);
    assert_int_equal(marks, 2501);
    assert_int_equal(spaces, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(what_is_not_utf8),
        cmocka_unit_test(kinds),
        cmocka_unit_test(kinds_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
