#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// @begin error-escape
// Copy `from` into `to`, writing control characters as \xNN. A name in a
// file may hold an escape sequence that would repaint the reader's terminal.
static void copy_escaped(char *to, size_t capacity, const char *from)
{
    static const char digit[] = "0123456789abcdef";
    size_t n = 0;
    for (const char *p = from; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        int control = c < 0x20 || c == 0x7f;
        if (n + (control ? 4 : 1) >= capacity) {
            memcpy(to + capacity - 4, "...", 4);
            return;
        }
        if (control) {
            to[n++] = '\\';
            to[n++] = 'x';
            to[n++] = digit[c >> 4];
            to[n++] = digit[c & 15];
        } else {
            to[n++] = (char)c;
        }
    }
    to[n] = '\0';
}
// @end error-escape

// @begin error-fail
lll_status lll_fail(lll_error *err, lll_status code, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    // Twice the room, so that the cut is made after escaping, in one place.
    char raw[2 * sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    err->code = code;
    copy_escaped(err->text, sizeof err->text, raw);
    return code;
}
// @end error-fail
