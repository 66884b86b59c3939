// Several models beside each other.
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "common/terminal.h"

// @begin models-open
static lll_status add_model(model_list *list, const char *path,
                            lll_error *err)
{
    model m;
    if (list->n_items == MAX_MODELS)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: expected at most %d "
                        "models", path, (int)MAX_MODELS);
    lll_status status = model_open(&m, path, err);
    if (status != LLL_OK)
        return status;
    model_config *c = &list->items[list->n_items++];
    *c = m.config;
    if (c->name[0] == '\0') {           // a file without a name has its path
        const char *slash = strrchr(path, '/');
        const char *last = slash != NULL ? slash + 1 : path;
        config_copy_name(c->name, sizeof c->name, last, strlen(last));
    }
    model_close(&m);
    return LLL_OK;
}

lll_status models_open(model_list *list, const args_list *paths,
                       lll_error *err)
{
    lll_status status = LLL_OK;
    list->n_items = 0;
    for (int i = 0; status == LLL_OK && i < paths->n_items; i++)
        status = add_model(list, paths->items[i], err);
    return status;
}
// @end models-open

// @begin models-sort
// Put the last of the list where it belongs: by parameters, then by name.
static void sort_in(model_list *list)
{
    int i = list->n_items - 1;
    model_config c = list->items[i];
    uint64_t total = config_count(&c).total;
    for (; i > 0; i--) {
        uint64_t other = config_count(&list->items[i - 1]).total;
        if (other < total || (other == total
            && strcmp(list->items[i - 1].name, c.name) <= 0))
            break;
        list->items[i] = list->items[i - 1];
    }
    list->items[i] = c;
}
// @end models-sort

