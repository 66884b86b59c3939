// One block and the whole of the tiny model against float64, and what must
// not change a single bit: threads, instruction set, how a text is cut.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/attention.h"
#include "common/config.h"
#include "common/config_gguf.h"
#include "common/gguf.h"
#include "common/llama.h"
#include "tests/ref.h"

// Three layers of float sums of at most 160 products, each off by a few
// units of 6e-8.
static const double LIMIT = 1e-5;

enum { LONG_TEXT = 150, VOCAB = 512 };

typedef struct {
    gguf_file file;
    llama model;
} setting;

typedef struct {
    const char *isa;
    matmul_mode mode;
    int n_batch, n_outputs, n_threads, n_sequences, n_ctx;
    dtype cache_type;
} options;

static const options PLAIN = {"scalar", MATMUL_F32, 64, 64, 1, 1, 256,
                              DTYPE_F32};

static void start(setting *s, options o)
{
    lll_error err = {0};
    model_config config;
    if (gguf_open(&s->file, ref_model(), &err) != LLL_OK
        || config_from_gguf(&config, &s->file, &err) != LLL_OK)
        fail_msg("%s", err.text);
    plan_request request = {
        .n_ctx = o.n_ctx, .n_batch = o.n_batch, .n_outputs = o.n_outputs,
        .n_threads = o.n_threads, .n_sequences = o.n_sequences,
        .cache_type = o.cache_type, .index_bytes = s->file.index_bytes};
    if (llama_init(&s->model, &s->file, &config, &request, o.isa, o.mode,
                   &err) != LLL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(config.vocab_size, VOCAB);
}

static void stop(setting *s)
{
    llama_free(&s->model);
    gguf_close(&s->file);
}

static void long_text(int32_t *ids)
{
    float numbers[LONG_TEXT];
    ref_random(80, numbers, LONG_TEXT);
    for (int i = 0; i < LONG_TEXT; i++)
        ids[i] = (int32_t)((numbers[i] + 1.0f) * 0.5f * (VOCAB - 1));
}

// Compares every step that the reference has.
typedef struct {
    const ref_file *file;
    int n_seen;
} watcher;

static void compare_step(void *context, const char *name, int layer,
                         const float *values, int n_rows, int n_columns)
{
    watcher *w = context;
    char full[64];
    if (layer >= 0)
        snprintf(full, sizeof full, "blk.%d.%s", layer, name);
    else
        snprintf(full, sizeof full, "%s", name);
    for (size_t i = 0; i < w->file->n_arrays; i++) {
        const ref_array *want = &w->file->arrays[i];
        if (strcmp(want->name, full) != 0)
            continue;
        assert_int_equal(n_rows, want->dims[0]);
        assert_int_equal(n_columns, want->dims[1]);
        ref_compare(full, values, want, LIMIT);
        w->n_seen++;
    }
}

static void run_reference(const char *path, int n_expected)
{
    ref_file file = ref_read(path);
    watcher w = {&file, 0};
    setting s = {0};
    int32_t ids[64];
    uint8_t all[64];
    lll_error err;
    const float *logits;
    const ref_array *want = ref_find(&file, "ids");
    for (size_t i = 0; i < want->n; i++)
        ids[i] = (int32_t)want->values[i];
    memset(all, 1, sizeof all);
    start(&s, PLAIN);
    s.model.observe = compare_step;
    s.model.observer = &w;
    llama_batch batch = {.n_tokens = (int)want->n, .ids = ids,
                         .wants_logits = all};
    assert_int_equal(llama_forward(&s.model, &batch, &logits, &err), LLL_OK);
    // A step that nobody compared must not look like one that passed.
    assert_int_equal(w.n_seen, n_expected);
    stop(&s);
    ref_free(&file);
}

static void one_block_against_reference(void **state)
{
    (void)state;
    run_reference("08-llama/expected/block.ref", 18);
}

static void whole_model_against_reference(void **state)
{
    (void)state;
    run_reference("08-llama/expected/tiny.ref", 2);
}

// The logits after the long text, cut into batches of n_batch tokens.
static void last_logits(options o, float *out)
{
    int32_t ids[LONG_TEXT];
    setting s = {0};
    lll_error err;
    const float *logits = NULL;
    long_text(ids);
    start(&s, o);
    for (int i = 0; i < LONG_TEXT; i += o.n_batch) {
        int n = LONG_TEXT - i < o.n_batch ? LONG_TEXT - i : o.n_batch;
        llama_batch batch = {.n_tokens = n, .ids = ids + i};
        assert_int_equal(llama_forward(&s.model, &batch, &logits, &err),
                         LLL_OK);
    }
    memcpy(out, logits, VOCAB * sizeof *out);
    stop(&s);
}

static void same_bits_however_it_is_computed(void **state)
{
    static const int batches[] = {1, 2, 63, 64, 65, 150};
    static const int threads[] = {1, 2, 3, 5, 17};
    static float want[VOCAB], got[VOCAB];
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        options o = PLAIN;
        o.mode = mode == 0 ? MATMUL_F32 : MATMUL_Q8;
        o.n_outputs = 1;
        last_logits(o, want);
        for (int b = 0; b < 6; b++)
            for (int fast = 0; fast < 2; fast++) {
                o.n_batch = batches[b];
                o.isa = fast ? NULL : "scalar";
                last_logits(o, got);
                assert_memory_equal(got, want, sizeof want);
            }
        for (int t = 0; t < 5; t++) {
            o.n_batch = 64;
            o.n_threads = threads[t];
            last_logits(o, got);
            assert_memory_equal(got, want, sizeof want);
        }
    }
}

