// The flags of the calculator, as tables.
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"

// @begin options-model
static size_t model_options(settings *set, args_option *rows)
{
    const args_option list[] = {
        ARGS_HEADING("Which model (default: SmolLM2-135M)"),
        ARGS_TEXT("-m", "--gguf", "FILE", &set->gguf, "a model file"),
        ARGS_TEXT(NULL, "--config", "FILE", &set->config, "a configuration: "
                  "ours, or a Hugging Face config.json"),
        ARGS_FLAG(NULL, "--interactive", &set->interactive,
                  "ask; an empty answer keeps what stands in brackets"),
        ARGS_TEXT(NULL, "--arch", "NAME", &set->arch, "llama, gpt2, gptneox "
                  "or stablelm, with the sizes of its best-known member"),
        ARGS_HEADING("Other sizes than that has"),
        ARGS_INT(NULL, "--n-layer", "N", &set->n_layers, 1, 4096, "layers"),
        ARGS_INT(NULL, "--n-embd", "N", &set->d_model, 1, 1 << 24, "width"),
        ARGS_INT(NULL, "--n-head", "N", &set->n_heads, 1, 1 << 24,
                 "query heads (default: width / 64)"),
        ARGS_INT(NULL, "--n-kv-head", "N", &set->n_kv_heads, 0, 1 << 24,
                 "key-value heads (default: as many)"),
        ARGS_INT(NULL, "--head-dim", "N", &set->head_dim, 0, 1 << 14,
                 "numbers of a head (default: width / heads)"),
        ARGS_INT(NULL, "--d-ff", "N", &set->d_ff, 1, 1 << 24,
                 "width of the feed-forward (default: 4 x width, "
                 "with a gate 8/3 x width)"),
        ARGS_INT(NULL, "--vocab-size", "N", &set->vocab_size, 1, 1 << 24,
                 "tokens"),
        ARGS_INT(NULL, "--block-size", "N", &set->context_length, 1,
                 1 << 24, "positions that it was trained for"),
        ARGS_FLAG(NULL, "--bias", &set->bias, "biases where the family has "
                  "them; llama, stablelm: q, k and v"),
        ARGS_FLAG(NULL, "--no-bias", &set->no_bias, "none of those"),
        ARGS_FLAG(NULL, "--tied", &set->tied,
                  "the output head is the embedding table"),
        ARGS_FLAG(NULL, "--untied", &set->untied,
                  "it is a matrix of its own"),
    };
    // @end options-model
    memcpy(rows, list, sizeof list);
    return sizeof list / sizeof list[0];
}

// @begin options-show
static size_t show_options(settings *set, args_option *rows)
{
    const args_option list[] = {
        ARGS_HEADING("What to show"),
        ARGS_FLAG(NULL, "--show-formula", &set->formula,
                  "the algebra, with this model's numbers in it"),
        ARGS_FLAG(NULL, "--mistakes", &set->mistakes,
                  "totals that other ways of counting give"),
        ARGS_FLAG(NULL, "--compare", &set->compare,
                  "the files that are named, side by side"),
        ARGS_FLAG(NULL, "--list", &set->list,
                  "all configurations of data/configs"),
        ARGS_FLAG(NULL, "--json", &set->json, "print JSON"),
        ARGS_HEADING("How it is run"),
        ARGS_INT("-c", "--ctx-size", "N", &set->n_ctx, 0, 1 << 24,
                 "positions of the context (0: the model's, at most 4096)"),
        ARGS_INT("-b", "--batch-size", "N", &set->n_batch, 1, 1 << 16,
                 "tokens that go through together"),
        ARGS_INT("-t", "--threads", "N", &set->n_threads, 0, 1024,
                 "threads (0: one for each core)"),
        ARGS_INT(NULL, "--sequences", "N", &set->n_sequences, 1, 1 << 16,
                 "texts side by side"),
        ARGS_TEXT("-ctk", "--cache-type", "TYPE", &set->cache_type,
                  "of keys and values: f16, f32 or q8_0"),
    };
    memcpy(rows, list, sizeof list);
    return sizeof list / sizeof list[0];
}

size_t calculator_options(settings *set, args_option *rows)
{
    size_t n = model_options(set, rows);
    n += show_options(set, rows + n);
    return n + cost_options(&set->costs, rows + n);
}
// @end options-show
