// What training keeps, tensor by tensor, against sums made by hand and
// against the formula of the paper.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/activations.h"

// The model of the chapter's pencil: width 4, two query heads and one key
// head of 2, 8 in the feed-forward, ten tokens, two layers.
static const model_config TINY = {
    .architecture = "llama", .n_layers = 2, .d_model = 4, .n_heads = 2,
    .n_kv_heads = 1, .head_dim = 2, .d_ff = 8, .vocab_size = 10,
    .context_length = 8, .norm = NORM_RMS, .position = POSITION_ROTARY,
    .feed_forward = FEED_FORWARD_GATED, .tied_output = true, .rope_dim = 2,
    .rope_theta = 10000, .rope_scale = 1, .norm_eps = 1e-5,
};
static const model_config GPT = {
    .architecture = "gpt2", .n_layers = 24, .d_model = 1024, .n_heads = 16,
    .n_kv_heads = 16, .head_dim = 64, .d_ff = 4096, .vocab_size = 50257,
    .context_length = 1024, .norm = NORM_LAYER, .norm_bias = true,
    .position = POSITION_LEARNED, .feed_forward = FEED_FORWARD_PLAIN,
    .tied_output = true, .norm_eps = 1e-5,
};

static void a_layer_by_hand(void **state)
{
    (void)state;
    activation_request r = {.n_batch = 1, .n_block = 3};
    activation_memory m = activations_plan(&TINY, &r);
    static const struct { kept_part part; size_t numbers; } kept[] = {
        {KEPT_INPUT, 12}, {KEPT_NORM_SCALE, 3}, {KEPT_NORMED, 12},
        {KEPT_QUERIES, 12}, {KEPT_KEYS, 6}, {KEPT_VALUES, 6},
        {KEPT_PROBABILITIES, 18}, {KEPT_ATTENTION, 12}, {KEPT_MIDDLE, 12},
        {KEPT_MIDDLE_SCALE, 3}, {KEPT_MIDDLE_NORMED, 12}, {KEPT_GATE, 24},
        {KEPT_UP, 24}, {KEPT_DOWN_INPUT, 24}, {KEPT_ADAPTERS, 0},
        {KEPT_OUTPUT, 12}, {KEPT_OUTPUT_SCALE, 3}, {KEPT_OUTPUT_NORMED, 12},
        {KEPT_LOGITS, 30},
    };
    assert_int_equal(sizeof kept / sizeof kept[0], KEPT_PARTS);
    for (size_t i = 0; i < KEPT_PARTS; i++) {
        assert_non_null(kept_part_name((kept_part)i));
        assert_true(m.bytes[kept[i].part] == 4 * kept[i].numbers);
    }
    assert_true(m.layer_linear == 4 * 162 && m.layer_square == 4 * 18);
    assert_true(m.linear == 4 * (2 * 162 + 57) && m.square == 4 * 36);
    assert_true(m.passing == 4 * (162 - 6 + 18));
}

static void checkpoints_and_half(void **state)
{
    (void)state;
    activation_request r = {.n_batch = 1, .n_block = 3, .checkpoint = true};
    activation_memory m = activations_plan(&TINY, &r);
    assert_true(m.linear == 4 * (12 + 162 + 57) && m.square == 4 * 18);
    // In half precision scales and logits keep their four bytes.
    r.half = true;
    r.adapter_width = 5;
    m = activations_plan(&TINY, &r);
    assert_true(m.bytes[KEPT_ADAPTERS] == 2 * 15);
    assert_true(m.bytes[KEPT_LOGITS] == 4 * 30);
    assert_true(m.layer_linear == 2 * (162 - 6 + 15) + 4 * 6);
    assert_true(m.square == 2 * 18);
}

// Korthikanti et al. 2022, equation 1: s*b*h*(34 + 5*a*s/h) bytes for each
// layer, of which masks and results of dropout are 2 and 3; scales of norms
// it does not count. Everything behind the last layer: 4*s*b*h*(1 + v/h),
// with two bytes for each of the norm's input and output.
static void the_formula_of_the_paper(void **state)
{
    (void)state;
    for (size_t s = 64; s <= 2048; s *= 2) {
        size_t b = 3, h = 1024, a = 16, v = 50257, layers = 24;
        activation_request r = {.n_batch = (int)b, .n_block = (int)s,
                                .half = true};
        activation_memory m = activations_plan(&GPT, &r);
        size_t scales = 4 * 2 * s * b;      // bytes of a norm's
        assert_true(m.layer_linear == s * b * h * (34 - 2) + 2 * scales);
        assert_true(m.layer_square == (5 - 3) * a * s * s * b);
        assert_true(m.linear - layers * m.layer_linear
                    == 4 * s * b * h + 4 * s * b * v + scales);
        assert_true(m.square == layers * m.layer_square);
    }
}

static void families_keep_less(void **state)
{
    (void)state;
    activation_request r = {.n_batch = 2, .n_block = 5};
    model_config c = GPT;
    size_t whole = activations_plan(&c, &r).layer_linear / 40;
    c.parallel_residual = true;     // one stream, one pair of mean and scale
    assert_true(activations_plan(&c, &r).layer_linear / 40
                == whole - 1024 - 2);
    c.shared_norm = true;           // and one normalised input
    assert_true(activations_plan(&c, &r).layer_linear / 40
                == whole - 2 * 1024 - 2);
    c.feed_forward = FEED_FORWARD_GATED;
    assert_true(activations_plan(&c, &r).layer_linear / 40
                == whole - 2 * 1024 - 2 + 4096);
}

static void too_much_is_the_largest(void **state)
{
    (void)state;
    activation_request r = {.n_batch = 1 << 20, .n_block = 1 << 24};
    model_config c = GPT;
    c.n_heads = c.n_kv_heads = 1 << 14;
    activation_memory m = activations_plan(&c, &r);
    assert_true(m.layer_square == SIZE_MAX && m.square == SIZE_MAX);
    assert_true(m.passing == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_by_hand),
        cmocka_unit_test(checkpoints_and_half),
        cmocka_unit_test(the_formula_of_the_paper),
        cmocka_unit_test(families_keep_less),
        cmocka_unit_test(too_much_is_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
