#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/terminal.h"

#include "show.h"

// @begin hex-json
enum { ROW = 8 };

static void json_field(json_out *json, const unsigned char *bytes, size_t at,
                       size_t n, const char *meaning)
{
    static const char digits[] = "0123456789abcdef";
    char text[4 * ROW + 1];
    size_t most = n > 2 * ROW ? 2 * ROW : n;
    for (size_t i = 0; i < most; i++) {
        text[2 * i] = digits[bytes[at + i] >> 4];
        text[2 * i + 1] = digits[bytes[at + i] & 15];
    }
    json_out_object(json);
    json_out_key(json, "at");
    json_out_u64(json, at);
    json_out_key(json, "bytes");
    json_out_u64(json, n);
    json_out_key(json, "hex");
    json_out_bytes(json, text, 2 * most);
    json_out_key(json, "meaning");
    json_out_text(json, meaning);
    json_out_end(json);
}
// @end hex-json

// @begin hex-field
typedef struct {
    const gguf_file *file;
    json_out *json;             // NULL for text
} dump;

// n bytes from `at` on, at most two rows of them, and what they mean.
static void field(const dump *d, size_t at, size_t n, const char *meaning)
{
    const unsigned char *bytes = d->file->map.bytes;
    size_t most = n > 2 * ROW ? 2 * ROW : n;
    if (d->json != NULL) {
        json_field(d->json, bytes, at, n, meaning);
        return;
    }
    for (size_t i = 0; i < most; i += ROW) {
        printf("%8zu  ", at + i);
        for (size_t j = i; j < i + ROW; j++) {
            if (j < most)
                printf("%02x ", bytes[at + j]);
            else
                printf("   ");
        }
        putchar(' ');
        for (size_t j = i; j < i + ROW; j++) {
            unsigned char c = j < most ? bytes[at + j] : ' ';
            putchar(c >= 0x20 && c < 0x7f ? c : '.');
        }
        printf("  %s", i == 0 ? meaning : n > most ? "..." : "");
        putchar('\n');
    }
}
// @end hex-field

// @begin hex-number
static void number_field(const dump *d, size_t at, size_t n,
                         const char *meaning)
{
    uint64_t number = 0;
    char text[80];
    memcpy(&number, d->file->map.bytes + at, n);
    snprintf(text, sizeof text, "%s: %" PRIu64, meaning, number);
    field(d, at, n, text);
}
// @end hex-number

// @begin hex-lists
static void entry(const dump *d, const gguf_value *value)
{
    size_t key = (size_t)((const unsigned char *)value->key.bytes
                          - d->file->map.bytes);
    size_t bytes = (size_t)(value->bytes - d->file->map.bytes);
    size_t type = key + value->key.n_bytes;
    char text[48], number[32];
    number_field(d, key - 8, 8, "length of the key");
    field(d, key, value->key.n_bytes, "the key");
    snprintf(text, sizeof text, "type of the value: %s",
             gguf_type_name(value->type));
    field(d, type, 4, text);
    if (value->type == GGUF_ARRAY) {
        snprintf(text, sizeof text, "type of its items: %s",
                 gguf_type_name(value->item_type));
        field(d, type + 4, 4, text);
        number_field(d, type + 8, 8, "how many items");
    } else if (value->type == GGUF_STRING) {
        const unsigned char *cursor = value->bytes;
        gguf_string string = gguf_next_string(&cursor);
        number_field(d, bytes, 8, "length of the text");
        field(d, bytes + 8, string.n_bytes, "the text");
    } else {
        item_text(value, 0, number);
        snprintf(text, sizeof text, "the value: %s", number);
        field(d, bytes, gguf_type_bytes(value->type), text);
    }
}
// @end hex-lists

// @begin hex-tensor
static void tensor_entry(const dump *d, const gguf_tensor *tensor)
{
    size_t name = (size_t)((const unsigned char *)tensor->name.bytes
                           - d->file->map.bytes);
    size_t at = name + tensor->name.n_bytes;
    number_field(d, name - 8, 8, "length of the name");
    field(d, name, tensor->name.n_bytes, "the tensor's name");
    number_field(d, at, 4, "dimensions");
    for (int i = 0; i < tensor->n_dims; i++)
        number_field(d, at + 4 + 8 * (size_t)i, 8,
                     i == 0 ? "numbers in a row" : "of those");
    at += 4 + 8 * (size_t)tensor->n_dims;
    number_field(d, at, 4, dtype_name((uint32_t)tensor->type));
    number_field(d, at + 4, 8, "offset in the data");
}
// @end hex-tensor

// @begin hex-padding
// Bytes between the lists and the next multiple of the alignment.
static size_t padding(const gguf_file *file)
{
    return (file->alignment - file->lists_end % file->alignment)
           % file->alignment;
}
// @end hex-padding

// @begin hex
static void lists(const dump *d)
{
    const gguf_file *file = d->file;
    field(d, 0, 4, "every GGUF file begins so");
    number_field(d, 4, 4, "version");
    number_field(d, 8, 8, "tensors");
    number_field(d, 16, 8, "metadata entries");
    for (size_t i = 0; i < file->n_values && i < 2; i++)
        entry(d, &file->values[i]);
    if (file->n_values > 2 && d->json == NULL)
        printf("     ...  and %zu entries more\n", file->n_values - 2);
    if (file->n_tensors == 0 || file->tensors[0].part > 0)
        return;
    tensor_entry(d, &file->tensors[0]);
    if (file->n_tensors > 1 && d->json == NULL)
        printf("     ...  and %zu tensors more\n", file->n_tensors - 1);
    size_t n = file->tensors[0].n_bytes;
    size_t end = file->lists_end, gap = padding(file);
    if (gap > 0)
        field(d, end, gap, "padding");
    field(d, gguf_data_at(file, &file->tensors[0]), n < ROW ? n : ROW,
          "the first tensor's numbers ...");
}

void show_hex(const gguf_file *file, json_out *json)
{
    const dump d = {file, json};
    if (json != NULL)
        json_out_array(json);
    lists(&d);
    if (json != NULL)
        json_out_end(json);
}
// @end hex
