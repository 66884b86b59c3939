// The examples of FIPS 180-4, and pieces of any length: test_gguf_tool.py
// compares with Python's hashlib.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/sha256.h"

static void same(const char *text, size_t n, size_t piece,
                 const char *expected)
{
    sha256 hash;
    char found[SHA256_TEXT];
    sha256_init(&hash);
    for (size_t i = 0; i < n; i += piece)
        sha256_add(&hash, text + i, n - i < piece ? n - i : piece);
    sha256_finish(&hash, found);
    assert_string_equal(found, expected);
}

static void the_standards_examples(void **state)
{
    static const struct { const char *text, *expected; } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb924"
             "27ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223"
                "b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039"
         "a33ce45964ff2167f6ecedd419db06c1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        for (size_t piece = 1; piece < 80; piece++)
            same(examples[i].text, strlen(examples[i].text), piece,
                 examples[i].expected);
}

static void a_million(void **state)
{
    static char text[1000000];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t piece = 1; piece <= sizeof text; piece = 3 * piece + 7)
        same(text, sizeof text, piece,
             "cdc76e5c9914fb9281a1c7e284d73e67"
             "f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples),
        cmocka_unit_test(a_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
