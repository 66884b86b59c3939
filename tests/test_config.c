// Descriptions, what follows from them, and the sizes of models that
// everybody knows.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"

// The counts that their makers publish.
static void models_that_everybody_knows(void **state)
{
    (void)state;
    model_config tiny = {.n_layers = 22, .d_model = 2048, .n_heads = 32,
                         .n_kv_heads = 4, .head_dim = 64, .d_ff = 5632,
                         .vocab_size = 32000};
    assert_true(config_count(&tiny).total == 1100048384);
    model_config smol = {.n_layers = 30, .d_model = 576, .n_heads = 9,
                         .n_kv_heads = 3, .head_dim = 64, .d_ff = 1536,
                         .vocab_size = 49152, .tied_output = true};
    assert_true(config_count(&smol).total == 134515008);
    assert_true(config_count(&smol).output == 0);
    model_config llama = {.n_layers = 32, .d_model = 4096, .n_heads = 32,
                          .n_kv_heads = 8, .head_dim = 128, .d_ff = 14336,
                          .vocab_size = 128256, .rope_dim = 128};
    assert_true(config_count(&llama).total == 8030261248);
    llama.rope_factors = true;          // 64 numbers more in the file
    assert_true(config_count(&llama).total == 8030261248 + 64);
}

// By hand: d_model 8, 4 heads of 6 on 2, d_ff 24, 3 tokens, 2 layers.
static void a_count_by_hand(void **state)
{
    (void)state;
    model_config c = {.n_layers = 2, .d_model = 8, .n_heads = 4,
                      .n_kv_heads = 2, .head_dim = 6, .d_ff = 24,
                      .vocab_size = 3, .qkv_bias = true};
    parameter_count n = config_count(&c);
    assert_true(n.embedding == 24);
    assert_true(n.attention == 8 * 24 * 2 + 8 * 12 * 2 + 24 + 12 + 12);
    assert_true(n.feed_forward == 3 * 8 * 24);
    assert_true(n.norms == 16);
    assert_true(n.layers == 2 * (624 + 576 + 16));
    assert_true(n.final_norm == 8 && n.output == 24);
    assert_true(n.total == 24 + 2432 + 8 + 24);
}

// Pythia-1B and StableLM-2-1.6B as their makers publish them, and GPT-2; what
// is not said follows from the rest.
static void other_families(void **state)
{
    static const struct { const char *name; uint64_t total; } known[] = {
        {"gpt2", 124439808}, {"gptneox", 1011781632},
        {"gpt_neox", 1011781632}, {"stablelm", 1644515328},
        {"llama", 134515008}};
    (void)state;
    lll_error err;
    for (int i = 0; i < 5; i++) {
        const model_family *family = config_family(known[i].name);
        assert_non_null(family);
        model_config c = family->kinds;
        assert_int_equal(config_complete(&c, "here", &err), LLL_OK);
        assert_int_equal(config_check(&c, "here", &err), LLL_OK);
        assert_true(config_count(&c).total == known[i].total);
        bool runs = config_check_llama(&c, "here", &err) == LLL_OK;
        assert_true(runs == (i == 4));
    }
    assert_null(config_family("llam"));
    assert_null(config_family(""));
    model_config c = config_family("gpt2")->kinds;
    config_set_bias(&c, false);
    assert_true(!c.norm_bias && !c.qkv_bias && !c.attn_out_bias);
    assert_false(c.ffn_bias);
    c = config_family("stablelm")->kinds;
    config_set_bias(&c, false);
    assert_true(c.norm_bias && !c.qkv_bias);
    assert_int_equal(config_check_llama(&c, "a.gguf", &err),
                     LLL_ERR_UNSUPPORTED);
    assert_string_equal(err.text, "a.gguf: general.architecture is "
                        "\"stablelm\", expected \"llama\"");
    // A Llama with biases that the engine would not add.
    for (int i = 0; i < 4; i++) {
        static const char *const where[] = {"attention output",
                                            "feed-forward", "norms"};
        c = config_family("llama")->kinds;
        c.qkv_bias = true;
        c.attn_out_bias = i == 0;
        c.ffn_bias = i == 1;
        c.norm_bias = i == 2;
        assert_int_equal(config_check_llama(&c, "a.json", &err),
                         i == 3 ? LLL_OK : LLL_ERR_UNSUPPORTED);
        assert_true(i == 3 || strstr(err.text, where[i]) != NULL);
    }
}

