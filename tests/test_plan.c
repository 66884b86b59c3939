// The planner's sums against hand-made ones, what it refuses, and the order
// of the steps that make a plan smaller.
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"
#include "common/kv_cache.h"
#include "common/plan.h"
#include "common/threads.h"

static const model_config LLAMA_8B = {
    .architecture = "llama", .n_layers = 32, .d_model = 4096, .n_heads = 32,
    .n_kv_heads = 8, .head_dim = 128, .d_ff = 14336, .vocab_size = 128256,
    .context_length = 131072, .rope_dim = 128, .rope_theta = 500000,
    .rope_scale = 1, .norm_eps = 1e-5, .rope_factors = true,
};
// Nothing in it is a multiple of a cache line.
static const model_config ODD = {
    .architecture = "llama", .n_layers = 3, .d_model = 20, .n_heads = 3,
    .n_kv_heads = 1, .head_dim = 6, .d_ff = 33, .vocab_size = 11,
    .context_length = 1000, .rope_dim = 6, .rope_theta = 10000,
    .rope_scale = 1, .norm_eps = 1e-5, .qkv_bias = true,
    .tied_output = true,
};
static const plan_request SMALL = {
    .n_ctx = 130, .n_batch = 7, .n_outputs = 2, .n_threads = 3,
    .n_sequences = 2, .cache_type = DTYPE_F16, .index_bytes = 1001,
    .vocabulary = {11, 2, 5, 9}, .trace_bytes = 77,
};

static void the_parts_by_hand(void **state)
{
    (void)state;
    memory_plan p;
    lll_error err;
    assert_int_equal(plan_memory(&ODD, &SMALL, &p, &err), LLL_OK);
    assert_true(p.bytes[PLAN_FILE_INDEX] == 1001);
    // 11 tokens of 24 bytes: 264, rounded up to 320; 32 slots, 128; two
    // special ones of 16, 64; five lines of 12, 64; 16 slots, 64; a longest
    // text of 9 and its end, 64; and the arena's own 64.
    assert_true(p.bytes[PLAN_TOKENIZER] == 320 + 128 + 5 * 64);
    // Two norms and biases of 18 + 6 + 6 in three layers, and the last norm.
    assert_true(p.bytes[PLAN_VECTORS] == 4 * (3 * (2 * 20 + 30) + 20));
    // 3 layers, 1 head, 130 positions, 6 numbers of 2 bytes: 4680, rounded
    // up to 4736; keys and values, two sequences.
    assert_true(p.bytes[PLAN_KV_CACHE] == 4 * 4736);
    assert_true(p.bytes[PLAN_RESIDUAL] == 7 * 20 * 4);
    assert_true(p.bytes[PLAN_NORMED] == 7 * 20 * 4);
    assert_true(p.bytes[PLAN_QUERIES] == 7 * 18 * 4);
    assert_true(p.bytes[PLAN_KEYS] == 7 * 6 * 4);
    assert_true(p.bytes[PLAN_VALUES] == 7 * 6 * 4);
    assert_true(p.bytes[PLAN_ATTENTION] == 7 * 18 * 4);
    assert_true(p.bytes[PLAN_GATE] == 7 * 33 * 4);
    assert_true(p.bytes[PLAN_UP] == 7 * 33 * 4);
    assert_true(p.bytes[PLAN_POSITIONS] == 7 * 4);
    assert_true(p.bytes[PLAN_GATHERED] == 7 * 9);
    assert_true(p.bytes[PLAN_ROPE] == 7 * 6 * 4 + 3 * 8);
    // 130 positions are two spans of 128; each of 3 heads, 6 + 2 numbers.
    assert_true(p.bytes[PLAN_SPANS] == 2 * 3 * 8 * 4);
    // A row of logits can hold one of the stream, which is wider here.
    assert_true(p.bytes[PLAN_LOGITS] == 2 * 20 * 4);
    assert_true(p.bytes[PLAN_CANDIDATES] == 2 * 11 * 8);
    assert_true(p.bytes[PLAN_HISTORY] == 2 * 130 * 4);
    assert_true(p.bytes[PLAN_IDS] == 130 * 4);
    // A text of 4 KiB in one piece, 26 bytes for each, and 512 words.
    assert_true(p.bytes[PLAN_ENCODER] == 26 * 4096 + 512 * 32);
    assert_true(p.bytes[PLAN_LINES] == 2 * 4096);
    assert_true(p.bytes[PLAN_HELD] == 2 * (1024 + 3 * (9 + 4)));
    // The widest is d_ff: two blocks of 32 for each of 7 rows. 448 codes;
    // scales, sums and sums of codes of 56 bytes, each rounded up to 64.
    assert_true(p.bytes[PLAN_QUANTIZED] == 448 + 3 * 64);
    assert_true(p.bytes[PLAN_SCRATCH] % (3 * 64) == 0);
}

