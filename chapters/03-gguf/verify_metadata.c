#include <inttypes.h>

#include "verify.h"

// @begin verify-keys
// "general.name", "llama.rope.freq_base": segments of a-z, 0-9 and '_',
// divided by single points.
static bool is_key(gguf_string key)
{
    char before = '.';
    for (size_t i = 0; i < key.n_bytes; i++) {
        char c = key.bytes[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                      || c == '_';
        if (!letter && (c != '.' || before == '.'))
            return false;
        before = c;
    }
    return before != '.';
}

void verify_keys(report *r)
{
    for (size_t i = 0; i < r->file->n_values; i++) {
        gguf_string key = r->file->values[i].key;
        char shown[NAME_TEXT];
        if (!is_key(key))
            finding(r, "key %s: expected lower_snake_case segments with "
                    "points between them",
                    name_text(key.bytes, key.n_bytes, shown));
    }
}
// @end verify-keys

// @begin verify-texts
// Texts in the value, and in the arrays in it, that are not UTF-8.
static uint64_t count_bad_texts(const gguf_value *value)
{
    const unsigned char *cursor = value->bytes;
    uint64_t n_bad = 0;
    if (value->item_type != GGUF_STRING && value->item_type != GGUF_ARRAY)
        return 0;
    for (uint64_t i = 0; i < value->n_items; i++) {
        if (value->item_type == GGUF_STRING) {
            gguf_string text = gguf_next_string(&cursor);
            n_bad += !is_utf8(text.bytes, text.n_bytes);
        } else {
            gguf_value inner = gguf_next_array(&cursor);
            n_bad += count_bad_texts(&inner);
        }
    }
    return n_bad;
}
// @end verify-texts

// @begin verify-each
// A finding for each value in which `count` counts something.
static void report_each(report *r, uint64_t (*count)(const gguf_value *),
                        const char *one, const char *many)
{
    for (size_t i = 0; i < r->file->n_values; i++) {
        const gguf_value *value = &r->file->values[i];
        uint64_t n = count(value);
        char shown[NAME_TEXT];
        if (n > 0)
            finding(r, "key %s: %" PRIu64 " %s",
                    name_text(value->key.bytes, value->key.n_bytes, shown),
                    n, n == 1 ? one : many);
    }
}

void verify_texts(report *r)
{
    report_each(r, count_bad_texts, "text is not UTF-8",
                "texts are not UTF-8");
}
// @end verify-each

// @begin verify-reals
// Numbers in the value, and in the arrays in it, that are NaN or infinite.
static uint64_t count_unsound(const gguf_value *value)
{
    const unsigned char *cursor = value->bytes;
    gguf_type type = value->item_type;
    uint64_t n_bad = 0;
    if (type != GGUF_F32 && type != GGUF_F64 && type != GGUF_ARRAY)
        return 0;
    for (uint64_t i = 0; i < value->n_items; i++) {
        if (type == GGUF_ARRAY) {
            gguf_value inner = gguf_next_array(&cursor);
            n_bad += count_unsound(&inner);
            continue;
        }
        // The getters make 0 of a NaN, so the exponent is looked at.
        const unsigned char *top = value->bytes
                                   + (i + 1) * gguf_type_bytes(type) - 2;
        unsigned full = type == GGUF_F32 ? 0x7f80 : 0x7ff0;
        n_bad += ((unsigned)(top[1] << 8 | top[0]) & full) == full;
    }
    return n_bad;
}

void verify_reals(report *r)
{
    report_each(r, count_unsound, "number is NaN or infinite",
                "numbers are NaN or infinite");
}
// @end verify-reals
