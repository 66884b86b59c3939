#include "common/printable.h"

#include <stdbool.h>
#include <string.h>

// @begin printable-bytes
int printable_bytes(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    if (n == 0 || p[0] < 0x20 || p[0] == 0x7f)
        return 0;
    if (p[0] < 0x80)
        return 1;

    // The first byte says how many follow; each follower is 10xxxxxx.
    int length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < (size_t)length)
        return 0;
    for (int i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    // Characters written longer than needed, halves of surrogate pairs,
    // numbers above 10FFFF, and 80 to 9F: control characters to a terminal.
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0)
        || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)
        || (p[0] == 0xc2 && p[1] < 0xa0))
        return 0;
    return length;
}
// @end printable-bytes

// @begin printable-escape
// Copy `from` into `to`, writing what is not printable as \xNN. A name in a
// file may hold an escape sequence that would repaint the reader's terminal.
static void copy_escaped(char *to, size_t capacity, const char *from)
{
    static const char digit[] = "0123456789abcdef";
    size_t left = strlen(from), n = 0, cut = 0;
    while (left > 0) {
        int whole = printable_bytes(from, left);
        int need = whole > 0 ? whole : 4;
        // The last place where "..." would still fit, between characters.
        if (n + 4 <= capacity)
            cut = n;
        if (n + (size_t)need >= capacity) {
            memcpy(to + cut, "...", 4);
            return;
        }
        if (whole > 0) {
            memcpy(to + n, from, (size_t)whole);
        } else {
            unsigned char c = (unsigned char)*from;
            char escape[4] = {'\\', 'x', digit[c >> 4], digit[c & 15]};
            memcpy(to + n, escape, sizeof escape);
            whole = 1;
        }
        n += (size_t)need;
        from += whole;
        left -= (size_t)whole;
    }
    to[n] = '\0';
}
// @end printable-escape

// @begin printable-name
// Of the next character: how many bytes it is, and how many when shown.
static size_t width(const char *from, size_t left, size_t *n_bytes)
{
    int whole = printable_bytes(from, left);
    *n_bytes = whole > 0 ? (size_t)whole : 1;
    return whole > 0 ? (size_t)whole : 4;
}

const char *name_text(const char *name, size_t n, char text[NAME_TEXT])
{
    size_t rest = 0, used = 0, at = 0, one, step;
    for (size_t i = 0; i < n; i += step)
        rest += width(name + i, n - i, &step);
    bool cut = rest >= NAME_TEXT;
    for (size_t shown = 0; at < n; shown += one, rest -= one, at += step) {
        one = width(name + at, n - at, &step);
        if (cut && shown + one > NAME_TEXT / 2 - 3) {
            for (; shown + 3 + rest >= NAME_TEXT; rest -= one, at += step)
                one = width(name + at, n - at, &step);
            memcpy(text + used, "...", 3);
            used += 3;
            shown += 3;
            cut = false;
            one = width(name + at, n - at, &step);
        }
        bool is_nul = name[at] == '\0';
        memcpy(text + used, is_nul ? "\\x00" : name + at, is_nul ? 4 : step);
        used += is_nul ? 4 : step;
    }
    text[used] = '\0';
    return text;
}
// @end printable-name

// @begin printable-words
// What makes a sentence too long is a name or a path, and the reason stands
// behind it.
static void shorten_words(char *sentence)
{
    char *to = sentence;
    for (const char *from = sentence; *from != '\0';) {
        char room[NAME_TEXT];
        size_t n = strcspn(from, " ");
        const char *word = n < NAME_TEXT ? from : name_text(from, n, room);
        size_t length = n < NAME_TEXT ? n : strlen(word);
        memmove(to, word, length);
        from += n;
        to += length;
        if (*from != '\0')
            *to++ = *from++;
    }
    *to = '\0';
}
// @end printable-words

// @begin printable-sentence
void printable_sentence(char *to, size_t capacity, char *sentence)
{
    if (strlen(sentence) >= capacity)
        shorten_words(sentence);
    copy_escaped(to, capacity, sentence);
}
// @end printable-sentence
