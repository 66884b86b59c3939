// What may be shown: characters of UTF-8, names cut to their room.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"

// A name of every length, of letters, of characters of three bytes, of NULs.
static void names_fit_their_room(void **state)
{
    static const struct { const char *letter; size_t n, shown; } kinds[] = {
        {"a", 1, 1}, {"\xe9\x8d\xb5", 3, 3}, {"\0", 1, 4}, {"\xff", 1, 4}};
    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (size_t n = 0; n < 300; n++) {
            char name[900], text[NAME_TEXT];
            for (size_t i = 0; i < n; i++)
                memcpy(name + i * kinds[kind].n, kinds[kind].letter,
                       kinds[kind].n);
            lll_error err;
            assert_ptr_equal(name_text(name, n * kinds[kind].n, text), text);
            lll_fail(&err, LLL_ERR_IO, "%s", text);
            size_t length = strlen(err.text);
            if (n * kinds[kind].shown < NAME_TEXT) {
                assert_int_equal(length, n * kinds[kind].shown);
                continue;
            }
            assert_non_null(strstr(err.text, "..."));
            assert_true(length < NAME_TEXT && length > NAME_TEXT - 9);
        }
    char text[NAME_TEXT];
    assert_string_equal(name_text("ab\0CD", 5, text), "ab\\x00CD");
}

static void printable(void **state)
{
    (void)state;
    assert_int_equal(printable_bytes("a", 1), 1);
    assert_int_equal(printable_bytes("a", 0), 0);
    assert_int_equal(printable_bytes("\0", 1), 0);
    assert_int_equal(printable_bytes("\xc3\xa9", 2), 2);
    assert_int_equal(printable_bytes("\xc3\xa9", 1), 0);
    assert_int_equal(printable_bytes("\xf0\x9f\xa6\x99", 4), 4);
    assert_int_equal(printable_bytes("\xf0\x9f\xa6\x99", 3), 0);
    assert_int_equal(printable_bytes("\x80", 1), 0);
}

// A room of every size: nothing is written behind it, and it ends in a zero.
static void a_sentence_stays_in_its_room(void **state)
{
    (void)state;
    for (size_t room = 4; room < 40; room++) {
        char sentence[] = "tensor \x1b[2J of \xc3\xa9 letters", to[48];
        memset(to, 'x', sizeof to);
        printable_sentence(to, room, sentence);
        assert_true(strlen(to) < room);
        assert_int_equal(to[room], 'x');
        assert_null(strchr(to, '\x1b'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_fit_their_room),
        cmocka_unit_test(printable),
        cmocka_unit_test(a_sentence_stays_in_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
