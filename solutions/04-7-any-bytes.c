#include <string.h>

#include "chapters/04-tokenizer/exercises/04-7-any-bytes/spell.h"
#include "common/unicode.h"

static const char digits[] = "0123456789abcdef";

typedef struct {
    char *text;
    size_t n, capacity;
} output;

static void put(output *out, char byte)
{
    if (out->n < out->capacity)
        out->text[out->n] = byte;
    out->n++;
}

static void put_broken(output *out, unsigned char byte)
{
    put(out, '\\');
    put(out, 'x');
    put(out, digits[byte >> 4]);
    put(out, digits[byte & 15]);
}

size_t spell(const unsigned char *bytes, size_t n_bytes, char *text,
             size_t capacity)
{
    output out = {text, 0, capacity};
    for (size_t at = 0; at < n_bytes; ) {
        uint32_t code;
        int length = unicode_decode(bytes + at, n_bytes - at, &code);
        if (length < 1) {
            put_broken(&out, bytes[at++]);
            continue;
        }
        if (bytes[at] == '\\')
            put(&out, '\\');
        for (; length > 0; length--)
            put(&out, (char)bytes[at++]);
    }
    return out.n;
}

// The value of a digit, or -1; strchr() would find the zero at the end.
static int digit(char letter)
{
    const char *found = letter != '\0' ? strchr(digits, letter) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

bool unspell(const char *text, size_t n_text, unsigned char *bytes,
             size_t *n_bytes)
{
    size_t n = 0;
    for (size_t at = 0; at < n_text; at++) {
        bytes[n] = (unsigned char)text[at];
        if (text[at] == '\\') {
            size_t left = n_text - at - 1;
            const char *next = text + at + 1;
            if (left >= 1 && next[0] == '\\') {
                at += 1;
            } else if (left >= 3 && next[0] == 'x' && digit(next[1]) >= 0
                       && digit(next[2]) >= 0) {
                bytes[n] = (unsigned char)(16 * digit(next[1])
                                           + digit(next[2]));
                at += 3;
            } else {
                return false;
            }
        }
        n++;
    }
    *n_bytes = n;
    return true;
}
