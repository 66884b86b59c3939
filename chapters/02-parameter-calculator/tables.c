// Tables over many models, memories and block sizes, each number computed.
#include "chapters/02-parameter-calculator/memory.h"

#include <stdio.h>
#include <string.h>

#include "common/size.h"
#include "common/terminal.h"

// @begin tables-grid
// A table as data; it is then printed or written as JSON.
typedef enum { CELL_BYTES, CELL_NUMBER, CELL_SHORT, CELL_TEXT } cell_kind;
typedef struct {
    cell_kind kind;
    size_t number;          // SIZE_MAX: too much to count
    char text[16];          // of CELL_TEXT
} cell;

enum { MAX_ROWS = 64, MAX_COLUMNS = 7 };
typedef struct {
    int n_rows, n_columns;
    int width;              // of a column
    const char *corner;     // what the rows are
    char rows[MAX_ROWS][64], columns[MAX_COLUMNS][16];
    cell cells[MAX_ROWS][MAX_COLUMNS];
    char note[320];         // lines below
} grid;

// A new row, and its cells.
static cell *add_row(grid *g, const char *name)
{
    snprintf(g->rows[g->n_rows], sizeof g->rows[0], "%s", name);
    return g->cells[g->n_rows++];
}

static void add_column(grid *g, const char *name)
{
    snprintf(g->columns[g->n_columns++], sizeof g->columns[0], "%s", name);
}
// @end tables-grid

// @begin tables-print
static void cell_text(const cell *c, char *text, size_t capacity)
{
    if (c->kind == CELL_TEXT)
        snprintf(text, capacity, "%s", c->text);
    else if (c->kind == CELL_BYTES || c->number == SIZE_MAX)
        bytes_text(c->number, text, capacity);
    else if (c->kind == CELL_SHORT)
        short_count(c->number, text, capacity);
    else if (c->number == 0)
        snprintf(text, capacity, "-");
    else
        number_text(c->number, text, capacity);
}

static void print_grid(const grid *g)
{
    char text[32];
    int first = 78 - g->n_columns * g->width;
    printf("%-*s", first, g->corner);
    for (int i = 0; i < g->n_columns; i++)
        printf("%*s", g->width, g->columns[i]);
    printf("\n");
    for (int row = 0; row < g->n_rows; row++) {
        printf("%-*.*s", first, first, g->rows[row]);
        for (int i = 0; i < g->n_columns; i++) {
            cell_text(&g->cells[row][i], text, sizeof text);
            // No model that one would train is as large.
            if (strlen(text) >= (size_t)g->width)
                short_count(g->cells[row][i].number, text, sizeof text);
            printf("%*s", g->width, text);
        }
        printf("\n");
    }
    printf("%s", g->note);
}
// @end tables-print

