#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/terminal.h"

#include "show.h"

// @begin hex-field
enum { ROW = 8 };

// n bytes from `at` on, at most two rows of them, and what they mean.
static void field(const gguf_file *file, size_t at, size_t n,
                  const char *meaning)
{
    size_t most = n > 2 * ROW ? 2 * ROW : n;
    for (size_t i = 0; i < most; i += ROW) {
        printf("%8zu  ", at + i);
        for (size_t j = i; j < i + ROW; j++) {
            if (j < most)
                printf("%02x ", file->map.bytes[at + j]);
            else
                printf("   ");
        }
        putchar(' ');
        for (size_t j = i; j < i + ROW; j++) {
            unsigned char c = j < most ? file->map.bytes[at + j] : ' ';
            putchar(c >= 0x20 && c < 0x7f ? c : '.');
        }
        printf("  %s", i == 0 ? meaning : n > most ? "..." : "");
        putchar('\n');
    }
}

static void number_field(const gguf_file *file, size_t at, size_t n,
                         const char *meaning)
{
    uint64_t number = 0;
    char text[80];
    memcpy(&number, file->map.bytes + at, n);
    snprintf(text, sizeof text, "%s: %" PRIu64, meaning, number);
    field(file, at, n, text);
}
// @end hex-field

// @begin hex-lists
static void entry(const gguf_file *file, const gguf_value *value)
{
    size_t key = (size_t)((const unsigned char *)value->key.bytes
                          - file->map.bytes);
    size_t bytes = (size_t)(value->bytes - file->map.bytes);
    size_t type = key + value->key.n_bytes;
    char text[40];
    number_field(file, key - 8, 8, "length of the key");
    field(file, key, value->key.n_bytes, "the key");
    snprintf(text, sizeof text, "type of the value: %s",
             gguf_type_name(value->type));
    field(file, type, 4, text);
    if (value->type == GGUF_ARRAY) {
        snprintf(text, sizeof text, "type of its items: %s",
                 gguf_type_name(value->item_type));
        field(file, type + 4, 4, text);
        number_field(file, type + 8, 8, "how many items");
    } else if (value->type == GGUF_STRING) {
        const unsigned char *cursor = value->bytes;
        gguf_string string = gguf_next_string(&cursor);
        number_field(file, bytes, 8, "length of the text");
        field(file, bytes + 8, string.n_bytes, "the text");
    } else {
        field(file, bytes, gguf_type_bytes(value->type), "the value");
    }
}
// @end hex-lists

// @begin hex-tensor
static void tensor_entry(const gguf_file *file, const gguf_tensor *tensor)
{
    size_t name = (size_t)((const unsigned char *)tensor->name.bytes
                           - file->map.bytes);
    size_t at = name + tensor->name.n_bytes;
    number_field(file, name - 8, 8, "length of the name");
    field(file, name, tensor->name.n_bytes, "the tensor's name");
    number_field(file, at, 4, "dimensions");
    for (int i = 0; i < tensor->n_dims; i++)
        number_field(file, at + 4 + 8 * (size_t)i, 8,
                     i == 0 ? "numbers in a row" : "of those");
    at += 4 + 8 * (size_t)tensor->n_dims;
    number_field(file, at, 4, dtype_name((uint32_t)tensor->type));
    number_field(file, at + 4, 8, "offset in the data");
}
// @end hex-tensor

// @begin hex
void show_hex(const gguf_file *file)
{
    field(file, 0, 4, "every GGUF file begins so");
    number_field(file, 4, 4, "version");
    number_field(file, 8, 8, "tensors");
    number_field(file, 16, 8, "metadata entries");
    for (size_t i = 0; i < file->n_values && i < 2; i++)
        entry(file, &file->values[i]);
    if (file->n_values > 2)
        printf("     ...  and %zu entries more\n", file->n_values - 2);
    if (file->n_tensors == 0)
        return;
    tensor_entry(file, &file->tensors[0]);
    if (file->n_tensors > 1)
        printf("     ...  and %zu tensors more\n", file->n_tensors - 1);
    const unsigned char *data = file->tensors[0].data;
    size_t n = file->tensors[0].n_bytes;
    field(file, (size_t)(data - file->map.bytes), n < ROW ? n : ROW,
          "the first tensor's numbers ...");
}
// @end hex
