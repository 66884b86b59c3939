// What fits: the longest that is found really fits, and one more does not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/advice.h"

static const model_config MODEL = {
    .architecture = "llama", .n_layers = 30, .d_model = 576, .n_heads = 9,
    .n_kv_heads = 3, .head_dim = 64, .d_ff = 1536, .vocab_size = 49152,
    .context_length = 8192, .norm = NORM_RMS, .position = POSITION_ROTARY,
    .feed_forward = FEED_FORWARD_GATED, .tied_output = true, .rope_dim = 64,
    .rope_theta = 1e5, .rope_scale = 1, .norm_eps = 1e-5,
};
static const plan_request RUN = {
    .n_ctx = 4096, .n_batch = 512, .n_outputs = 1, .n_threads = 2,
    .n_sequences = 1, .cache_type = DTYPE_F16,
};
static const training_request STEP = {
    .activations = {.n_batch = 8, .n_block = 1024},
    .lora_matrices = LORA_Q | LORA_V, .frozen_type = DTYPE_Q4_0,
};
static const size_t MIB = 1 << 20;

static size_t need_of_type(int i)
{
    return advice_run_bytes(&MODEL, cost_weights(&MODEL,
                                                 stored_types[i].type), &RUN);
}

static void running_is_weights_and_plan(void **state)
{
    (void)state;
    memory_plan plan;
    assert_int_equal(plan_memory(&MODEL, &RUN, &plan, NULL), LLL_OK);
    for (int i = 0; i < N_STORED_TYPES; i++)
        assert_true(need_of_type(i) == plan.total
                    + cost_weights(&MODEL, stored_types[i].type));
    plan_request refused = RUN;
    refused.n_ctx = 8193;
    assert_true(advice_run_bytes(&MODEL, 5, &refused) == SIZE_MAX);
}

static void the_longest_context(void **state)
{
    (void)state;
    size_t weights = cost_weights(&MODEL, DTYPE_Q4_0);
    for (size_t memory = 60 * MIB; memory < 300 * MIB; memory += 7 * MIB) {
        plan_request r = RUN;
        r.n_ctx = advice_context(&MODEL, weights, &RUN, memory);
        assert_in_range(r.n_ctx, 0, 8192);
        if (r.n_ctx > 0)
            assert_true(advice_run_bytes(&MODEL, weights, &r) <= memory);
        r.n_ctx++;
        if (r.n_ctx <= 8192)
            assert_true(advice_run_bytes(&MODEL, weights, &r) > memory);
    }
    assert_int_equal(advice_context(&MODEL, weights, &RUN, 9 * MIB), 0);
    assert_int_equal(advice_context(&MODEL, weights, &RUN, SIZE_MAX), 8192);
}

static void the_longest_block(void **state)
{
    (void)state;
    for (size_t memory = 2000 * MIB; memory < 200000 * MIB; memory *= 2) {
        training_request r = STEP;
        int n = advice_block(&MODEL, &STEP, memory);
        r.activations.n_block = n;
        if (n > 0)
            assert_true(cost_training(&MODEL, &r).total <= memory);
        r.activations.n_block = n + 1;
        if (n < 8192)
            assert_true(cost_training(&MODEL, &r).total > memory);
    }
    assert_int_equal(advice_block(&MODEL, &STEP, 9 * MIB), 0);
}

static void the_best_type(void **state)
{
    (void)state;
    size_t last = SIZE_MAX;
    for (int i = 0; i < N_STORED_TYPES; i++) {
        size_t need = need_of_type(i);
        assert_true(need < last);
        assert_ptr_equal(advice_type(&MODEL, &RUN, need), &stored_types[i]);
        last = need;
    }
    assert_null(advice_type(&MODEL, &RUN, last - 1));
}

static void the_way_of_training(void **state)
{
    (void)state;
    size_t last = SIZE_MAX;
    for (int i = 0; i < N_TRAINING_WAYS; i++) {
        const training_way *way = &training_ways[i];
        size_t need = advice_training_cost(&MODEL, &STEP, way).total;
        assert_true(need < last);
        assert_ptr_equal(advice_training(&MODEL, &STEP, need), way);
        last = need;
    }
    assert_null(advice_training(&MODEL, &STEP, last - 1));
}

static void what_does_not_fit_in_a_number_fits_nowhere(void **state)
{
    (void)state;
    training_request r = STEP;
    model_config c = MODEL;
    c.context_length = 1 << 24;
    r.activations.n_batch = 1 << 24;
    r.activations.n_block = 1 << 24;
    assert_null(advice_training(&c, &r, SIZE_MAX));
}

static void sizes_have_their_advice(void **state)
{
    (void)state;
    static const struct { uint64_t n; const char *word; } sizes[] = {
        {1, "FP32 is fine"}, {499999999, "FP32 is fine"},
        {500000000, "prefer Q8 or Q4"}, {999999999, "prefer Q8 or Q4"},
        {1000000000, "Q8 or Q4 is needed"},
        {1999999999, "Q8 or Q4 is needed"}, {2000000000, "split it"},
        {UINT64_MAX, "split it"},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_non_null(strstr(advice_by_size(sizes[i].n), sizes[i].word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_is_weights_and_plan),
        cmocka_unit_test(the_longest_context),
        cmocka_unit_test(the_longest_block),
        cmocka_unit_test(the_best_type),
        cmocka_unit_test(the_way_of_training),
        cmocka_unit_test(what_does_not_fit_in_a_number_fits_nowhere),
        cmocka_unit_test(sizes_have_their_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
