// A recorded pass, read back: each name and shape, the tokens, the values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/session.h"
#include "common/trace.h"
#include "common/trace_write.h"

enum { N = 5, D_MODEL = 64, Q = 64, KV = 32, D_FF = 160, VOCAB = 512,
       N_LAYERS = 3 };
// H, <|im_start|>, the byte C3, " the", "."
static const int32_t IDS[N] = {42, 1, 130, 262, 16};
static const char *const TEXTS[N] = {"H", "<|im_start|>", NULL, " the", "."};

static const struct { const char *name; int width; } STEPS[] = {
    {"attn_norm", D_MODEL}, {"q", Q}, {"k", KV}, {"v", KV}, {"q_rope", Q},
    {"k_rope", KV}, {"attention", Q}, {"attn_output", D_MODEL},
    {"attn_residual", D_MODEL}, {"ffn_norm", D_MODEL}, {"ffn_gate", D_FF},
    {"ffn_up", D_FF}, {"ffn_act", D_FF}, {"ffn_down", D_MODEL},
    {"ffn_residual", D_MODEL}};
enum { N_STEPS = sizeof STEPS / sizeof STEPS[0] };

static void start(session *s)
{
    session_options o = session_defaults();
    lll_error err;
    o.n_threads = 1;
    o.n_outputs = N;
    if (session_open(s, "data/tiny.gguf", &o, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

static const float *forward(session *s, bool all)
{
    static const uint8_t wants[N] = {1, 1, 1, 1, 1};
    const float *logits;
    lll_error err;
    llama_batch batch = {.n_tokens = N, .ids = IDS,
                         .wants_logits = all ? wants : NULL};
    assert_int_equal(llama_forward(&s->model, &batch, &logits, &err),
                     LLL_OK);
    return logits;
}

static lll_status write_trace(session *s, bool all, const char *path,
                              lll_error *err)
{
    static const uint8_t wants[N] = {1, 1, 1, 1, 1};
    llama_batch batch = {.n_tokens = N, .ids = IDS,
                         .wants_logits = all ? wants : NULL};
    return trace_write(&s->model, &s->words, &batch, path, err);
}

static void new_path(char *path)
{
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
}

static void check_tensor(const gguf_file *file, const char *name, int width,
                         int n_rows, const float *values)
{
    const uint64_t dims[] = {(uint64_t)width, (uint64_t)n_rows};
    gguf_tensor tensor;
    lll_error err;
    if (gguf_find_tensor(file, name, dims, 2, &tensor, &err) != LLL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(tensor.type, DTYPE_F32);
    if (values != NULL)
        assert_memory_equal(tensor.data, values, tensor.n_bytes);
}

static void every_step_is_there(void **state)
{
    (void)state;
    for (int all = 0; all < 2; all++) {
        char path[] = "/tmp/trace-XXXXXX", name[64];
        session s;
            trace back;
        lll_error err = {0};
        new_path(path);
        start(&s);
        if (write_trace(&s, all, path, &err) != LLL_OK)
            fail_msg("%s", err.text);
        assert_null(s.model.observe);
        assert_int_equal(s.model.caches[0].length, N);
        const float *logits = s.model.logits;
        assert_int_equal(trace_open(&back, path, &err), LLL_OK);
        remove(path);
        int n_out = all ? N : 1;
        for (int layer = 0; layer < N_LAYERS; layer++)
            for (int i = 0; i < N_STEPS; i++) {
                snprintf(name, sizeof name, "blk.%d.%s", layer,
                         STEPS[i].name);
                check_tensor(&back.file, name, STEPS[i].width, N, NULL);
            }
        check_tensor(&back.file, "embedding", D_MODEL, N, NULL);
        check_tensor(&back.file, "final_norm", D_MODEL, n_out, NULL);
        check_tensor(&back.file, "logits", VOCAB, n_out, logits);
        // Those, a weight for each layer, and nothing else.
        assert_int_equal(back.file.n_tensors, N_LAYERS * (N_STEPS + 1) + 3);
        trace_close(&back);
        session_close(&s);
    }
}

static void the_reader_of_chapter_5_agrees(void **state)
{
    char path[] = "/tmp/trace-XXXXXX";
    session s;
    trace t;
    trace_rows rows;
    lll_error err;
    (void)state;
    new_path(path);
    start(&s);
    assert_int_equal(write_trace(&s, false, path, &err), LLL_OK);
    if (trace_open(&t, path, &err) != LLL_OK)
        fail_msg("%s", err.text);
    remove(path);
    assert_int_equal(t.n_tokens, N);
    assert_int_equal(t.n_layers, N_LAYERS);
    assert_int_equal(t.d_model, D_MODEL);
    assert_int_equal(t.n_heads, 4);
    assert_int_equal(t.n_kv_heads, 2);
    assert_int_equal(t.head_dim, 16);
    assert_int_equal(t.rope_dim, 16);
    assert_true(t.rope_scale == 1 && t.rope_factors == NULL);
    assert_true(t.rope_theta == 10000 && t.norm_eps == 1e-5f);
    for (int i = 0; i < N; i++)
        if (TEXTS[i] != NULL)
            assert_true(gguf_string_is(t.tokens[i], TEXTS[i]));
    // A part of a character is kept as the byte it is.
    assert_int_equal(t.tokens[2].n_bytes, 1);
    assert_true((unsigned char)t.tokens[2].bytes[0] >= 0x80);
    const gguf_value *ids = gguf_find_value(&t.file, "trace.ids");
    assert_non_null(ids);
    for (int i = 0; i < N; i++)
        assert_int_equal(gguf_item_i64(ids, (uint64_t)i), IDS[i]);
    for (int layer = 0; layer < N_LAYERS; layer++) {
        assert_int_equal(trace_read(&t, layer, "attn_norm.weight", &rows,
                                    &err), LLL_OK);
        assert_memory_equal(rows.values,
                            s.model.weights.layers[layer].attn_norm,
                            D_MODEL * sizeof(float));
        trace_rows_free(&rows);
    }
    trace_close(&t);
    session_close(&s);
}

// What changes the angles travels with them.
static void the_angles_travel(void **state)
{
    static const float factors[8] = {1, 1, 1, 2, 4, 8, 8, 8};
    char path[] = "/tmp/trace-XXXXXX";
    session s;
    trace t;
    lll_error err;
    (void)state;
    new_path(path);
    start(&s);
    s.model.config.rope_scale = 2;
    s.model.weights.rope_factors = factors;
    assert_int_equal(write_trace(&s, false, path, &err), LLL_OK);
    if (trace_open(&t, path, &err) != LLL_OK)
        fail_msg("%s", err.text);
    remove(path);
    assert_true(t.rope_scale == 2);
    assert_non_null(t.rope_factors);
    assert_memory_equal(t.rope_factors, factors, sizeof factors);
    trace_close(&t);
    session_close(&s);
}

// Watching changes nothing, and ends with the recording.
static void a_watched_pass_is_the_same(void **state)
{
    static float plain[VOCAB];
    (void)state;
    char path[] = "/tmp/trace-XXXXXX";
    session s;
    lll_error err;
    new_path(path);
    start(&s);
    memcpy(plain, forward(&s, false), sizeof plain);
    kv_cache_truncate(&s.model.caches[0], 0);
    assert_int_equal(write_trace(&s, false, path, &err), LLL_OK);
    assert_memory_equal(s.model.logits, plain, sizeof plain);
    remove(path);
    kv_cache_truncate(&s.model.caches[0], 0);
    assert_memory_equal(forward(&s, false), plain, sizeof plain);
    session_close(&s);
}

static void failures_leave_no_file(void **state)
{
    char path[] = "/tmp/trace-XXXXXX";
    (void)state;
    session s;
    lll_error err = {0};
    new_path(path);
    remove(path);
    start(&s);
    assert_int_equal(write_trace(&s, false, "/nowhere/at/all/trace.gguf",
                                 &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_null(s.model.observe);
    assert_int_equal(s.model.caches[0].length, 0);

    // Seen when the steps are listed, when they are written, and before.
    const llama_batch wrong[] = {
        {.n_tokens = 1, .ids = (int32_t[]){-1}},
        {.n_tokens = 2, .ids = (int32_t[]){1, 512}},
        {.n_tokens = 0, .ids = IDS},
        {.n_tokens = 513, .ids = IDS}};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(trace_write(&s.model, &s.words, &wrong[i], path,
                                     &err), LLL_ERR_ARGUMENT);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_null(s.model.observe);
    assert_int_equal(s.model.caches[0].length, 0);
    session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_is_there),
        cmocka_unit_test(the_reader_of_chapter_5_agrees),
        cmocka_unit_test(the_angles_travel),
        cmocka_unit_test(a_watched_pass_is_the_same),
        cmocka_unit_test(failures_leave_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
