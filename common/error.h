#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include "common/printable.h"      // names of strangers go into sentences

// @begin error-use
// How a function of this library says that it could not do its work.
//
//     lll_error err;
//     if (gguf_open(&file, path, &err) != LLL_OK)
//         fprintf(stderr, "%s\n", err.text);     // only main() does this
// @end error-use
//
// Taught in chapter 1.

// @begin error-status
typedef enum {
    LLL_OK = 0,
    LLL_ERR_USAGE,          // the command line is wrong: main exits with 2
    LLL_ERR_ARGUMENT,       // a value that the caller passed makes no sense
    LLL_ERR_OVERFLOW,       // a size does not fit in the type that counts it
    LLL_ERR_MEMORY,         // the machine did not give the memory
    LLL_ERR_IO,             // the system refused to open, read or write
    LLL_ERR_FORMAT,         // the bytes of a file break the file's own rules
    LLL_ERR_UNSUPPORTED,    // well formed, but not something we can do
    LLL_ERR_NOT_FOUND,      // no such key, tensor or token
    LLL_ERR_INTERRUPTED     // the user asked us to stop
} lll_status;

// The caller owns it, usually on the stack. `text` is one line of UTF-8
// without a newline and without control characters: which file, where in it,
// what was found, what was expected, and a hint where the remedy is known.
typedef struct {
    lll_status code;
    char text[512];
} lll_error;
// @end error-status

// @begin error-promise
// Record a failure and return `code`, so that `return lll_fail(...)` is the
// one way to fail.
//
// err   filled unless it is NULL; a caller that only wants the code passes
//       NULL
// fmt   as for printf. An argument may be err->text itself, to put a longer
//       sentence around an earlier one. Bytes of the result that are not
//       printable UTF-8 are written as \xNN, because names come from files
//       that strangers wrote. Of a sentence that does not fit, long words,
//       which are names and paths, lose their middle; if that is not enough
//       it ends in "..."
lll_status lll_fail(lll_error *err, lll_status code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// @end error-promise

#endif
