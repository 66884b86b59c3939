#include <inttypes.h>
#include <string.h>

#include "chapters/02-parameter-calculator/exercises/02-5-fifth-row/row.h"
#include "common/cost.h"
#include "tools/exercise.h"

static void count(const char *name, uint64_t got, uint64_t wanted)
{
    exercise_case(got == wanted, name, "expected %" PRIu64 ", got %" PRIu64,
                  wanted, got);
}

static void is(const char *name, const char *got, const char *wanted)
{
    exercise_case(got != NULL && strcmp(got, wanted) == 0, name,
                  "expected \"%s\", got \"%s\"", wanted,
                  got != NULL ? got : "nothing");
}

static void check_names(const model_config *c)
{
    is("GGUF's name", c->architecture, "qwen2");
    is("Hugging Face's name", qwen2.hf_name, "qwen2");
    is("where GGUF keeps the epsilon", qwen2.eps_key,
       "attention.layer_norm_rms_epsilon");
}

static void check_small(const model_config *c)
{
    parameter_count n = config_count(c);
    count("the embedding table", n.embedding, 136134656);
    count("attention of a layer", n.attention, 1836160);
    count("feed-forward of a layer", n.feed_forward, 13074432);
    count("norms of a layer", n.norms, 1792);
    count("all that Qwen2-0.5B has", n.total, 494032768);
    count("bytes of cache a position",
          cost_cache_position(c, DTYPE_F16), 12288);
    exercise_case(c->norm == NORM_RMS && c->position == POSITION_ROTARY
                  && c->rope_dim == 64, "RMSNorm, and RoPE on whole heads",
                  "a kind is another, or RoPE turns %d of 64", c->rope_dim);
    exercise_case(c->rope_theta == 1e6 && c->rope_scale == 1
                  && c->norm_eps == 1e-6 && c->context_length == 131072,
                  "base, scale, epsilon, positions", "one of them is wrong");
}

// The same kinds with the sizes of Qwen2-7B, as a file gives them.
static void check_large(void)
{
    model_config c = qwen2.kinds;
    c.n_layers = 28;
    c.d_model = 3584;
    c.n_heads = 28;
    c.n_kv_heads = 4;
    c.d_ff = 18944;
    c.vocab_size = 152064;
    c.tied_output = qwen2.hf_tied;
    c.qkv_bias = qwen2.hf_qkv_bias;
    lll_error err;
    lll_status status = config_complete(&c, "Qwen2-7B", &err);
    exercise_case(status == LLL_OK, "Qwen2-7B is complete", "%s", err.text);
    if (status == LLL_OK)
        count("all that Qwen2-7B has", config_count(&c).total, 7615616512);
}

int main(void)
{
    model_config c = qwen2.kinds;
    lll_error err = {0};
    check_names(&c);
    lll_status status = config_complete(&c, "your row", &err);
    if (status == LLL_OK)
        status = config_check(&c, "your row", &err);
    exercise_case(status == LLL_OK, "what follows from the rest follows",
                  "%s", err.text);
    if (status == LLL_OK) {
        check_small(&c);
        check_large();
    }
    exercise_case(!qwen2.bias_everywhere && !qwen2.parallel_shares_norm
                  && qwen2.rope_fraction == 1, "what the family means",
                  "a flag of the family, or rope_fraction, is wrong");
    return exercise_end();
}
