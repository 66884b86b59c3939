#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/size.h"
#include "common/terminal.h"

#include "show.h"

// @begin label-value
// One item of a number type, as text.
static void print_number(const gguf_value *value, uint64_t i)
{
    switch (value->item_type) {
    case GGUF_F32:
        printf("%.7g", gguf_item_f64(value, i));
        break;
    case GGUF_F64:
        printf("%.16g", gguf_item_f64(value, i));
        break;
    case GGUF_BOOL:
        fputs(gguf_item_i64(value, i) != 0 ? "true" : "false", stdout);
        break;
    case GGUF_U64:              // may exceed what an int64_t holds
        printf("%" PRIu64, gguf_item_u64(value, i));
        break;
    default:
        printf("%" PRId64, gguf_item_i64(value, i));
    }
}

static void print_string(gguf_string text, size_t most)
{
    size_t n = text.n_bytes;
    if (n > most) {
        // Not in the middle of a character: 10xxxxxx continues one.
        for (n = most; n > 0 && (text.bytes[n] & 0xc0) == 0x80; n--)
            continue;
    }
    terminal_text(stdout, text.bytes, n);
    if (n < text.n_bytes)
        printf("...");
}
// @end label-value

// @begin label-print-value
// The value in a line: all of a number, the beginning of anything long.
static void print_value(const gguf_value *value)
{
    const unsigned char *cursor = value->bytes;
    uint64_t n = value->n_items < 5 ? value->n_items : 5;
    if (value->type == GGUF_ARRAY)
        printf("%" PRIu64 " x %s: ", value->n_items,
               gguf_type_name(value->item_type));
    if (value->item_type == GGUF_ARRAY)
        n = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            printf(", ");
        if (value->item_type == GGUF_STRING)
            print_string(gguf_next_string(&cursor),
                         value->type == GGUF_ARRAY ? 8 : 56);
        else
            print_number(value, i);
    }
    printf(n < value->n_items ? " ...\n" : "\n");
}
// @end label-print-value

// @begin label-metadata
void show_metadata(const gguf_file *file)
{
    for (size_t i = 0; i < file->n_values; i++) {
        const gguf_value *value = &file->values[i];
        int columns = terminal_text(stdout, value->key.bytes,
                                    value->key.n_bytes);
        printf("%*s %-6s ", columns < 40 ? 40 - columns : 0, "",
               gguf_type_name(value->type));
        print_value(value);
    }
}

// "576 x 49152", in the order of the file.
static void dims_of(const gguf_tensor *tensor, char *text, size_t capacity)
{
    shape_text(tensor->dims, tensor->n_dims, text, capacity);
}

void show_tensors(const gguf_file *file)
{
    printf("%-26s %-6s %-19s %11s %11s\n", "name", "type",
           "dims, fastest first", "bytes", "from byte");
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        char dims[80], bytes[32];
        dims_of(tensor, dims, sizeof dims);
        number_text(tensor->n_bytes, bytes, sizeof bytes);
        int columns = terminal_text(stdout, tensor->name.bytes,
                                    tensor->name.n_bytes);
        printf("%*s %-6s %-19s %11s %11zu\n",
               columns < 26 ? 26 - columns : 0, "",
               dtype_name((uint32_t)tensor->type), dims, bytes,
               gguf_data_at(file, tensor));
    }
}
// @end label-metadata

// @begin label-line
// "what      the value of the key", where the file has it; of the tokens
// their number.
static void line(const gguf_file *file, const char *what, const char *key)
{
    const gguf_value *value = gguf_find_value(file, key);
    if (value == NULL)
        return;
    printf("%-18s ", what);
    if (value->type == GGUF_ARRAY
        && strcmp(key, "tokenizer.ggml.tokens") == 0)
        printf("%" PRIu64 "\n", value->n_items);
    else
        print_value(value);
}

// The same for a key that begins with the architecture: "llama.block_count".
static void model_line(const gguf_file *file, const char *what,
                       const char *key)
{
    gguf_string name;
    char full[128];
    if (gguf_get_string(file, "general.architecture", &name, NULL) != LLL_OK
        || name.n_bytes > 60)
        return;
    snprintf(full, sizeof full, "%.*s.%s", (int)name.n_bytes, name.bytes,
             key);
    line(file, what, full);
}
// @end label-line

// @begin label-types
// How many tensors there are of each type, and what share of the bytes.
static void types_table(const gguf_file *file, bool color)
{
    size_t count[DTYPE_COUNT] = {0}, bytes[DTYPE_COUNT] = {0}, total = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        count[file->tensors[i].type]++;
        bytes[file->tensors[i].type] += file->tensors[i].n_bytes;
        total += file->tensors[i].n_bytes;
    }
    for (int t = 0; t < DTYPE_COUNT; t++) {
        char human[32];
        if (count[t] == 0)
            continue;
        size_text(bytes[t], human, sizeof human);
        printf("  %-8s %5zu tensor%s %12s  ", dtype_name((uint32_t)t),
               count[t], count[t] == 1 ? " " : "s", human);
        terminal_bar(stdout, color, (double)bytes[t] / (double)total, 30);
        printf("%5.1f %%\n", 100.0 * (double)bytes[t] / (double)total);
    }
}
// @end label-types

// @begin label
static void header_lines(const gguf_file *file, bool color)
{
    uint64_t numbers = 0;
    char exact[32], human[32], count[32];
    for (size_t i = 0; i < file->n_tensors; i++)
        numbers += file->tensors[i].n_elements;
    number_text(file->n_bytes, exact, sizeof exact);
    size_text(file->n_bytes, human, sizeof human);
    count_text(numbers, count, sizeof count);
    terminal_bold(stdout, color, file->path);
    printf("\n%-18s %s bytes (%s), GGUF version %" PRIu32 "\n", "file", exact,
           human, file->version);
    printf("%-18s %zu metadata entries, %zu tensors, aligned to %" PRIu32
           " bytes\n", "lists", file->n_values, file->n_tensors,
           file->alignment);
    number_text(numbers, exact, sizeof exact);
    printf("%-18s %s (%s)\n", "numbers", exact, count);
}
// @end label

// @begin label-show
void show_label(const gguf_file *file)
{
    bool color = terminal_color(stdout);
    header_lines(file, color);
    line(file, "name", "general.name");
    line(file, "architecture", "general.architecture");
    line(file, "licence", "general.license");
    model_line(file, "layers", "block_count");
    model_line(file, "d_model", "embedding_length");
    model_line(file, "d_ff", "feed_forward_length");
    model_line(file, "query heads", "attention.head_count");
    model_line(file, "key heads", "attention.head_count_kv");
    model_line(file, "context", "context_length");
    model_line(file, "RoPE base", "rope.freq_base");
    line(file, "tokenizer", "tokenizer.ggml.model");
    line(file, "tokens", "tokenizer.ggml.tokens");
    if (file->n_tensors > 0)
        printf("stored as\n");
    types_table(file, color);
}
// @end label-show