// Of other families, what they have in place of a Llama's: GPT-2 small has
// one matrix up and no gate, learned positions, and biases everywhere.
static void other_families_by_hand(void **state)
{
    (void)state;
    memory_plan p;
    lll_error err;
    plan_request r = SMALL;
    model_config c = config_family("gpt2")->kinds;
    assert_int_equal(config_complete(&c, "here", &err), LLL_OK);
    assert_int_equal(plan_memory(&c, &r, &p, &err), LLL_OK);
    // 12 layers: two norms with biases, 4 * 768; q, k and v, 3 * 768; behind
    // attention 768; up 3072 and down 768. And the last norm.
    assert_true(p.bytes[PLAN_VECTORS]
                == 4 * (12 * (4 + 3 + 1 + 4 + 1) * 768 + 2 * 768));
    assert_true(p.bytes[PLAN_GATE] == 0);
    assert_true(p.bytes[PLAN_UP] == 7 * 3072 * 4);
    assert_true(p.bytes[PLAN_ROPE] == 0);
    // Gated, norms with biases, and one of them for both halves of a layer.
    c = ODD;
    c.norm_bias = c.shared_norm = c.ffn_bias = true;
    assert_int_equal(plan_memory(&c, &r, &p, &err), LLL_OK);
    assert_true(p.bytes[PLAN_VECTORS]
                == 4 * (3 * (2 * 20 + 30 + 33 + 33 + 20) + 2 * 20));
    assert_true(p.bytes[PLAN_GATE] == 7 * 33 * 4);
}

static void the_sums_add_up(void **state)
{
    (void)state;
    memory_plan p;
    lll_error err;
    assert_int_equal(plan_memory(&ODD, &SMALL, &p, &err), LLL_OK);
    size_t sum = 0;
    for (int i = 0; i < PLAN_PARTS; i++) {
        assert_non_null(plan_part_name((plan_part)i));
        assert_true(p.bytes[i] > 0);
        if (i >= PLAN_CACHE_TABLE)
            sum += (p.bytes[i] + 63) / 64 * 64;
    }
    assert_true(p.model == sum);
    assert_true(p.total == sum + ARENA_ALIGNMENT + 1001 + 77
                           + p.bytes[PLAN_TOKENIZER]);
}

// The planner and the modules that it plans for must say the same.
static void the_cache_agrees(void **state)
{
    static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0};
    (void)state;
    lll_error err;
    model_config c = ODD;
    for (int n_ctx = 1; n_ctx < 300; n_ctx += 37)
        for (int t = 0; t < 3; t++) {
            size_t bytes;
            c.head_dim = types[t] == DTYPE_Q8_0 ? 96 : ODD.head_dim;
            assert_int_equal(kv_cache_bytes(types[t], c.n_layers,
                                            c.n_kv_heads, c.head_dim,
                                            n_ctx, &bytes, &err), LLL_OK);
            assert_true(plan_kv_cache(&c, types[t], n_ctx) == bytes);
        }
}

// The example of chapter 1: 2^5 layers, 2^17 positions, 2^10 numbers.
static void the_cache_of_chapter_1(void **state)
{
    (void)state;
    size_t gib = (size_t)1 << 30;
    assert_true(plan_kv_cache(&LLAMA_8B, DTYPE_F32, 131072) == 2 * 16 * gib);
    assert_true(plan_kv_cache(&LLAMA_8B, DTYPE_F16, 131072) == 2 * 8 * gib);
    assert_true(plan_kv_cache(&LLAMA_8B, DTYPE_Q8_0, 131072)
                == 2 * 8 * gib / 64 * 34);
    plan_request r = SMALL;
    memory_plan p;
    lll_error err;
    r.n_ctx = 131072;
    r.cache_type = DTYPE_F32;
    r.n_sequences = 1;
    assert_int_equal(plan_memory(&LLAMA_8B, &r, &p, &err), LLL_OK);
    assert_true(p.bytes[PLAN_KV_CACHE] == 32 * gib);
    assert_true(p.total > 32 * gib && p.total < 33 * gib);
}

static void refuse(const model_config *c, plan_request r, lll_status code,
                   const char *words)
{
    memory_plan p, before;
    lll_error err = {0};
    memset(&p, 0x5a, sizeof p);
    before = p;
    lll_status status = plan_memory(c, &r, &p, &err);
    if (status != code || strstr(err.text, words) == NULL)
        fail_msg("expected %d \"%s\", found %d \"%s\"", (int)code, words,
                 (int)status, err.text);
    assert_memory_equal(&p, &before, sizeof p);
}

