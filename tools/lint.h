// For clang-tidy alone, which sees one file at a time: the functions that
// record a failure return the code that they are given, never LLL_OK.
// tools/lint puts this in front of every file that does not define them.
#include "common/error.h"
#include "common/gguf_read.h"

#define lll_fail(err, code, ...) \
    ((void)(lll_fail)((err), (code), __VA_ARGS__), (code))
#ifndef LINT_GGUF_READ
#define gguf_fail_at(r, code, at, ...) \
    ((void)(gguf_fail_at)((r), (code), (at), __VA_ARGS__), (code))
#define gguf_too_long(r, n, what) \
    ((void)(gguf_too_long)((r), (n), (what)), LLL_ERR_FORMAT)
#endif
