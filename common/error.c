#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>

// @begin error-fail
lll_status lll_fail(lll_error *err, lll_status code, const char *fmt, ...)
{
    if (err == NULL)
        return code;
    // More room, so that the cut is made after escaping, in one place.
    char raw[16 * sizeof err->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    err->code = code;
    printable_sentence(err->text, sizeof err->text, raw);
    return code;
}
// @end error-fail
