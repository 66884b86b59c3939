// Chapter 2: what a model is made of, and what it needs, before it is loaded.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/show.h"
#include "common/args.h"
#include "common/config.h"
#include "common/config_gguf.h"
#include "common/gguf.h"
#include "common/machine.h"
#include "common/plan.h"

// @begin main-settings
typedef struct {
    const char *gguf;
    int64_t n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff;
    int64_t vocab_size, context_length;
    bool untied, qkv_bias, json;
    int64_t n_ctx, n_batch, n_threads, n_sequences;
    const char *cache_type;
} settings;

// SmolLM2-135M: small enough to check with a pencil.
static const settings smollm2 = {
    .n_layers = 30, .d_model = 576, .n_heads = 9, .n_kv_heads = 3,
    .d_ff = 1536, .vocab_size = 49152, .context_length = 8192,
    .n_batch = 512, .n_sequences = 1, .cache_type = "f16",
};

static bool is_smollm2(const settings *s)
{
    const settings *t = &smollm2;
    return s->n_layers == t->n_layers && s->d_model == t->d_model
           && s->n_heads == t->n_heads && s->n_kv_heads == t->n_kv_heads
           && s->head_dim == t->head_dim && s->d_ff == t->d_ff
           && s->vocab_size == t->vocab_size && !s->untied && !s->qkv_bias;
}
// @end main-settings

// @begin main-describe
// The model that the command line describes.
static lll_status describe(const settings *set, model_config *c,
                           lll_error *err)
{
    int64_t head_dim = set->head_dim;
    if (head_dim == 0) {
        if (set->d_model % set->n_heads != 0)
            return lll_fail(err, LLL_ERR_ARGUMENT,
                            "%" PRId64 " heads do not divide a width of %"
                            PRId64 "; give --head-dim", set->n_heads,
                            set->d_model);
        head_dim = set->d_model / set->n_heads;
    }
    *c = (model_config){
        .architecture = "llama", .name = "from the command line",
        .n_layers = (int)set->n_layers, .d_model = (int)set->d_model,
        .n_heads = (int)set->n_heads,
        .n_kv_heads = (int)(set->n_kv_heads > 0 ? set->n_kv_heads
                                                : set->n_heads),
        .head_dim = (int)head_dim, .d_ff = (int)set->d_ff,
        .vocab_size = (int)set->vocab_size,
        .context_length = (int)set->context_length,
        .rope_dim = (int)head_dim, .rope_theta = 10000.0, .rope_scale = 1.0,
        .norm_eps = 1e-5, .tied_output = !set->untied,
        .qkv_bias = set->qkv_bias,
    };
    return config_check(c, "the command line", err);
}
// @end main-describe

// @begin main-run
static lll_status run(const settings *set, lll_error *err)
{
    model_config c;
    memory_plan plan;
    gguf_file file = {0};
    dtype cache_type;
    if (!dtype_by_name(set->cache_type, &cache_type))
        return lll_fail(err, LLL_ERR_USAGE, "--cache-type %s: expected f32, "
                        "f16 or q8_0", set->cache_type);
    lll_status status = set->gguf == NULL ? describe(set, &c, err)
                                          : gguf_open(&file, set->gguf, err);
    if (status == LLL_OK && set->gguf != NULL)
        status = config_from_gguf(&c, &file, err);
    if (status == LLL_OK && set->gguf == NULL && is_smollm2(set))
        strcpy(c.name, "SmolLM2-135M");
    // @end main-run
    // @begin main-request
    int64_t n_ctx = set->n_ctx;
    if (status == LLL_OK && n_ctx == 0)
        n_ctx = c.context_length < 4096 ? c.context_length : 4096;
    plan_request request = {
        .n_ctx = (int)n_ctx, .n_outputs = 1,
        .n_batch = (int)(set->n_batch < n_ctx ? set->n_batch : n_ctx),
        .n_threads = set->n_threads > 0 ? (int)set->n_threads
                                        : machine_cores(),
        .n_sequences = (int)set->n_sequences, .cache_type = cache_type,
        .index_bytes = file.index_bytes,
    };
    if (status == LLL_OK)
        status = plan_memory(&c, &request, &plan, err);
    if (status == LLL_OK && set->json)
        status = print_json(&c, &plan, err);
    else if (status == LLL_OK) {
        print_bill(&c);
        print_memory(&c, &request, &plan, file.map.n_bytes);
    }
    gguf_close(&file);
    return status;
}
// @end main-request