static void what_follows_from_the_rest(void **state)
{
    (void)state;
    lll_error err;
    model_config c = {.architecture = "llama", .d_model = 576, .n_heads = 9};
    assert_int_equal(config_complete(&c, "here", &err), LLL_OK);
    assert_int_equal(c.head_dim, 64);
    assert_int_equal(c.n_kv_heads, 9);
    assert_int_equal(c.d_ff, 1536);         // 8/3, a multiple of 256
    assert_int_equal(c.rope_dim, 64);
    c = (model_config){.architecture = "gptneox", .d_model = 100,
                       .n_heads = 10, .feed_forward = FEED_FORWARD_PLAIN};
    assert_int_equal(config_complete(&c, "here", &err), LLL_OK);
    assert_int_equal(c.d_ff, 400);
    assert_int_equal(c.rope_dim, 2);        // 2.5, and then an even number
    c = (model_config){.d_model = 1 << 24, .n_heads = 1};
    assert_int_equal(config_complete(&c, "here", &err), LLL_OK);
    assert_int_equal(c.d_ff, 1 << 24);      // not more than may be
    c = (model_config){.d_model = 10, .n_heads = 3};
    assert_int_equal(config_complete(&c, "here", &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "here: 3 heads do not divide"));
    c.n_heads = 0;
    assert_int_equal(config_complete(&c, "here", &err), LLL_ERR_FORMAT);
}

// By hand: width 8, 2 heads of 4, feed-forward 32, 3 tokens, 5 positions.
static void a_count_by_hand_with_biases(void **state)
{
    (void)state;
    model_config c = {.architecture = "gpt2", .n_layers = 1, .d_model = 8,
                      .n_heads = 2, .n_kv_heads = 2, .head_dim = 4,
                      .d_ff = 32, .vocab_size = 3, .context_length = 5,
                      .position = POSITION_LEARNED, .tied_output = true,
                      .feed_forward = FEED_FORWARD_PLAIN};
    config_set_bias(&c, true);
    parameter_count n = config_count(&c);
    assert_true(n.positions == 5 * 8 && n.embedding == 3 * 8);
    assert_true(n.attention == 4 * 64 + 24 + 8);
    assert_true(n.feed_forward == 2 * 8 * 32 + 32 + 8);
    assert_true(n.norms == 2 * 16 && n.final_norm == 16 && n.output == 0);
    c.shared_norm = true;
    assert_true(config_count(&c).norms == 16);
    c.feed_forward = FEED_FORWARD_GATED;
    assert_true(config_count(&c).feed_forward == 3 * 8 * 32 + 64 + 8);
}

// The bounds of config_check() keep even the largest within 64 bits.
static void the_largest_does_not_wrap(void **state)
{
    (void)state;
    model_config c = {.n_layers = 1 << 12, .d_model = 1 << 24,
                      .n_heads = 1 << 10, .n_kv_heads = 1 << 10,
                      .head_dim = 1 << 14, .d_ff = 1 << 24,
                      .vocab_size = 1 << 24, .context_length = 1 << 24,
                      .rope_dim = 1 << 14, .rope_theta = 1e4,
                      .rope_scale = 1, .norm_eps = 1e-5};
    lll_error err;
    assert_int_equal(config_check(&c, "here", &err), LLL_OK);
    double d = 1 << 24;
    double want = d * d * (1 << 12) * 7 + d * d * 2;
    double got = (double)config_count(&c).total;
    assert_true(fabs(got / want - 1) < 1e-6);
    c.d_model++;
    assert_int_equal(config_check(&c, "here", &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_that_everybody_knows),
        cmocka_unit_test(a_count_by_hand),
        cmocka_unit_test(other_families),
        cmocka_unit_test(what_follows_from_the_rest),
        cmocka_unit_test(a_count_by_hand_with_biases),
        cmocka_unit_test(the_largest_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
