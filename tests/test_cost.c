// What weights, training and a token cost, against sums made by hand.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/cost.h"

// The chapter's pencil model: matrices of 2 * (48 + 96) numbers, a table of
// 40 that is also the head, norms of 5 * 4.
static const model_config TINY = {
    .architecture = "llama", .n_layers = 2, .d_model = 4, .n_heads = 2,
    .n_kv_heads = 1, .head_dim = 2, .d_ff = 8, .vocab_size = 10,
    .context_length = 8, .norm = NORM_RMS, .position = POSITION_ROTARY,
    .feed_forward = FEED_FORWARD_GATED, .tied_output = true, .rope_dim = 2,
    .rope_theta = 10000, .rope_scale = 1, .norm_eps = 1e-5,
};
static const training_request STEP = {
    .activations = {.n_batch = 1, .n_block = 3}, .lora_matrices = LORA_Q,
    .frozen_type = DTYPE_Q4_0,
};

static void weights_of_each_type(void **state)
{
    (void)state;
    model_config c = TINY;
    assert_true(cost_multiplied(&c) == 2 * 144 + 40);
    assert_true(cost_weights(&c, DTYPE_F32) == 4 * 348);
    assert_true(cost_weights(&c, DTYPE_F16) == 2 * 328 + 4 * 20);
    // No row is a whole block, so all of them stay in half precision.
    assert_true(cost_weights(&c, DTYPE_Q8_0) == 2 * 328 + 4 * 20);
    assert_true(cost_number_bytes(&c, DTYPE_Q4_0) == 2);
    c.tied_output = false;      // now the table is stored, and not multiplied
    assert_true(cost_multiplied(&c) == 2 * 144 + 40);
    assert_true(cost_weights(&c, DTYPE_F16) == 2 * 368 + 4 * 20);
    c.position = POSITION_LEARNED;
    assert_true(cost_weights(&c, DTYPE_F16) == 2 * 368 + 4 * (20 + 32));
}

// Rows of 64 are two blocks of 32. Rows of 48 are none: those of the matrix
// that leads out of the feed-forward.
static void rows_are_whole_blocks(void **state)
{
    (void)state;
    model_config c = TINY;
    c.d_model = c.vocab_size = 64;
    c.n_heads = c.n_kv_heads = 2;
    c.head_dim = 32;
    c.d_ff = 48;
    // Of each layer four of [64, 64], two of [48, 64], one of [64, 48].
    size_t whole = 2 * (4 * 64 + 2 * 48) + 64;      // rows
    assert_true(cost_weights(&c, DTYPE_Q8_0)
                == whole * 2 * 34 + 2 * (64 * 48 * 2) + 4 * 5 * 64);
    assert_true(cost_weights(&c, DTYPE_Q4_0)
                == whole * 2 * 18 + 2 * (64 * 48 * 2) + 4 * 5 * 64);
    double numbers = (double)whole * 64 + 2 * 64 * 48;
    assert_true(cost_number_bytes(&c, DTYPE_Q4_0) * numbers
                == whole * 2 * 18 + 2 * (64 * 48 * 2));
    c.tied_output = false;              // stored, and not multiplied
    assert_true(cost_weights(&c, DTYPE_Q8_0)
                == (whole + 64) * 2 * 34 + 2 * (64 * 48 * 2) + 4 * 5 * 64);
    assert_true(cost_number_bytes(&c, DTYPE_Q4_0) * numbers
                == whole * 2 * 18 + 2 * (64 * 48 * 2));
    c.d_ff = 64;
    assert_true(cost_number_bytes(&c, DTYPE_Q4_0) == 4.5 / 8);
    assert_true(cost_number_bytes(&c, DTYPE_F32) == 4);
}

static void a_position_and_a_token(void **state)
{
    (void)state;
    model_config c = TINY;
    // Two layers, a key and a value of two numbers.
    assert_true(cost_cache_position(&c, DTYPE_F32) == 32);
    assert_true(cost_cache_position(&c, DTYPE_F16) == 16);
    double empty = cost_token_bytes(&c, 2, DTYPE_F16, 0);
    assert_true(empty == 2 * 328 + 4 * 20);
    assert_true(cost_token_bytes(&c, 2, DTYPE_F16, 5) == empty + 5 * 16);
    c.tied_output = false;      // of the table it takes a row
    assert_true(cost_token_bytes(&c, 2, DTYPE_F16, 0) == empty);
    c.position = POSITION_LEARNED;
    assert_true(cost_token_bytes(&c, 2, DTYPE_F16, 0) == empty);
}