static uint64_t weight_bytes(int n_tokens, matmul_mode mode)
{
    int32_t ids[LONG_TEXT];
    setting s = {0};
    lll_error err;
    const float *logits;
    options o = PLAIN;
    o.mode = mode;
    long_text(ids);
    start(&s, o);
    llama_batch batch = {.n_tokens = n_tokens, .ids = ids};
    assert_int_equal(llama_forward(&s.model, &batch, &logits, &err), LLL_OK);
    uint64_t bytes = s.model.products.weight_bytes;
    assert_true(bytes == s.model.weights.bytes_per_token);
    stop(&s);
    return bytes;
}

static void weights_are_read_once_for_1_and_for_64_tokens(void **state)
{
    (void)state;
    uint64_t one = weight_bytes(1, MATMUL_Q8);
    assert_true(one > 100000);
    assert_true(weight_bytes(64, MATMUL_Q8) == one);
    assert_true(weight_bytes(1, MATMUL_F32) == one);
    assert_true(weight_bytes(64, MATMUL_F32) == one);
}

static void two_texts_side_by_side(void **state)
{
    int32_t ids[LONG_TEXT], mixed[40], sequences[40];
    uint8_t wants[40] = {0};
    float want[2][VOCAB];
    setting s = {0};
    lll_error err;
    const float *logits;
    options o = PLAIN;
    (void)state;
    long_text(ids);
    o.n_sequences = 2;
    start(&s, o);
    for (int text = 0; text < 2; text++) {
        llama_batch alone = {.n_tokens = 20, .ids = ids + 20 * text};
        assert_int_equal(llama_forward(&s.model, &alone, &logits, &err),
                         LLL_OK);
        memcpy(want[text], logits, sizeof want[text]);
        kv_cache_truncate(&s.model.caches[0], 0);
    }
    for (int i = 0; i < 40; i++) {
        sequences[i] = i % 2;
        mixed[i] = ids[20 * (i % 2) + i / 2];
    }
    wants[38] = wants[39] = 1;
    llama_batch batch = {.n_tokens = 40, .ids = mixed,
                         .sequences = sequences, .wants_logits = wants};
    assert_int_equal(llama_forward(&s.model, &batch, &logits, &err), LLL_OK);
    assert_memory_equal(logits, want, sizeof want);
    stop(&s);
}

static void truncating_forgets(void **state)
{
    int32_t ids[LONG_TEXT];
    float want[VOCAB];
    setting s = {0};
    lll_error err;
    const float *logits;
    (void)state;
    long_text(ids);
    start(&s, PLAIN);
    llama_batch first = {.n_tokens = 30, .ids = ids};
    llama_batch other = {.n_tokens = 9, .ids = ids + 60};
    llama_batch again = {.n_tokens = 5, .ids = ids + 25};
    assert_int_equal(llama_forward(&s.model, &first, &logits, &err), LLL_OK);
    memcpy(want, logits, sizeof want);
    assert_int_equal(llama_forward(&s.model, &other, &logits, &err), LLL_OK);
    kv_cache_truncate(&s.model.caches[0], 25);
    assert_int_equal(llama_forward(&s.model, &again, &logits, &err), LLL_OK);
    assert_memory_equal(logits, want, sizeof want);
    stop(&s);
}

