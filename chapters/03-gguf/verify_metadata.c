#include <inttypes.h>
#include <string.h>

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
        if (!is_key(key))
            finding(r, "key %.*s: expected lower_snake_case segments with "
                    "points between them", (int)key.n_bytes, key.bytes);
    }
}
// @end verify-keys

// @begin verify-general
static const struct { const char *key; gguf_type type; } general[] = {
    {"general.architecture", GGUF_STRING},
    {"general.quantization_version", GGUF_U32},
    {"general.alignment", GGUF_U32}, {"general.file_type", GGUF_U32},
    {"general.name", GGUF_STRING}, {"general.author", GGUF_STRING},
    {"general.version", GGUF_STRING}, {"general.license", GGUF_STRING},
    {"general.description", GGUF_STRING},
};

static bool has_quantized(const gguf_file *file)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (dtype_find((uint32_t)file->tensors[i].type)->block_size > 1)
            return true;
    return false;
}
// @end verify-general

// @begin verify-general-rule
void verify_general(report *r)
{
    gguf_string name;
    for (size_t i = 0; i < sizeof general / sizeof general[0]; i++) {
        const gguf_value *value = gguf_find_value(r->file, general[i].key);
        if (value == NULL && (i == 0 || (i == 1 && has_quantized(r->file))))
            finding(r, "key %s: missing, and required", general[i].key);
        else if (value != NULL && value->type != general[i].type)
            finding(r, "key %s: found %s, expected %s", general[i].key,
                    gguf_type_name(value->type),
                    gguf_type_name(general[i].type));
    }
    if (gguf_get_string(r->file, general[0].key, &name, NULL) != LLL_OK)
        return;
    bool plain = name.n_bytes > 0;
    for (size_t i = 0; i < name.n_bytes; i++)
        plain = plain && ((name.bytes[i] >= 'a' && name.bytes[i] <= 'z')
                          || (name.bytes[i] >= '0' && name.bytes[i] <= '9'));
    if (!plain)
        finding(r, "key %s: found \"%.*s\", expected letters a to z and "
                "digits", general[0].key, (int)name.n_bytes, name.bytes);
}
// @end verify-general-rule

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

void verify_texts(report *r)
{
    for (size_t i = 0; i < r->file->n_values; i++) {
        const gguf_value *value = &r->file->values[i];
        uint64_t n = count_bad_texts(value);
        if (n > 0)
            finding(r, "key %.*s: %" PRIu64 " text%s not UTF-8",
                    (int)value->key.n_bytes, value->key.bytes, n,
                    n == 1 ? " is" : "s are");
    }
}
// @end verify-texts

// @begin verify-vocabulary
static bool is_token_id(gguf_string key)
{
    static const char begins[] = "tokenizer.ggml.", ends[] = "_token_id";
    const size_t n = sizeof begins - 1, m = sizeof ends - 1;
    return key.n_bytes > n + m && memcmp(key.bytes, begins, n) == 0
           && memcmp(key.bytes + key.n_bytes - m, ends, m) == 0;
}

void verify_vocabulary(report *r)
{
    static const char *const beside[] = {"tokenizer.ggml.scores",
                                         "tokenizer.ggml.token_type"};
    const gguf_value *tokens = gguf_find_value(r->file,
                                               "tokenizer.ggml.tokens");
    if (tokens == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        const gguf_value *list = gguf_find_value(r->file, beside[i]);
        if (list != NULL && list->n_items != tokens->n_items)
            finding(r, "key %s: found %" PRIu64 " items, expected one for "
                    "each of %" PRIu64 " tokens", beside[i], list->n_items,
                    tokens->n_items);
    }
    for (size_t i = 0; i < r->file->n_values; i++) {
        const gguf_value *value = &r->file->values[i];
        if (is_token_id(value->key) && gguf_type_bytes(value->type) > 0
            && gguf_item_u64(value, 0) >= tokens->n_items)
            finding(r, "key %.*s: found %" PRIu64 ", expected the number of "
                    "one of %" PRIu64 " tokens", (int)value->key.n_bytes,
                    value->key.bytes, gguf_item_u64(value, 0),
                    tokens->n_items);
    }
}
// @end verify-vocabulary