// @begin tables-json
// A list with an object for each row.
static lll_status write_grid(const grid *g, lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_array(&json);
    for (int row = 0; row < g->n_rows; row++) {
        json_out_object(&json);
        json_out_key(&json, g->corner);
        json_out_text(&json, g->rows[row]);
        for (int i = 0; i < g->n_columns; i++) {
            const cell *c = &g->cells[row][i];
            json_out_key(&json, g->columns[i]);
            if (c->kind == CELL_TEXT)
                json_out_text(&json, c->text);
            else if (c->number == SIZE_MAX)
                json_out_null(&json);
            else
                json_out_u64(&json, c->number);
        }
        json_out_end(&json);
    }
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end tables-json

// @begin tables-models
// Published shapes of five sizes: the first two are of Brown et al. 2020,
// then Llama 3.2 and Llama 2.
enum { N_SIZES = 5 };
static const model_config sizes[N_SIZES] = {
#define GPT .architecture = "gpt2", .norm = NORM_LAYER, .norm_bias = true, \
    .position = POSITION_LEARNED, .feed_forward = FEED_FORWARD_PLAIN, \
    .qkv_bias = true, .attn_out_bias = true, .ffn_bias = true, \
    .tied_output = true, .vocab_size = 50257, .context_length = 2048, \
    .head_dim = 64, .norm_eps = 1e-5
#define LLAMA .architecture = "llama", .norm = NORM_RMS, \
    .position = POSITION_ROTARY, .feed_forward = FEED_FORWARD_GATED, \
    .norm_eps = 1e-5, .rope_theta = 1e4, .rope_scale = 1
    {GPT, .name = "125M", .n_layers = 12, .d_model = 768, .n_heads = 12,
     .n_kv_heads = 12, .d_ff = 3072},
    {GPT, .name = "350M", .n_layers = 24, .d_model = 1024, .n_heads = 16,
     .n_kv_heads = 16, .d_ff = 4096},
    {LLAMA, .name = "1B", .n_layers = 16, .d_model = 2048, .n_heads = 32,
     .n_kv_heads = 8, .head_dim = 64, .rope_dim = 64, .d_ff = 8192,
     .vocab_size = 128256, .context_length = 131072, .tied_output = true},
    {LLAMA, .name = "3B", .n_layers = 28, .d_model = 3072, .n_heads = 24,
     .n_kv_heads = 8, .head_dim = 128, .rope_dim = 128, .d_ff = 8192,
     .vocab_size = 128256, .context_length = 131072, .tied_output = true},
    {LLAMA, .name = "7B", .n_layers = 32, .d_model = 4096, .n_heads = 32,
     .n_kv_heads = 32, .head_dim = 128, .rope_dim = 128, .d_ff = 11008,
     .vocab_size = 32000, .context_length = 4096},
};
// @end tables-models

// @begin tables-hardware
// What a row says of a model; `which` is a type, or a way of training.
typedef size_t (*number_of)(const cost_question *q, int which);

static size_t count_of(const cost_question *q, int which)
{
    (void)which;
    return (size_t)config_count(q->config).total;
}

static size_t weights_of(const cost_question *q, int which)
{
    return cost_weights(q->config, stored_types[which].type);
}

static size_t run_of(const cost_question *q, int which)
{
    return advice_run_bytes(q->config, weights_of(q, which), &q->run);
}

static size_t training_of(const cost_question *q, int which)
{
    return advice_training_cost(q->config, &q->training,
                                &training_ways[which]).total;
}

// Memory is sold in powers of two, and a quarter is for everything else.
static size_t machine_for(size_t need)
{
    size_t memory = (size_t)1 << 30;
    while (memory / 4 * 3 < need && memory <= SIZE_MAX / 2)
        memory *= 2;
    return memory;
}
// @end tables-hardware

// @begin tables-hardware-rows
static void fill_hardware(grid *g, const cost_question *q)
{
    static const struct {
        const char *name;
        number_of f;
        int which;
        cell_kind kind;
        bool machine;       // the memory one needs to buy for it
    } rows[] = {
        {"parameters", count_of, 0, CELL_SHORT, false},
        {"weights, FP32", weights_of, 0, CELL_BYTES, false},
        {"  FP16", weights_of, 1, CELL_BYTES, false},
        {"  Q8", weights_of, 2, CELL_BYTES, false},
        {"  Q4", weights_of, 3, CELL_BYTES, false},
        {"running, FP32", run_of, 0, CELL_BYTES, false},
        {"  FP16", run_of, 1, CELL_BYTES, false},
        {"  Q8", run_of, 2, CELL_BYTES, false},
        {"  Q4", run_of, 3, CELL_BYTES, false},
        {"  machine for Q4", run_of, 3, CELL_BYTES, true},
        {"training", training_of, 0, CELL_BYTES, false},
        {"  checkpoints", training_of, 1, CELL_BYTES, false},
        {"  adapters over Q4", training_of, 2, CELL_BYTES, false},
        {"  machine for them", training_of, 2, CELL_BYTES, true},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        cell *cells = add_row(g, rows[row].name);
        for (int i = 0; i < N_SIZES; i++) {
            cost_question one = cost_question_for(q, &sizes[i]);
            cells[i].kind = rows[row].kind;
            cells[i].number = rows[row].f(&one, rows[row].which);
            if (rows[row].machine)
                cells[i].number = machine_for(cells[i].number);
        }
    }
}
// @end tables-hardware-rows

// @begin tables-hardware-speed
static const char *precision_name(const cost_question *q)
{
    return q->training.activations.half ? "half precision" : "floats";
}

static void fill_hardware_speed(grid *g, const cost_question *q)
{
    g->width = 12;
    g->corner = "model";
    for (int i = 0; i < N_SIZES; i++)
        add_column(g, sizes[i].name);
    fill_hardware(g, q);
    if (q->bandwidth > 0) {
        cell *cells = add_row(g, "tokens/s in Q4");
        for (int i = 0; i < N_SIZES; i++) {
            cells[i].kind = CELL_TEXT;
            snprintf(cells[i].text, sizeof cells[i].text, "%.1f",
                     q->bandwidth / cost_token_bytes(
                         &sizes[i], cost_number_bytes(&sizes[i], DTYPE_Q4_0),
                         q->run.cache_type, 0));
        }
    }
    snprintf(g->note, sizeof g->note, "running: contexts of %d, or all it "
             "has;\ntraining: %d x %d tokens, in %s\n", q->run.n_ctx,
             q->training.activations.n_batch,
             q->training.activations.n_block, precision_name(q));
}
// @end tables-hardware-speed

// @begin tables-context
static void fill_context(grid *g, const cost_question *q)
{
    // Turned positions have no end of their own; learned ones do.
    model_config c = *q->config;
    if (c.position == POSITION_ROTARY)
        c.context_length = CONFIG_MAX_DIMENSION;
    g->corner = "memory";
    g->width = 15;
    for (int i = 0; i < N_STORED_TYPES; i++)
        add_column(g, stored_types[i].name);
    for (size_t gib = 8; gib <= 128; gib *= 2) {
        char name[32];
        snprintf(name, sizeof name, "%zu GiB", gib);
        cell *cells = add_row(g, name);
        for (int i = 0; i < N_STORED_TYPES; i++) {
            size_t weights = cost_weights(&c, stored_types[i].type);
            cells[i].kind = CELL_NUMBER;
            cells[i].number = (size_t)advice_context(&c, weights, &q->run,
                                                     gib << 30);
        }
    }
    snprintf(g->note, sizeof g->note, "positions that fit beside such "
             "weights, in a cache of %s\n(the model was trained for %d)\n",
             dtype_name((uint32_t)q->run.cache_type),
             q->config->context_length);
}
// @end tables-context

// @begin tables-gpus
static void fill_gpus(grid *g, const cost_question *q,
                      const model_config *configs, int n_configs)
{
    static const size_t gib[MAX_COLUMNS] = {8, 12, 16, 24, 40, 48, 80};
    char texts[32] = "--list or 8";
    if (q->n_texts > 0)
        snprintf(texts, sizeof texts, "%d", q->n_texts);
    g->corner = "memory in GiB";
    g->width = 8;
    for (int i = 0; i < MAX_COLUMNS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", gib[i]);
        add_column(g, name);
    }
    for (int row = 0; row < n_configs && row < MAX_ROWS; row++) {
        const model_config *c = &configs[row];
        cost_question one = cost_question_for(q, c);
        cell *cells = add_row(g, c->name);
        for (int i = 0; i < MAX_COLUMNS; i++) {
            const stored_type *best = advice_type(c, &one.run, gib[i] << 30);
            const training_way *way = advice_training(c, &one.training,
                                                      gib[i] << 30);
            cells[i] = (cell){CELL_TEXT, 0, "-"};
            if (best != NULL)
                snprintf(cells[i].text, sizeof cells[i].text, "%d %s",
                         best->bits, way == NULL ? "-" : way->mark);
        }
    }
    snprintf(g->note, sizeof g->note, "bits of the most exact weights that "
             "run, with %d positions or all it has;\nand how one can train: "
             "all weights, with checkpoints, or low-rank adapters,\nin %s; "
             "batches of %s, blocks of %d or all it has\n", q->run.n_ctx,
             precision_name(q), texts, q->training.activations.n_block);
}
// @end tables-gpus

// @begin tables-block
static void fill_block(grid *g, const cost_question *q)
{
    static const char *const names[] = {"parameters", "linear", "square",
                                        "together", "checkpoints"};
    g->corner = "block";
    g->width = 14;
    for (int i = 0; i < 5; i++)
        add_column(g, names[i]);
    for (int n = 256; n <= 8192; n *= 2) {
        char name[16];
        model_config c = *q->config;
        training_request r = q->training;
        r.activations.n_block = c.context_length = n;
        r.activations.checkpoint = false;
        activation_memory whole = cost_training(&c, &r).kept;
        r.activations.checkpoint = true;
        activation_memory kept = cost_training(&c, &r).kept;
        snprintf(name, sizeof name, "%d", n);
        cell *cells = add_row(g, name);
        cells[0] = (cell){CELL_NUMBER, (size_t)config_count(&c).total, ""};
        cells[1].number = whole.linear;
        cells[2].number = whole.square;
        cells[3].number = size_plus(whole.linear, whole.square);
        cells[4].number = size_plus(kept.linear, kept.square);
    }
    snprintf(g->note, sizeof g->note, "activations of a batch of %d\n",
             q->training.activations.n_batch);
}
// @end tables-block

// @begin tables-activations
static void add_kept(grid *g, const char *name, const char *where,
                     size_t bytes)
{
    cell *cells = add_row(g, name);
    cells[0].kind = CELL_TEXT;
    snprintf(cells[0].text, sizeof cells[0].text, "%s", where);
    cells[1] = (cell){CELL_BYTES, bytes, ""};
    cells[2] = (cell){CELL_NUMBER, bytes, ""};
}

static void fill_activations(grid *g, const cost_question *q)
{
    activation_memory m = cost_training(q->config, &q->training).kept;
    g->corner = "kept";
    g->width = 17;
    add_column(g, "where");
    add_column(g, "size");
    add_column(g, "bytes");
    for (int i = 0; i < KEPT_PARTS; i++)
        if (m.bytes[i] > 0)
            add_kept(g, kept_part_name((kept_part)i), i < KEPT_LAYER_PARTS
                     ? "in each layer" : "at the end", m.bytes[i]);
    add_kept(g, "linear", "all at once", m.linear);
    add_kept(g, "square", "all at once", m.square);
    snprintf(g->note, sizeof g->note, "%d layers, %d x %d tokens%s\n",
             q->config->n_layers, q->training.activations.n_batch,
             q->training.activations.n_block,
             q->training.activations.checkpoint ? ", with checkpoints" : "");
}
// @end tables-activations

// @begin tables-choose
lll_status print_table(const char *name, const cost_question *q,
                       const model_config *configs, int n_configs, bool json,
                       lll_error *err)
{
    grid g = {0};
    if (strcmp(name, "hardware") == 0)
        fill_hardware_speed(&g, q);
    else if (strcmp(name, "context") == 0)
        fill_context(&g, q);
    else if (strcmp(name, "gpus") == 0)
        fill_gpus(&g, q, configs, n_configs);
    else if (strcmp(name, "block-size") == 0)
        fill_block(&g, q);
    else if (strcmp(name, "activations") == 0)
        fill_activations(&g, q);
    else
        return lll_fail(err, LLL_ERR_USAGE, "--table %s: expected hardware, "
                        "context, gpus, block-size or activations", name);
    if (json)
        return write_grid(&g, err);
    print_grid(&g);
    return LLL_OK;
}
// @end tables-choose
