// Tables over many models, memories and block sizes, each number computed.
#include "chapters/02-parameter-calculator/memory.h"

#include <stdio.h>
#include <string.h>

#include "common/size.h"
#include "common/terminal.h"

static const size_t GIB = (size_t)1 << 30;

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
// A row of the table of hardware: bytes that depend on the model.
typedef size_t (*bytes_of)(const cost_question *q, int row);

static size_t weights_bytes(const cost_question *q, int row)
{
    return cost_weights(q->config, stored_types[row].type);
}

static size_t run_bytes(const cost_question *q, int row)
{
    return advice_run_bytes(q->config, stored_types[row].type, &q->run);
}

static size_t train_bytes(const cost_question *q, int row)
{
    return advice_training_cost(q->config, &q->training,
                                &training_ways[row]).total;
}

static void bytes_row(const cost_question *q, const char *name, bytes_of f,
                      int row)
{
    printf("%-18s", name);
    for (int i = 0; i < N_SIZES; i++) {
        char text[32];
        cost_question one = cost_question_for(q, &sizes[i]);
        bytes_text(f(&one, row), text, sizeof text);
        printf("%12s", text);
    }
    printf("\n");
}
// @end tables-hardware

// @begin tables-hardware-print
static void print_hardware(const cost_question *q)
{
    static const struct { const char *name; bytes_of f; int row; } rows[] = {
        {"weights, FP32", weights_bytes, 0},
        {"  FP16", weights_bytes, 1}, {"  Q8", weights_bytes, 2},
        {"  Q4", weights_bytes, 3}, {"running, FP32", run_bytes, 0},
        {"  FP16", run_bytes, 1}, {"  Q8", run_bytes, 2},
        {"  Q4", run_bytes, 3}, {"training", train_bytes, 0},
        {"  checkpoints", train_bytes, 1},
        {"  adapters over Q4", train_bytes, 2},
    };
    char text[32];
    printf("%-18s", "model");
    for (int i = 0; i < N_SIZES; i++)
        printf("%12s", sizes[i].name);
    printf("\n%-18s", "parameters");
    for (int i = 0; i < N_SIZES; i++) {
        count_text(config_count(&sizes[i]).total, text, sizeof text);
        printf("%12s", text);
    }
    printf("\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        bytes_row(q, rows[i].name, rows[i].f, rows[i].row);
    if (q->bandwidth > 0)
        printf("%-18s", "tokens/s in Q4");
    for (int i = 0; i < N_SIZES && q->bandwidth > 0; i++)
        printf("%12.1f", q->bandwidth / cost_token_bytes(
                   &sizes[i], stored_number_bytes(DTYPE_Q4_0),
                   q->run.cache_type, 0));
    printf("%srunning: contexts of %d; training: %d x %d tokens\n",
           q->bandwidth > 0 ? "\n" : "", q->run.n_ctx,
           cost_question_for(q, &sizes[0]).training.activations.n_batch,
           q->training.activations.n_block);
}
// @end tables-hardware-print

// @begin tables-context
static void print_context(const cost_question *q)
{
    // Turned positions have no end of their own; learned ones do.
    model_config c = *q->config;
    if (c.position == POSITION_ROTARY)
        c.context_length = CONFIG_MAX_DIMENSION;
    printf("positions that fit, beside weights in\n%-10s", "memory");
    for (int i = 0; i < N_STORED_TYPES; i++)
        printf("%14s", stored_types[i].name);
    printf("\n");
    for (size_t gib = 8; gib <= 128; gib *= 2) {
        printf("%6zu GiB", gib);
        for (int i = 0; i < N_STORED_TYPES; i++) {
            char text[32];
            int n = advice_context(&c, stored_types[i].type, &q->run,
                                   gib * GIB);
            number_text((uint64_t)n, text, sizeof text);
            printf("%14s", n == 0 ? "-" : text);
        }
        printf("\n");
    }
    printf("cache of %s; the model was trained for %d positions\n",
           dtype_name((uint32_t)q->run.cache_type),
           q->config->context_length);
}
// @end tables-context

// @begin tables-gpus
static void print_gpus(const cost_question *q, const model_config *configs,
                       int n_configs)
{
    static const size_t memories[] = {8, 12, 16, 24, 40, 48, 80};
    enum { N_MEMORIES = sizeof memories / sizeof memories[0] };
    printf("%-22s", "memory in GiB");
    for (int i = 0; i < N_MEMORIES; i++)
        printf("%8zu", memories[i]);
    printf("\n");
    for (int row = 0; row < n_configs; row++) {
        cost_question one = cost_question_for(q, &configs[row]);
        printf("%-22.22s", configs[row].name);
        for (int i = 0; i < N_MEMORIES; i++) {
            char cell[16] = "-";
            const stored_type *best = advice_type(&configs[row], &one.run,
                                                  memories[i] * GIB);
            const training_way *way = advice_training(
                &configs[row], &one.training, memories[i] * GIB);
            if (best != NULL)
                snprintf(cell, sizeof cell, "%d %s", best->bits,
                         way == NULL ? "-" : way->mark);
            printf("%8s", cell);
        }
        printf("\n");
    }
    printf("bits of the most exact weights that run, with %d positions or "
           "all it has;\nand how one can train: all weights, with "
           "checkpoints, or low-rank adapters\n", q->run.n_ctx);
}
// @end tables-gpus

// @begin tables-block
static void print_block(const cost_question *q)
{
    char text[5][32];
    printf("%8s %16s %13s %12s %12s %12s\n", "block", "parameters",
           "linear", "square", "together", "checkpoints");
    for (int n = 256; n <= 8192; n *= 2) {
        model_config c = *q->config;
        activation_request r = q->training.activations;
        r.n_block = c.context_length = n;
        r.checkpoint = false;
        activation_memory whole = activations_plan(&c, &r);
        r.checkpoint = true;
        activation_memory kept = activations_plan(&c, &r);
        number_text(config_count(&c).total, text[0], sizeof text[0]);
        bytes_text(whole.linear, text[1], sizeof text[1]);
        bytes_text(whole.square, text[2], sizeof text[2]);
        bytes_text(size_plus(whole.linear, whole.square), text[3],
                   sizeof text[3]);
        bytes_text(size_plus(kept.linear, kept.square), text[4],
                   sizeof text[4]);
        printf("%8d %16s %13s %12s %12s %12s\n", n, text[0], text[1],
               text[2], text[3], text[4]);
    }
    printf("activations of a batch of %d\n", q->training.activations.n_batch);
}
// @end tables-block

// @begin tables-activations
static void print_activations(const cost_question *q)
{
    activation_memory m = cost_training(q->config, &q->training).kept;
    printf("kept of each of %d layers\n", q->config->n_layers);
    for (int i = 0; i < KEPT_PARTS; i++) {
        if (i == KEPT_LAYER_PARTS)
            printf("and once, behind the last\n");
        if (m.bytes[i] > 0)
            bytes_line(kept_part_name((kept_part)i), m.bytes[i]);
    }
    printf("held at once%s\n", q->training.activations.checkpoint
           ? ", with checkpoints" : "");
    bytes_line("linear", m.linear);
    bytes_line("square", m.square);
}

// @end tables-activations

// @begin tables-choose
lll_status print_table(const char *name, const cost_question *q,
                       const model_config *configs, int n_configs,
                       lll_error *err)
{
    if (strcmp(name, "hardware") == 0)
        print_hardware(q);
    else if (strcmp(name, "context") == 0)
        print_context(q);
    else if (strcmp(name, "gpus") == 0)
        print_gpus(q, configs, n_configs);
    else if (strcmp(name, "block-size") == 0)
        print_block(q);
    else if (strcmp(name, "activations") == 0)
        print_activations(q);
    else
        return lll_fail(err, LLL_ERR_USAGE, "--table %s: expected hardware, "
                        "context, gpus, block-size or activations", name);
    return LLL_OK;
}
// @end tables-choose
