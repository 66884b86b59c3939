#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chapters/04-tokenizer/exercises/04-7-any-bytes/spell.h"
#include "common/unicode.h"
#include "tools/exercise.h"

static void spells(const char *name, const char *bytes, size_t n,
                   const char *wanted)
{
    char text[128];
    memset(text, '#', sizeof text);
    size_t got = spell((const unsigned char *)bytes, n, text, 100);
    size_t shown = got < 100 ? got : 100;
    bool right = got == strlen(wanted) && memcmp(text, wanted, got) == 0;
    if (right && text[got] != '#')
        exercise_case(false, name, "something was written behind the end");
    else
        exercise_case(right, name, "expected %s, got %.*s", wanted,
                      (int)shown, text);
}

// There and back, each in a block of its own size. NULL, or what is wrong.
static const char *round_trip(const unsigned char *bytes, size_t n)
{
    const char *problem = NULL;
    size_t n_text = spell(bytes, n, NULL, 0), n_back = 0;
    char *text = malloc(n_text + 1);
    unsigned char *back = malloc(n_text + 1);
    uint32_t code;
    if (n_text > 4 * n || spell(bytes, n, text, n_text) != n_text)
        problem = "the length of the text is wrong, or depends on the room";
    for (size_t at = 0; problem == NULL && at < n_text; ) {
        int length = unicode_decode((unsigned char *)text + at, n_text - at,
                                    &code);
        if (length < 1)
            problem = "the text is not UTF-8";
        else
            at += (size_t)length;
    }
    if (problem == NULL && !unspell(text, n_text, back, &n_back))
        problem = "unspell refuses what spell wrote";
    if (problem == NULL && (n_back != n || memcmp(back, bytes, n) != 0))
        problem = "other bytes came back";
    free(text);
    free(back);
    return problem;
}

// All lists of n bytes that are one of `letters`, n_letters ^ n of them.
static void all_of(const char *name, const unsigned char *letters,
                   size_t n_letters, size_t n)
{
    size_t total = 1;
    for (size_t i = 0; i < n; i++)
        total *= n_letters;
    for (size_t i = 0; i < total; i++) {
        unsigned char bytes[8];
        size_t rest = i;
        for (size_t j = 0; j < n; j++, rest /= n_letters)
            bytes[j] = letters[rest % n_letters];
        const char *problem = round_trip(bytes, n);
        if (problem != NULL) {
            char list[32] = "";
            for (size_t j = 0; j < n; j++)
                snprintf(list + 3 * j, 4, " %02x", bytes[j]);
            exercise_case(false, name, "for%s: %s", list, problem);
            return;
        }
    }
    exercise_case(true, name, " ");
}

static void refuses(const char *text)
{
    unsigned char bytes[16];
    size_t n_text = strlen(text), n = 4711;
    char *alone = malloc(n_text), name[32];
    memcpy(alone, text, n_text);
    snprintf(name, sizeof name, "unspell \"%s\"", text);
    bool good = unspell(alone, n_text, bytes, &n);
    exercise_case(!good && n == 4711, name, good ? "expected false"
                                                 : "*n_bytes was changed");
    free(alone);
}

static void little_room(void)
{
    static const unsigned char bytes[] = "a\xf0\x9f\\";
    bool right = true;
    for (size_t room = 0; room <= 11; room++) {
        char text[16];
        memset(text, '#', sizeof text);
        right = right && spell(bytes, 4, text, room) == 11
                && memcmp(text, "a\\xf0\\x9f\\\\", room) == 0
                && text[room] == '#';
    }
    exercise_case(right, "too little room", "what fits is written, and 11 "
                  "returned");
}

int main(void)
{
    static const unsigned char some[] = {'a', '\\', 'x', '9', 0x80, 0xaf,
                                         0xc3, 0xe2, 0xed, 0xf0};
    unsigned char all[256], fifth[51];
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    for (int i = 0; i < 51; i++)
        fifth[i] = (unsigned char)(5 * i);
    spells("nothing", "", 0, "");
    spells("text", "na\u00efve \U0001f999", 11, "na\u00efve \U0001f999");
    spells("a byte that is no character", "a\xff" "b", 3, "a\\xffb");
    spells("half a llama", "\xf0\x9f", 2, "\\xf0\\x9f");
    spells("half of one, and an a", "\xf0\x9f" "a", 3, "\\xf0\\x9fa");
    spells("a slash in two bytes", "\xc0\xaf", 2, "\\xc0\\xaf");
    spells("a backslash", "\\", 1, "\\\\");
    spells("what looks like a spelling", "\\xff", 4, "\\\\xff");
    little_room();
    all_of("each byte, there and back", all, 256, 1);
    all_of("each two of every fifth", fifth, 51, 2);
    all_of("each three of ten that matter", some, 10, 3);
    refuses("\\");
    refuses("a\\q");
    refuses("\\x");
    refuses("\\x9");
    refuses("\\xg0");
    refuses("\\x0G");
    return exercise_end();
}