static void requests_out_of_range(void **state)
{
    (void)state;
    plan_request r = SMALL;
    r.n_ctx = 1001;
    refuse(&ODD, r, LLL_ERR_ARGUMENT,
           "1001 positions is longer than the model's 1000; use -c 1000");
    for (int i = 0; i < 12; i++) {
        r = SMALL;
        int *fields[] = {&r.n_ctx, &r.n_batch, &r.n_outputs, &r.n_threads,
                         &r.n_sequences};
        static const int large[] = {8, 1025, 65537, INT_MAX};
        if (i < 10)
            *fields[i % 5] = i < 5 ? 0 : -1;
        else
            *fields[i - 8] = large[i - 10];
        refuse(&ODD, r, LLL_ERR_ARGUMENT, "expected to be at least 1");
    }
    r = SMALL;
    r.n_batch = r.n_sequences = 65537;
    refuse(&ODD, r, LLL_ERR_ARGUMENT, "at most 65536");
    r = SMALL;
    r.cache_type = DTYPE_Q8_0;
    refuse(&ODD, r, LLL_ERR_UNSUPPORTED, "a cache of Q8_0");
}

// The largest that config_check() lets through, and the part that breaks.
static void overflow_names_the_part(void **state)
{
    (void)state;
    model_config c = LLAMA_8B;
    c.n_layers = 1 << 12;
    c.n_heads = c.n_kv_heads = 1 << 10;
    c.head_dim = c.rope_dim = 1 << 14;
    c.context_length = 1 << 24;
    lll_error err;
    assert_int_equal(config_check(&c, "here", &err), LLL_OK);
    plan_request r = SMALL;
    r.n_ctx = 1 << 24;
    r.cache_type = DTYPE_F32;           // 2^64 bytes
    refuse(&c, r, LLL_ERR_OVERFLOW, "the key-value cache for a context of "
           "16777216");
    r = SMALL;
    r.index_bytes = SIZE_MAX - 100;
    refuse(&ODD, r, LLL_ERR_OVERFLOW, "together");
    r.index_bytes = SIZE_MAX;
    refuse(&ODD, r, LLL_ERR_OVERFLOW, "file index");
    r.index_bytes = 0;
    r.vocabulary.n_merges = SIZE_MAX / 4;
    refuse(&ODD, r, LLL_ERR_OVERFLOW, "tokenizer");
}

static void smaller_step_by_step(void **state)
{
    static const char *const want[] = {
        "context 4000 -> 2000", "context 2000 -> 1000",
        "context 1000 -> 512", "batch 200 -> 100", "batch 100 -> 64",
        "cache F32 -> F16", "cache F16 -> Q8_0"};
    (void)state;
    plan_request r = {.n_ctx = 4000, .n_batch = 200, .n_outputs = 90,
                      .n_threads = 2, .n_sequences = 1,
                      .cache_type = DTYPE_F32};
    model_config c = LLAMA_8B;
    char line[64];
    size_t last = SIZE_MAX;
    for (int i = 0; i < 7; i++) {
        memory_plan p;
        lll_error err;
        assert_true(plan_shrink(&c, &r, line, sizeof line));
        assert_string_equal(line, want[i]);
        // Each step is a request that can be planned, for less memory.
        assert_int_equal(plan_memory(&c, &r, &p, &err), LLL_OK);
        assert_true(p.total < last);
        last = p.total;
    }
    plan_request end = r;
    assert_false(plan_shrink(&c, &r, line, sizeof line));
    assert_memory_equal(&r, &end, sizeof r);
    assert_int_equal(r.n_ctx, 512);
    assert_int_equal(r.n_batch, 64);
    assert_int_equal(r.n_outputs, 64);
    assert_int_equal(r.n_threads, 2);
}

// What is small already is not made larger.
static void small_stays_small(void **state)
{
    (void)state;
    plan_request r = {.n_ctx = 100, .n_batch = 10, .n_outputs = 1,
                      .cache_type = DTYPE_F16};
    model_config c = LLAMA_8B;
    c.head_dim = 80;            // no whole blocks of Q8_0
    char line[64];
    assert_false(plan_shrink(&c, &r, line, sizeof line));
    assert_int_equal(r.n_ctx, 100);
    r.cache_type = DTYPE_F32;
    assert_true(plan_shrink(&c, &r, line, 8));      // cut off, not beyond
    assert_string_equal(line, "cache F");
    assert_false(plan_shrink(&c, &r, line, sizeof line));
}

// As many threads as allowed fit in the memory that the plan gives them.
static void a_team_fits(void **state)
{
    (void)state;
    static const int counts[] = {1, 2, 17};
    for (int i = 0; i < 3; i++) {
        arena memory;
        thread_team *team;
        lll_error err;
        size_t bytes = plan_thread_team(counts[i]);
        assert_int_equal(arena_init(&memory, bytes, &err), LLL_OK);
        assert_int_equal(threads_start(&team, counts[i],
                                       arena_take(&memory, bytes), &err),
                         LLL_OK);
        threads_stop(team);
        arena_free(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_by_hand),
        cmocka_unit_test(other_families_by_hand),
        cmocka_unit_test(the_sums_add_up),
        cmocka_unit_test(the_cache_agrees),
        cmocka_unit_test(the_cache_of_chapter_1),
        cmocka_unit_test(requests_out_of_range),
        cmocka_unit_test(overflow_names_the_part),
        cmocka_unit_test(smaller_step_by_step),
        cmocka_unit_test(small_stays_small),
        cmocka_unit_test(a_team_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
