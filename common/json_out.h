#ifndef COMMON_JSON_OUT_H
#define COMMON_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"

// Writing JSON (RFC 8259) as a stream, on one line: commas, quotes and
// escapes are placed here and nowhere else.
//
//     json_out json;
//     json_out_begin(&json, stdout);
//     json_out_object(&json);
//     json_out_key(&json, "bytes");
//     json_out_u64(&json, 17179869184u);
//     json_out_end(&json);
//     status = json_out_finish(&json, &err);     // {"bytes": 17179869184}
//
// A call at the wrong place (a value where a key belongs, one `end` too
// many, nesting deeper than JSON_OUT_DEPTH) writes nothing more and is
// reported by json_out_finish(): a caller checks once.
//
// A box in chapter 1: used everywhere, explained once.

enum { JSON_OUT_DEPTH = 32 };

typedef struct {
    FILE *out;                      // borrowed
    int depth;                      // open objects and arrays
    char open[JSON_OUT_DEPTH];      // '}' or ']': what closes each
    size_t n_items[JSON_OUT_DEPTH]; // keys and values written into each
    bool done;                      // the one value at the top is complete
    bool wrong;                     // a call came at the wrong place
} json_out;

void json_out_begin(json_out *json, FILE *out);
// Ends the line and flushes.
// LLL_ERR_ARGUMENT   something was left open, or a call was out of place
// LLL_ERR_IO         the stream could not be written
lll_status json_out_finish(json_out *json, lll_error *err);

void json_out_object(json_out *json);
void json_out_array(json_out *json);
void json_out_end(json_out *json);          // of the innermost of the two
void json_out_key(json_out *json, const char *key);
// A key with any bytes, from a file say.
void json_out_key_bytes(json_out *json, const char *key, size_t n_bytes);

// Text of any bytes: control characters are escaped, and each byte that is
// not part of well-formed UTF-8 becomes U+FFFD, because JSON has no other
// bytes.
void json_out_text(json_out *json, const char *text);
void json_out_bytes(json_out *json, const char *bytes, size_t n_bytes);
// The same in parts, each of whole characters, for a text that comes slowly
// and is kept nowhere. Nothing else may come between begin and end.
void json_out_bytes_begin(json_out *json);
void json_out_bytes_part(json_out *json, const char *bytes, size_t n_bytes);
void json_out_bytes_end(json_out *json);
// Every digit of an integer is written; readers that hold numbers in double
// lose the last ones above 2^53.
void json_out_u64(json_out *json, uint64_t value);
void json_out_i64(json_out *json, int64_t value);
// The fewest of 15, 16 or 17 digits (6 to 9 for a float) that read back as
// the same number, so that 0.1 is 0.1; NaN and infinities, which JSON does
// not have, become null.
void json_out_f64(json_out *json, double value);
void json_out_f32(json_out *json, float value);
void json_out_bool(json_out *json, bool value);
void json_out_null(json_out *json);

#endif
