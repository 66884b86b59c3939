#include "common/json_out.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// @begin json-place
void json_out_begin(json_out *json, FILE *out)
{
    memset(json, 0, sizeof *json);
    json->out = out;
}

// Write what stands before a key or a value, and say whether one may stand
// here. In an object keys and values alternate, so the count of both says
// whose turn it is.
static bool place(json_out *json, bool is_key)
{
    if (json->depth == 0) {
        json->wrong = json->wrong || is_key || json->done;
        json->done = true;
        return !json->wrong;
    }
    size_t n = json->n_items[json->depth - 1]++;
    bool in_object = json->open[json->depth - 1] == '}';
    bool key_is_due = in_object && n % 2 == 0;
    json->wrong = json->wrong || is_key != key_is_due;
    if (json->wrong)
        return false;
    if (in_object && !is_key)
        fputs(": ", json->out);
    else if (n > 0)
        fputs(", ", json->out);
    return true;
}
// @end json-place

// @begin json-nest
static void open_with(json_out *json, char opening, char closing)
{
    if (!place(json, false))
        return;
    if (json->depth == JSON_OUT_DEPTH) {
        json->wrong = true;
        return;
    }
    fputc(opening, json->out);
    json->open[json->depth] = closing;
    json->n_items[json->depth] = 0;
    json->depth++;
}

void json_out_object(json_out *json) { open_with(json, '{', '}'); }
void json_out_array(json_out *json)  { open_with(json, '[', ']'); }
// @end json-nest

// @begin json-finish
void json_out_end(json_out *json)
{
    // A key without its value may not be closed over.
    if (json->depth == 0 || (json->open[json->depth - 1] == '}'
                             && json->n_items[json->depth - 1] % 2 != 0))
        json->wrong = true;
    if (json->wrong)
        return;
    json->depth--;
    fputc(json->open[json->depth], json->out);
}

lll_status json_out_finish(json_out *json, lll_error *err)
{
    if (json->wrong || json->depth != 0 || !json->done)
        return lll_fail(err, LLL_ERR_ARGUMENT, "JSON output: a value, a key "
                        "or an end came at the wrong place");
    fputc('\n', json->out);
    if (fflush(json->out) != 0 || ferror(json->out))
        return lll_fail(err, LLL_ERR_IO, "JSON output could not be written");
    return LLL_OK;
}
// @end json-finish

// @begin json-text
static void escaped(FILE *out, const char *bytes, size_t n)
{
    while (n > 0) {
        unsigned char c = (unsigned char)*bytes;
        int whole = printable_bytes(bytes, n);
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (whole > 0)
            fwrite(bytes, 1, (size_t)whole, out);
        else if (c < 0x80)
            fprintf(out, "\\u%04x", c);
        else if (c == 0xc2 && n > 1 && (unsigned char)bytes[1] < 0xa0
                 && (unsigned char)bytes[1] >= 0x80) {
            // 80 to 9F are well-formed, only not printable.
            fprintf(out, "\\u%04x", (unsigned char)bytes[1]);
            whole = 2;
        } else
            fputs("\\ufffd", out);
        bytes += whole > 0 ? whole : 1;
        n -= (size_t)(whole > 0 ? whole : 1);
    }
}

static void quoted(FILE *out, const char *bytes, size_t n)
{
    fputc('"', out);
    escaped(out, bytes, n);
    fputc('"', out);
}
// @end json-text

// @begin json-parts
void json_out_bytes_begin(json_out *json)
{
    if (place(json, false))
        fputc('"', json->out);
}

void json_out_bytes_part(json_out *json, const char *bytes, size_t n_bytes)
{
    if (!json->wrong)
        escaped(json->out, bytes, n_bytes);
}

void json_out_bytes_end(json_out *json)
{
    if (!json->wrong)
        fputc('"', json->out);
}
// @end json-parts

// @begin json-keys
void json_out_key_bytes(json_out *json, const char *key, size_t n_bytes)
{
    if (place(json, true))
        quoted(json->out, key, n_bytes);
}

void json_out_bytes(json_out *json, const char *bytes, size_t n_bytes)
{
    if (place(json, false))
        quoted(json->out, bytes, n_bytes);
}

void json_out_key(json_out *json, const char *key)
{
    json_out_key_bytes(json, key, strlen(key));
}

void json_out_text(json_out *json, const char *text)
{
    json_out_bytes(json, text, strlen(text));
}
// @end json-keys

// @begin json-numbers
void json_out_u64(json_out *json, uint64_t value)
{
    if (place(json, false))
        fprintf(json->out, "%" PRIu64, value);
}

void json_out_i64(json_out *json, int64_t value)
{
    if (place(json, false))
        fprintf(json->out, "%" PRId64, value);
}
// @end json-numbers

// @begin json-floats
// Without a point, "-0" would be read as an integer and lose its sign.
static bool is_minus_zero(double value)
{
    return value == 0 && signbit(value);
}

void json_out_f64(json_out *json, double value)
{
    char text[40] = "null";
    if (!place(json, false))
        return;
    // 17 digits always read back as the same double, 15 often do.
    for (int digits = 15; isfinite(value) && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(is_minus_zero(value) ? "-0.0" : text, json->out);
}

void json_out_f32(json_out *json, float value)
{
    char text[40] = "null";
    if (!place(json, false))
        return;
    for (int digits = 6; isfinite(value) && digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    fputs(is_minus_zero((double)value) ? "-0.0" : text, json->out);
}
// @end json-floats

// @begin json-words
void json_out_bool(json_out *json, bool value)
{
    if (place(json, false))
        fputs(value ? "true" : "false", json->out);
}

void json_out_null(json_out *json)
{
    if (place(json, false))
        fputs("null", json->out);
}
// @end json-words
