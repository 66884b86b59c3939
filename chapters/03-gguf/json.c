#include <stdlib.h>
#include <string.h>

#include "common/json_out.h"

#include "numbers.h"
#include "show.h"
#include "verify.h"

// @begin json-item
static void json_number(json_out *json, const gguf_value *value, uint64_t i)
{
    switch (value->item_type) {
    case GGUF_F32:
        json_out_f32(json, (float)gguf_item_f64(value, i));
        break;
    case GGUF_F64:
        json_out_f64(json, gguf_item_f64(value, i));
        break;
    case GGUF_BOOL:
        json_out_bool(json, gguf_item_i64(value, i) != 0);
        break;
    case GGUF_U64:
        json_out_u64(json, gguf_item_u64(value, i));
        break;
    default:
        json_out_i64(json, gguf_item_i64(value, i));
    }
}
// @end json-item

// @begin json-items
static void json_items(json_out *json, const gguf_value *value)
{
    const unsigned char *cursor = value->bytes;
    for (uint64_t i = 0; i < value->n_items; i++) {
        if (value->item_type == GGUF_STRING) {
            gguf_string text = gguf_next_string(&cursor);
            json_out_bytes(json, text.bytes, text.n_bytes);
        } else if (value->item_type == GGUF_ARRAY) {
            gguf_value inner = gguf_next_array(&cursor);
            json_out_array(json);
            json_items(json, &inner);
            json_out_end(json);
        } else {
            json_number(json, value, i);
        }
    }
}

void json_value(json_out *json, const gguf_value *value)
{
    json_out_object(json);
    json_out_key(json, "type");
    json_out_text(json, gguf_type_name(value->type));
    if (value->type == GGUF_ARRAY) {
        json_out_key(json, "item_type");
        json_out_text(json, gguf_type_name(value->item_type));
    }
    json_out_key(json, "value");
    if (value->type == GGUF_ARRAY)
        json_out_array(json);
    json_items(json, value);
    if (value->type == GGUF_ARRAY)
        json_out_end(json);
    json_out_end(json);
}
// @end json-items

// @begin json-tensor-entry
static void json_count(json_out *json, const char *key, uint64_t number)
{
    json_out_key(json, key);
    json_out_u64(json, number);
}

static void json_tensor_entry(json_out *json, const gguf_file *file,
                              const gguf_tensor *tensor)
{
    json_out_object(json);
    json_out_key(json, "name");
    json_out_bytes(json, tensor->name.bytes, tensor->name.n_bytes);
    json_out_key(json, "type");
    json_out_text(json, dtype_name((uint32_t)tensor->type));
    json_out_key(json, "dims");
    json_out_array(json);
    for (int i = 0; i < tensor->n_dims; i++)
        json_out_u64(json, tensor->dims[i]);
    json_out_end(json);
    json_count(json, "bytes", tensor->n_bytes);
    if (file->n_others > 0)
        json_count(json, "part", tensor->part);
    json_count(json, "at", gguf_data_at(file, tensor));
    json_out_end(json);
}
// @end json-tensor-entry

// @begin json-key
// JSON has no bytes that are not UTF-8, and two keys must stay two: such a
// byte is written as \xNN, and so is the backslash itself.
static void json_key(json_out *json, gguf_string key)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    bool plain = is_utf8(key.bytes, key.n_bytes)
                 && memchr(key.bytes, '\\', key.n_bytes) == NULL;
    char *text = plain ? NULL : malloc(4 * key.n_bytes);
    if (text == NULL) {         // without memory, as json_out writes it
        json_out_key_bytes(json, key.bytes, key.n_bytes);
        return;
    }
    for (size_t i = 0, step; i < key.n_bytes; i += step) {
        int whole = printable_bytes(key.bytes + i, key.n_bytes - i);
        unsigned char c = (unsigned char)key.bytes[i];
        step = whole > 0 ? (size_t)whole : 1;
        if (whole > 0 && c != '\\') {
            memcpy(text + n, key.bytes + i, step);
            n += step;
            continue;
        }
        const char escape[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        memcpy(text + n, escape, sizeof escape);
        n += sizeof escape;
    }
    json_out_key_bytes(json, text, n);
    free(text);
}
// @end json-key

// @begin json-file
void json_file(json_out *json, const gguf_file *file, bool metadata,
               bool tensors)
{
    json_out_object(json);
    json_out_key(json, "path");
    json_out_text(json, file->path);
    json_count(json, "bytes", file->n_bytes);
    json_count(json, "version", file->version);
    json_count(json, "alignment", file->alignment);
    if (metadata) {
        json_out_key(json, "metadata");
        json_out_object(json);
        for (size_t i = 0; i < file->n_values; i++) {
            json_key(json, file->values[i].key);
            json_value(json, &file->values[i]);
        }
        json_out_end(json);
    }
    if (tensors) {
        json_out_key(json, "tensors");
        json_out_array(json);
        for (size_t i = 0; i < file->n_tensors; i++)
            json_tensor_entry(json, file, &file->tensors[i]);
        json_out_end(json);
    }
    json_out_end(json);
}
// @end json-file

// @begin json-spread
static void json_spread(json_out *json, const gguf_tensor *tensor)
{
    size_t count[BINS];
    spread s = spread_of(tensor, count);
    const struct { const char *key; double number; } numbers[] = {
        {"minimum", s.smallest}, {"maximum", s.largest},
        {"mean", s.sum / (double)s.n_finite},
    };
    for (int i = 0; i < 3; i++) {       // null where nothing is finite
        json_out_key(json, numbers[i].key);
        json_out_f64(json, numbers[i].number);
    }
    json_count(json, "nan", s.n_nan);
    json_count(json, "infinite", s.n_infinite);
    json_out_key(json, "histogram");
    json_out_array(json);
    for (int i = 0; i < BINS; i++)
        json_out_u64(json, count[i]);
    json_out_end(json);
}
// @end json-spread

// @begin json-tensor
lll_status json_tensor(json_out *json, const gguf_file *file,
                       const char *name, lll_error *err)
{
    gguf_tensor tensor;
    double numbers[NUMBERS_AT_ONCE];
    lll_status status = find_tensor(file, name, &tensor, err);
    if (status != LLL_OK)
        return status;
    if (!numbers_known(tensor.type))
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "%s: tensor %s: its "
                        "numbers are stored as %s, expected a type that we "
                        "can decode: F32, F16, BF16, F64, Q8_0, Q4_0, Q4_1 "
                        "or whole numbers", file->path, name,
                        dtype_name((uint32_t)tensor.type));
    json_out_object(json);
    json_out_key(json, "tensor");
    json_tensor_entry(json, file, &tensor);
    json_spread(json, &tensor);
    json_out_key(json, "values");
    json_out_array(json);
    for (size_t i = 0, n; i < tensor.n_elements; i += n) {
        n = numbers_take(&tensor, i, numbers);
        for (size_t k = 0; k < n; k++)
            json_out_f64(json, numbers[k]);
    }
    json_out_end(json);
    json_out_end(json);
    return LLL_OK;
}
// @end json-tensor
