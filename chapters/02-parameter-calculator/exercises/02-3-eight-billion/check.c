#include "common/config.h"
#include "common/cost.h"
#include "tools/exercise.h"

// As their makers describe them; the last field is the longest context.
static const struct { const char *name; model_config c; } models[] = {
    {"Llama 3.1 8B", {.n_layers = 32, .d_model = 4096, .n_heads = 32,
                      .n_kv_heads = 8, .head_dim = 128, .d_ff = 14336,
                      .vocab_size = 128256, .context_length = 131072}},
    {"Llama 2 7B", {.n_layers = 32, .d_model = 4096, .n_heads = 32,
                    .n_kv_heads = 32, .head_dim = 128, .d_ff = 11008,
                    .vocab_size = 32000, .context_length = 4096}},
    {"Mistral 7B", {.n_layers = 32, .d_model = 4096, .n_heads = 32,
                    .n_kv_heads = 8, .head_dim = 128, .d_ff = 14336,
                    .vocab_size = 32000, .context_length = 32768}},
    {"TinyLlama", {.n_layers = 22, .d_model = 2048, .n_heads = 32,
                   .n_kv_heads = 4, .head_dim = 64, .d_ff = 5632,
                   .vocab_size = 32000, .context_length = 2048}},
};

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    int i = (int)exercise_pick(0, 3);
    int shorter = 1 << exercise_pick(0, 1);
    const model_config *c = &models[i].c;
    int n_ctx = c->context_length / shorter;
    double gib = (double)cost_cache_position(c, DTYPE_F16) * n_ctx / 0x1p30;
    double total = (double)config_count(c).total;
    double token = cost_token_bytes(c, cost_number_bytes(c, DTYPE_Q4_0),
                                    DTYPE_F16, 0);

    exercise_number("billions", total / 1e9, 0.1,
                    "%s has %d layers, a width of %d, %d query heads and %d "
                    "key-value heads of %d, %d in its gated feed-forward, %d "
                    "tokens, and is not tied. How many billion weights is "
                    "that?", models[i].name, c->n_layers, c->d_model,
                    c->n_heads, c->n_kv_heads, c->head_dim, c->d_ff,
                    c->vocab_size);
    exercise_number("cache", gib, 0.1,
                    "How many GiB (2^30 bytes) has its cache in F16, for %d "
                    "positions?", n_ctx);
    exercise_number("weights", (double)cost_weights(c, DTYPE_Q4_0) / 0x1p30,
                    0.1, "And its weights in Q4_0, at 4.5 bits each?");
    exercise_number("speed", 20e9 / token, 0.1,
                    "A memory gives 20 billion bytes in a second. How many "
                    "tokens a second can that be at most, with weights in "
                    "Q4_0 and an empty cache?");
    int heads = c->n_heads / c->n_kv_heads;
    exercise_whole("groups", heads,
                   "If every query head had keys and values of its own, how "
                   "many times as large would the cache be?");
    return exercise_end();
}
