#include "common/config.h"
#include "common/cost.h"
#include "tools/exercise.h"

static model_config pick_model(void)
{
    model_config c = {.architecture = "llama", .head_dim = 32,
                      .context_length = 1000, .tied_output = true};
    c.n_layers = (int)exercise_pick(2, 5);
    c.d_model = 10 * (int)exercise_pick(4, 9);
    c.n_kv_heads = (int)exercise_pick(1, 2);
    c.n_heads = c.n_kv_heads * (int)exercise_pick(2, 3);
    c.d_ff = 100 * (int)exercise_pick(1, 3);
    c.vocab_size = 100 * (int)exercise_pick(2, 9);
    return c;
}

static void ask_count(const model_config *c)
{
    parameter_count n = config_count(c);
    model_config untied = *c;
    untied.tied_output = false;
    exercise_whole("attention", (int64_t)n.attention,
                   "%d layers, d_model %d, n_heads %d, n_kv_heads %d, "
                   "head_dim %d, d_ff %d, vocab_size %d, and the head is the "
                   "embedding table. How many weights have the four matrices "
                   "of attention of one layer?", c->n_layers, c->d_model,
                   c->n_heads, c->n_kv_heads, c->head_dim, c->d_ff,
                   c->vocab_size);
    exercise_whole("layer",
                   (int64_t)(n.attention + n.feed_forward + n.norms),
                   "How many weights has one layer, all told?");
    exercise_whole("total", (int64_t)n.total,
                   "How many weights has the model?");
    exercise_whole("twice", (int64_t)config_count(&untied).total,
                   "What is the total of a calculator that takes table and "
                   "head for two matrices?");
}

static void ask_costs(const model_config *c)
{
    int n_ctx = 100 * (int)exercise_pick(1, 9);
    static const dtype types[] = {DTYPE_F16, DTYPE_Q8_0};
    static const char *const cache_names[] = {"cache_f16", "cache_q8_0"};
    for (int i = 0; i < 2; i++) {
        int64_t position = (int64_t)cost_cache_position(c, types[i]);
        exercise_whole(cache_names[i], position * n_ctx,
                       "How many bytes have the keys and values of %d "
                       "positions in %s?", n_ctx,
                       dtype_name((uint32_t)types[i]));
    }
    exercise_whole("operations", (int64_t)cost_forward(c, 1).matrices,
                   "How many operations does a token take in matrices, a "
                   "multiplication and an addition being two?");
    exercise_whole("training", 16 * (int64_t)config_count(c).total,
                   "How many bytes have the weights, their gradients and the "
                   "two moments of each, when the model is trained in F32?");
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    model_config c = pick_model();
    ask_count(&c);
    ask_costs(&c);
    return exercise_end();
}