// @begin models-read
lll_status models_read(model_list *list, const char *folder, lll_error *err)
{
    char path[1024];
    lll_status status = LLL_OK;
    DIR *dir = opendir(folder);
    list->n_items = 0;
    if (dir == NULL)
        return lll_fail(err, LLL_ERR_IO, "%s: cannot open it: %s; run this "
                        "in the root of the repository", folder,
                        strerror(errno));
    for (struct dirent *e; status == LLL_OK && (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n < 6 || strcmp(e->d_name + n - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        status = add_model(list, path, err);
        if (status == LLL_OK)
            sort_in(list);
    }
    closedir(dir);
    return status;
}
// @end models-read

// @begin models-list
void print_list(const model_list *list)
{
    char text[32], heads[32], name[17];
    printf("%-16s %-8s %6s %5s %6s %5s %6s %6s %5s\n", "", "family",
           "layers", "width", "heads", "ff", "tokens", "block", "batch");
    for (int i = 0; i < list->n_items; i++) {
        const model_config *c = &list->items[i];
        short_count(config_count(c).total, text, sizeof text);
        if (c->n_kv_heads == c->n_heads)
            snprintf(heads, sizeof heads, "%d", c->n_heads);
        else
            snprintf(heads, sizeof heads, "%d/%d", c->n_heads, c->n_kv_heads);
        config_copy_name(name, sizeof name, c->name, strlen(c->name));
        int n = terminal_text(stdout, name, strlen(name));
        printf("%*s %-8.8s %6d %5d %6s %5d %6d %6d %5d %5s\n", 16 - n, "",
               c->architecture, c->n_layers, c->d_model, heads, c->d_ff,
               c->vocab_size, c->context_length, c->batch_size, text);
    }
}
// @end models-list

// @begin models-rows
enum { LABEL_WIDTH = 18, COLUMN_WIDTH = 20, COLUMNS = 3 };

// One line of a table of `n` models: a label and a text for each.
typedef void cell_writer(const model_config *c, int row, char *text,
                         size_t capacity);

static void write_size(const model_config *c, int row, char *text,
                       size_t capacity)
{
    const int sizes[] = {c->n_layers, c->d_model, c->n_heads, c->n_kv_heads,
                         c->head_dim, c->d_ff, c->vocab_size,
                         c->context_length};
    snprintf(text, capacity, "%d", sizes[row]);
}

static void write_kind(const model_config *c, int row, char *text,
                       size_t capacity)
{
    const char *const kinds[] = {
        c->architecture, c->norm == NORM_RMS ? "RMS" : "layer",
        c->position == POSITION_ROTARY ? "rotary" : "learned",
        c->feed_forward == FEED_FORWARD_GATED ? "gated" : "plain",
        c->norm_bias && c->qkv_bias && c->attn_out_bias && c->ffn_bias
        ? "all" : c->norm_bias || c->qkv_bias || c->attn_out_bias
        || c->ffn_bias ? "some" : "none",
        c->tied_output ? "tied" : "not tied"};
    snprintf(text, capacity, "%s", kinds[row]);
}
// @end models-rows

// @begin models-rows-2
static void write_count(const model_config *c, int row, char *text,
                        size_t capacity)
{
    parameter_count n = config_count(c);
    const uint64_t counts[] = {n.embedding, n.positions, n.attention,
                               n.feed_forward, n.norms, n.layers,
                               n.final_norm, n.output, n.total};
    number_text(counts[row], text, capacity);
}

static void write_short(const model_config *c, int row, char *text,
                        size_t capacity)
{
    (void)row;
    short_count(config_count(c).total, text, capacity);
}
// @end models-rows-2

// @begin models-side
static const struct { const char *label; cell_writer *write; int row; }
side_rows[] = {
    {"family", write_kind, 0}, {"layers", write_size, 0},
    {"width", write_size, 1}, {"query heads", write_size, 2},
    {"key-value heads", write_size, 3}, {"numbers of a head", write_size, 4},
    {"feed-forward", write_size, 5}, {"vocabulary", write_size, 6},
    {"context", write_size, 7}, {"norms", write_kind, 1},
    {"positions", write_kind, 2}, {"feed-forward", write_kind, 3},
    {"biases", write_kind, 4}, {"output head", write_kind, 5},
    {"", NULL, 0},
    {"embeddings", write_count, 0}, {"positions", write_count, 1},
    {"a layer: attention", write_count, 2},
    {"  feed-forward", write_count, 3}, {"  norms", write_count, 4},
    {"all layers", write_count, 5}, {"final norm", write_count, 6},
    {"output head", write_count, 7}, {"total", write_count, 8},
    {"", write_short, 0},
};
// @end models-side

// @begin models-side-2
void print_side_by_side(const model_list *list)
{
    char text[64];
    for (int first = 0; first < list->n_items; first += COLUMNS) {
        int end = first + COLUMNS < list->n_items ? first + COLUMNS
                                                   : list->n_items;
        printf("%s%*s", first > 0 ? "\n" : "", LABEL_WIDTH, "");
        for (int i = first; i < end; i++) {
            char name[COLUMN_WIDTH];
            config_copy_name(name, sizeof name, list->items[i].name,
                             strlen(list->items[i].name));
            printf("%*s", COLUMN_WIDTH - (int)strlen(name), "");
            terminal_text(stdout, name, strlen(name));
        }
        printf("\n");
        for (size_t r = 0; r < sizeof side_rows / sizeof side_rows[0]; r++) {
            printf("%-*s", side_rows[r].write != NULL ? LABEL_WIDTH : 0,
                   side_rows[r].label);
            for (int i = first; side_rows[r].write != NULL && i < end; i++) {
                side_rows[r].write(&list->items[i], side_rows[r].row, text,
                                   sizeof text);
                printf("%*s", COLUMN_WIDTH, text);
            }
            printf("\n");
        }
    }
}
// @end models-side-2

// @begin models-json
lll_status print_models_json(const model_list *list, lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "models");
    json_out_array(&json);
    for (int i = 0; i < list->n_items; i++) {
        json_out_object(&json);
        json_model(&json, &list->items[i]);
        json_out_key(&json, "parameters");
        json_out_object(&json);
        json_parameters(&json, &list->items[i]);
        json_out_end(&json);
        json_out_end(&json);
    }
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end models-json
