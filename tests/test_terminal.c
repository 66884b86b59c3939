// Pictures without colour, and numbers for people.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>

#include "common/terminal.h"

static char text[256];

static const char *taken(FILE *out)
{
    long n = ftell(out);
    rewind(out);
    assert_int_equal(fread(text, 1, (size_t)n, out), n);
    text[n] = '\0';
    fclose(out);
    return text;
}

static void numbers(void **state)
{
    static const struct { uint64_t n; const char *exact, *count; } cases[] = {
        {0, "0", "0"}, {999, "999", "999"}, {1000, "1,000", "1.00 k"},
        {99949, "99,949", "99.9 k"}, {99950, "99,950", "100 k"},
        {999500, "999,500", "1.00 M"}, {134515008, "134,515,008", "135 M"},
        {UINT64_MAX, "18,446,744,073,709,551,615", "18.4 E"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        number_text(cases[i].n, text, 27);
        assert_string_equal(text, cases[i].exact);
        count_text(cases[i].n, text, sizeof text);
        assert_string_equal(text, cases[i].count);
    }
}

static void cells(void **state)
{
    FILE *out = tmpfile();
    (void)state;
    for (int i = 0; i <= 10; i++)
        terminal_cell(out, false, i / 10.0);
    terminal_cell(out, false, NAN);
    terminal_cell(out, false, -3);
    terminal_cell(out, false, 1e300);
    assert_string_equal(taken(out), "  ..::--==++**##%%@@@@??  @@");
    out = tmpfile();
    for (int i = -2; i <= 2; i++)
        terminal_cell_signed(out, false, i / 2.0);
    assert_string_equal(taken(out), "-@-+  +++@");
    out = tmpfile();
    terminal_cell(out, true, 1);
    assert_string_equal(taken(out), "\x1b[48;5;226m  \x1b[0m");
}

static void bars(void **state)
{
    FILE *out = tmpfile();
    (void)state;
    terminal_bar(out, false, 0.5, 6);
    terminal_bar(out, false, -1, 2);
    terminal_bar(out, false, 2, 2);
    terminal_bar(out, false, NAN, 1);
    assert_string_equal(taken(out), "###     ## ");
    out = tmpfile();
    terminal_progress(out, "work", 0.5);        // not a terminal
    assert_string_equal(taken(out), "");
}

static void strange_text(void **state)
{
    FILE *out = tmpfile();
    (void)state;
    assert_int_equal(terminal_text(out, "a\x1b\xe9\x8d\xb5\xff", 6), 10);
    assert_string_equal(taken(out), "a\\x1b\xe9\x8d\xb5\\xff");
    out = tmpfile();
    assert_false(terminal_color(out));
    assert_int_equal(terminal_width(out), 78);
    terminal_paint(out, false, 1, "a");
    terminal_bold(out, false, "b");
    terminal_paint(out, true, 1, "c");
    assert_string_equal(taken(out), "ab\x1b[38;5;1mc\x1b[0m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(cells),
        cmocka_unit_test(bars), cmocka_unit_test(strange_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
