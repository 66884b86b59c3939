#include <stdio.h>
#include <string.h>

#include "common/json_out.h"

#include "show.h"

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
// Items at *at, which moves behind them. The depth is bounded: gguf_open()
// refused deeper nesting.
static void json_items(json_out *json, gguf_type type, uint64_t n,
                       const unsigned char **at)
{
    gguf_value items = {.item_type = type, .n_items = n, .bytes = *at};
    for (uint64_t i = 0; i < n; i++) {
        if (type == GGUF_STRING) {
            gguf_string text = gguf_next_string(at);
            json_out_bytes(json, text.bytes, text.n_bytes);
        } else if (type == GGUF_ARRAY) {
            uint32_t inner_type;
            uint64_t inner_n;
            memcpy(&inner_type, *at, sizeof inner_type);
            memcpy(&inner_n, *at + sizeof inner_type, sizeof inner_n);
            *at += sizeof inner_type + sizeof inner_n;
            json_out_array(json);
            json_items(json, (gguf_type)inner_type, inner_n, at);
            json_out_end(json);
        } else {
            json_number(json, &items, i);
        }
    }
    *at += n * gguf_type_bytes(type);
}
// @end json-items

// @begin json-value
static void json_value(json_out *json, const gguf_value *value)
{
    const unsigned char *at = value->bytes;
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
    json_items(json, value->item_type, value->n_items, &at);
    if (value->type == GGUF_ARRAY)
        json_out_end(json);
    json_out_end(json);
}
// @end json-value

// @begin json-tensor-entry
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
    json_out_key(json, "bytes");
    json_out_u64(json, tensor->n_bytes);
    if (file->n_others > 0) {
        json_out_key(json, "part");
        json_out_u64(json, tensor->part);
    }
    json_out_key(json, "at");
    json_out_u64(json, gguf_data_at(file, tensor));
    json_out_end(json);
}
// @end json-tensor-entry

// @begin json-file
lll_status json_file(const gguf_file *file, lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "path");
    json_out_text(&json, file->path);
    json_out_key(&json, "bytes");
    json_out_u64(&json, file->n_bytes);
    json_out_key(&json, "version");
    json_out_u64(&json, file->version);
    json_out_key(&json, "alignment");
    json_out_u64(&json, file->alignment);
    json_out_key(&json, "metadata");
    json_out_object(&json);
    for (size_t i = 0; i < file->n_values; i++) {
        json_out_key_bytes(&json, file->values[i].key.bytes,
                           file->values[i].key.n_bytes);
        json_value(&json, &file->values[i]);
    }
    json_out_end(&json);
    json_out_key(&json, "tensors");
    json_out_array(&json);
    for (size_t i = 0; i < file->n_tensors; i++)
        json_tensor_entry(&json, file, &file->tensors[i]);
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end json-file

// @begin json-tensor
lll_status json_tensor(const gguf_file *file, const char *name,
                       lll_error *err)
{
    json_out json;
    gguf_tensor tensor;
    double number;
    lll_status status = gguf_find_tensor(file, name, NULL, 0, &tensor, err);
    if (status != LLL_OK)
        return status;
    if (!tensor_number(&tensor, 0, &number))
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "%s: tensor %s: its "
                        "numbers are stored as %s, which chapter 7 decodes; "
                        "expected F32, F16, BF16 or F64", file->path, name,
                        dtype_name((uint32_t)tensor.type));
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "tensor");
    json_tensor_entry(&json, file, &tensor);
    json_out_key(&json, "values");
    json_out_array(&json);
    for (size_t i = 0; i < tensor.n_elements; i++) {
        tensor_number(&tensor, i, &number);
        json_out_f64(&json, number);
    }
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end json-tensor