static void refuse(llama *model, llama_batch batch, const char *why)
{
    lll_error err = {0};
    const float *untouched = (const float *)why, *logits = untouched;
    int before = model->caches[0].length;
    assert_int_equal(llama_forward(model, &batch, &logits, &err),
                     LLL_ERR_ARGUMENT);
    assert_true(err.text[0] != '\0');
    assert_ptr_equal(logits, untouched);
    assert_int_equal(model->caches[0].length, before);
}

static void bad_batches_change_nothing(void **state)
{
    int32_t ids[65] = {5, 6, 7}, bad[3] = {5, VOCAB, 7}, below[3] = {5, -1};
    int32_t positions[3] = {0, 1, 3}, sequences[3] = {0, 1, 0};
    uint8_t all[64];
    setting s = {0};
    lll_error err;
    const float *logits;
    options o = PLAIN;
    (void)state;
    memset(all, 1, sizeof all);
    o.n_ctx = 64, o.n_outputs = 8;
    start(&s, o);
    llama *m = &s.model;
    refuse(m, (llama_batch){.n_tokens = 0, .ids = ids}, "none");
    refuse(m, (llama_batch){.n_tokens = 65, .ids = ids}, "too many");
    refuse(m, (llama_batch){.n_tokens = 3, .ids = bad}, "id too large");
    refuse(m, (llama_batch){.n_tokens = 3, .ids = below}, "id below zero");
    refuse(m, (llama_batch){.n_tokens = 3, .ids = ids,
                            .positions = positions}, "a gap");
    refuse(m, (llama_batch){.n_tokens = 3, .ids = ids,
                            .sequences = sequences}, "no such sequence");
    refuse(m, (llama_batch){.n_tokens = 9, .ids = ids,
                            .wants_logits = all}, "too many logits");
    llama_batch fits = {.n_tokens = 62, .ids = ids};
    assert_int_equal(llama_forward(m, &fits, &logits, &err), LLL_OK);
    refuse(m, (llama_batch){.n_tokens = 3, .ids = ids}, "context is full");
    stop(&s);
}

// Whoever lays out memory must need no more than the planner counted.
static void the_plan_says_what_the_modules_need(void **state)
{
    (void)state;
    for (int n = 32; n <= 20000; n += 32) {
        assert_true(matmul_scratch_bytes(n) <= plan_matmul_scratch(n));
        for (int rows = 1; rows < 600; rows += 37)
            assert_true(activations_bytes(rows, n)
                        <= plan_activations(rows, n));
    }
    for (int n = 1; n <= 300; n++) {
        assert_true(attention_scratch(n) * sizeof(float)
                    <= plan_attend_scratch(n));
        assert_true(threads_bytes(n) <= plan_thread_team(n));
    }
    setting s = {0};
    start(&s, PLAIN);
    const model_config *c = &s.model.config;
    size_t bytes = 0;
    lll_error err;
    assert_int_equal(kv_cache_bytes(DTYPE_F32, c->n_layers, c->n_kv_heads,
                                    c->head_dim, 100, &bytes, &err), LLL_OK);
    assert_true(bytes <= plan_kv_cache(c, DTYPE_F32, 100));
    // Everything that the plan counted has been handed out, and no more.
    assert_true(s.model.memory.used <= s.model.memory.capacity);
    stop(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_block_against_reference),
        cmocka_unit_test(whole_model_against_reference),
        cmocka_unit_test(same_bits_however_it_is_computed),
        cmocka_unit_test(weights_are_read_once_for_1_and_for_64_tokens),
        cmocka_unit_test(two_texts_side_by_side),
        cmocka_unit_test(truncating_forgets),
        cmocka_unit_test(bad_batches_change_nothing),
        cmocka_unit_test(the_plan_says_what_the_modules_need),
    };
    ref_arguments(argc, argv);
    return cmocka_run_group_tests_name("llama", tests, NULL, NULL);
}