// @begin main-shape
int main(int argc, char **argv)
{
    settings set = smollm2;
    const args_option options[] = {
        ARGS_TEXT("-m", "--gguf", "FILE", &set.gguf, "read the model's shape "
                  "from a file"),
        ARGS_HEADING("The model's shape (default: SmolLM2-135M)"),
        ARGS_INT(NULL, "--n-layer", "N", &set.n_layers, 1, 4096, "layers"),
        ARGS_INT(NULL, "--n-embd", "N", &set.d_model, 1, 1 << 24, "width"),
        ARGS_INT(NULL, "--n-head", "N", &set.n_heads, 1, 1 << 24,
                 "query heads"),
        ARGS_INT(NULL, "--n-kv-head", "N", &set.n_kv_heads, 0, 1 << 24,
                 "key-value heads (0: as many as query heads)"),
        ARGS_INT(NULL, "--head-dim", "N", &set.head_dim, 0, 1 << 14,
                 "numbers of a head (0: width / heads)"),
        ARGS_INT(NULL, "--d-ff", "N", &set.d_ff, 1, 1 << 24,
                 "width of the feed-forward layer"),
        ARGS_INT(NULL, "--vocab-size", "N", &set.vocab_size, 1, 1 << 24,
                 "tokens"),
        ARGS_INT(NULL, "--block-size", "N", &set.context_length, 1, 1 << 24,
                 "positions that it was trained for"),
        ARGS_FLAG(NULL, "--untied", &set.untied,
                  "the output head is a matrix of its own"),
        ARGS_FLAG(NULL, "--bias", &set.qkv_bias, "q, k and v have biases"),
        // @end main-shape
        // @begin main-rest
        ARGS_HEADING("How it is run"),
        ARGS_INT("-c", "--ctx-size", "N", &set.n_ctx, 0, 1 << 24,
                 "positions of the context (0: the model's, at most 4096)"),
        ARGS_INT("-b", "--batch-size", "N", &set.n_batch, 1, 1 << 16,
                 "tokens that go through together"),
        ARGS_INT("-t", "--threads", "N", &set.n_threads, 0, 1024,
                 "threads (0: one for each core)"),
        ARGS_INT(NULL, "--sequences", "N", &set.n_sequences, 1, 1 << 16,
                 "texts side by side"),
        ARGS_TEXT("-ctk", "--cache-type", "TYPE", &set.cache_type,
                  "of keys and values: f32, f16 or q8_0"),
        ARGS_FLAG(NULL, "--json", &set.json, "print JSON"),
    };
    const args_program program = {
        "chapter-02/run", "[--gguf FILE | --n-layer N ...] [-c N]",
        "Count a model's parameters and plan its memory.",
        options, sizeof options / sizeof options[0],
    };
    args_list rest;
    lll_error err;
    bool help;
    lll_status status = args_parse(&program, argc, argv, &rest, &help, &err);
    if (status == LLL_OK && help) {
        args_help(&program, stdout);
        return args_finish(&program, LLL_OK, NULL);
    }
    if (status == LLL_OK && rest.n_items > 0)
        status = lll_fail(&err, LLL_ERR_USAGE, "unexpected \"%s\"",
                          rest.items[0]);
    if (status == LLL_OK)
        status = run(&set, &err);
    return args_finish(&program, status, &err);
}
// @end main-rest