static void adapters(void **state)
{
    (void)state;
    static const struct { const char *list; unsigned bits; } lists[] = {
        {"q", LORA_Q}, {"q,v", LORA_Q | LORA_V}, {"down,o", 64 | 8},
        {"all", 127}, {"gate,up,k", 16 | 32 | 2}, {"", 0}, {"q,", 0},
        {",q", 0}, {"Q", 0}, {"qq", 0}, {"q v", 0}, {"all,q", 0},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        assert_int_equal(lora_matrices(lists[i].list), lists[i].bits);
    // Query is [4, 4], key [2, 4], up [8, 4], down [4, 8].
    assert_true(cost_adapters(&TINY, 3, LORA_Q) == 2 * 3 * 8);
    assert_true(cost_adapters(&TINY, 3, LORA_K) == 2 * 3 * 6);
    assert_true(cost_adapters(&TINY, 1, 127) == 2 * (8 + 6 + 6 + 8 + 36));
    model_config plain = TINY;
    plain.feed_forward = FEED_FORWARD_PLAIN;    // which has no gate
    assert_true(cost_adapters(&plain, 5, LORA_GATE) == 0);
}

static void training_all(void **state)
{
    (void)state;
    training_request r = STEP;
    training_cost t = cost_training(&TINY, &r);
    activation_memory m = activations_plan(&TINY, &r.activations);
    assert_true(t.n_trained == 348);
    assert_true(t.bytes[TRAIN_FROZEN] == 0 && t.bytes[TRAIN_MASTER] == 0);
    assert_true(t.bytes[TRAIN_WEIGHTS] == 4 * 348);
    assert_true(t.bytes[TRAIN_GRADIENTS] == 4 * 348);
    assert_true(t.bytes[TRAIN_MOMENTS] == 8 * 348);
    assert_true(t.total == 16 * 348 + m.linear + m.square + m.passing);
    model_config factors = TINY;        // in the file, and not trained
    factors.rope_factors = true;
    assert_true(cost_training(&factors, &r).n_trained == 348);
    // Mixed precision moves the sixteen bytes, and saves none of them.
    r.activations.half = true;
    t = cost_training(&TINY, &r);
    m = activations_plan(&TINY, &r.activations);
    assert_true(t.bytes[TRAIN_MASTER] == 4 * 348);
    assert_true(t.total == 16 * 348 + m.linear + m.square + m.passing);
}

static void training_adapters(void **state)
{
    (void)state;
    training_request r = STEP;
    r.lora_rank = 3;
    r.lora_matrices = LORA_Q | LORA_GATE;
    training_cost t = cost_training(&TINY, &r);
    assert_true(t.n_trained == 2 * 3 * (8 + 12));
    assert_true(t.bytes[TRAIN_FROZEN] == cost_weights(&TINY, DTYPE_Q4_0));
    assert_true(t.bytes[TRAIN_MOMENTS] == 8 * 120);
    // Inside them: two of rank 3 for each of three tokens, in two layers.
    // What the frozen o, down and the head take in, 4 and 8 and 4 numbers a
    // token, is not kept, but has its gradient on the way.
    activation_memory all = activations_plan(&TINY, &r.activations);
    assert_true(t.bytes[TRAIN_LINEAR]
                == all.linear + 4 * (2 * 3 * 6 - 2 * 3 * (4 + 8) - 3 * 4));
    assert_true(t.bytes[TRAIN_PASSING] == all.passing + 4 * 3 * 6);
    assert_true(t.kept.bytes[KEPT_ATTENTION] == 0);
    assert_true(t.kept.bytes[KEPT_MIDDLE_NORMED] == 4 * 3 * 4);
    model_config plain = TINY;
    plain.feed_forward = FEED_FORWARD_PLAIN;    // an adapter less
    assert_true(cost_training(&plain, &r).kept.bytes[KEPT_ADAPTERS]
                == 4 * 3 * 3);
    // The only adapter that is there is at the queries.
    assert_true(cost_training(&plain, &r).kept.bytes[KEPT_MIDDLE_NORMED]
                == 0);
    model_config beside = TINY;         // one norm feeds both halves
    beside.parallel_residual = beside.shared_norm = true;
    r.lora_matrices = LORA_GATE;
    assert_true(cost_training(&beside, &r).kept.bytes[KEPT_NORMED]
                == 4 * 3 * 4);
    r.lora_matrices = LORA_O;
    assert_true(cost_training(&beside, &r).kept.bytes[KEPT_NORMED] == 0);
    model_config huge = TINY;
    huge.vocab_size = huge.d_model = 1 << 24;
    huge.n_layers = 1 << 12;
    r.activations.n_batch = 1 << 16;
    r.activations.n_block = 1 << 24;
    assert_true(cost_training(&huge, &r).total == SIZE_MAX);
}

static void operations(void **state)
{
    (void)state;
    training_request r = STEP;
    operation_count f = cost_forward(&TINY, 5);
    assert_true(f.matrices == 2 * 328 && f.attention == 4 * 4 * 2 * 5);
    model_config wide = TINY;
    wide.head_dim = 10;
    assert_true(cost_forward(&wide, 5).attention == 4 * 20 * 2 * 5);
    operation_count t = cost_forward_backward(&TINY, &r);
    // Of a block of three, a token sees two on average.
    assert_true(t.matrices == 6 * 328 && t.attention == 3 * 4 * 4 * 2 * 2);
    r.activations.checkpoint = true;
    t = cost_forward_backward(&TINY, &r);
    // The layers' 288 once more, and not the head's 40.
    assert_true(t.matrices == 8 * 288 + 6 * 40);
    assert_true(t.attention == 4 * 4 * 4 * 2 * 2);
    r.activations.checkpoint = false;
    r.lora_rank = 3;            // 48 numbers at the queries
    t = cost_forward_backward(&TINY, &r);
    assert_true(t.matrices == 4 * 328 + 6 * 48);
}

static void everything_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < TRAIN_PARTS; i++)
        assert_true(strlen(train_part_name((train_part)i)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_each_type),
        cmocka_unit_test(rows_are_whole_blocks),
        cmocka_unit_test(a_position_and_a_token),
        cmocka_unit_test(adapters),
        cmocka_unit_test(training_all),
        cmocka_unit_test(training_adapters),
        cmocka_unit_test(operations),
        cmocka_unit_test(everything_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
