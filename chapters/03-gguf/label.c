#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"
#include "common/terminal.h"

#include "show.h"

// @begin label-metadata
void show_metadata(const gguf_file *file)
{
    for (size_t i = 0; i < file->n_values; i++) {
        const gguf_value *value = &file->values[i];
        int columns = terminal_text(stdout, value->key.bytes,
                                    value->key.n_bytes);
        printf("%*s %-6s ", columns < 34 ? 34 - columns : 0, "",
               gguf_type_name(value->type));
        print_value(value, 34);
        putchar('\n');
    }
}

// @end label-metadata

// @begin label-tensors
void show_tensors(const gguf_file *file)
{
    printf("%-26s %-6s %-19s %11s %11s\n", "name", "type",
           "dims, fastest first", "bytes", "from byte");
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        char dims[80], bytes[32];
        shape_text(tensor->dims, tensor->n_dims, dims, sizeof dims);
        number_text(tensor->n_bytes, bytes, sizeof bytes);
        int columns = terminal_text(stdout, tensor->name.bytes,
                                    tensor->name.n_bytes);
        printf("%*s %-6s %-19s %11s %11zu\n",
               columns < 26 ? 26 - columns : 0, "",
               dtype_name((uint32_t)tensor->type), dims, bytes,
               gguf_data_at(file, tensor));
    }
}
// @end label-tensors

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
        printf("%" PRIu64, value->n_items);
    else
        print_value(value, 54);
    putchar('\n');
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

// @begin label-share
typedef struct { const char *name; size_t count, bytes; } share;

static int by_bytes(const void *a, const void *b)
{
    const share *x = a, *y = b;
    return (y->bytes > x->bytes) - (y->bytes < x->bytes);
}

static void show_share(const share *row, size_t total, bool color)
{
    char human[32];
    double part = (double)row->bytes / (double)total;
    size_text(row->bytes, human, sizeof human);
    printf("  %-8s %5zu tensor%s %12s  ", row->name, row->count,
           row->count == 1 ? " " : "s", human);
    terminal_bar(stdout, color, part, 30);
    printf("%6.1f %%\n", 100 * part);
}
// @end label-share

// @begin label-types
// How many tensors there are of each type, and what share of the bytes: the
// four largest and the others, so that the label stays on one screen.
static void types_table(const gguf_file *file, bool color)
{
    enum { ROWS = 5 };
    share rows[DTYPE_COUNT] = {{0}};
    size_t total = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        share *row = &rows[file->tensors[i].type];
        row->name = dtype_name((uint32_t)file->tensors[i].type);
        row->count++;
        row->bytes += file->tensors[i].n_bytes;
        total += file->tensors[i].n_bytes;
    }
    qsort(rows, DTYPE_COUNT, sizeof *rows, by_bytes);
    for (int t = ROWS; rows[ROWS].count > 0 && t < DTYPE_COUNT; t++) {
        rows[ROWS - 1].name = "others";
        rows[ROWS - 1].count += rows[t].count;
        rows[ROWS - 1].bytes += rows[t].bytes;
    }
    for (int t = 0; t < ROWS && rows[t].count > 0; t++)
        show_share(&rows[t], total, color);
}
// @end label-types

// @begin label
// The end of a long path says more than its beginning.
static void path_line(const char *path, bool color)
{
    char text[77];
    size_t length = strlen(path), most = sizeof text - 4;
    snprintf(text, sizeof text, "%s%s", length > most ? "..." : "",
             length > most ? path + length - most : path);
    if (color)
        fputs("\033[1m", stdout);
    terminal_text(stdout, text, strlen(text));
    fputs(color ? "\033[0m\n" : "\n", stdout);
}

static void header_lines(const gguf_file *file)
{
    uint64_t numbers = 0;
    char exact[32], human[32], count[32];
    for (size_t i = 0; i < file->n_tensors; i++)
        numbers += file->tensors[i].n_elements;
    number_text(file->n_bytes, exact, sizeof exact);
    size_text(file->n_bytes, human, sizeof human);
    count_text(numbers, count, sizeof count);
    printf("%-18s %s bytes (%s), GGUF version %" PRIu32, "file", exact,
           human, file->version);
    if (file->n_others > 0)
        printf(", %zu parts", file->n_others + 1);
    printf("\n%-18s %zu metadata entries, %zu tensors, aligned to %" PRIu32
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
    path_line(file->path, color);
    header_lines(file);
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
