// Reading recorded steps: the file in data/, and files that are not traces.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/gguf_write.h"
#include "common/trace.h"

static void the_committed_trace(void **state)
{
    (void)state;
    trace t;
    trace_rows rows;
    lll_error err;
    assert_int_equal(trace_open(&t, "data/trace.gguf", &err), LLL_OK);
    assert_int_equal(t.d_model, 576);
    assert_int_equal(t.n_heads, 9);
    assert_int_equal(t.n_kv_heads, 3);
    assert_int_equal(t.head_dim, 64);
    assert_int_equal(t.rope_dim, 64);
    assert_true(t.rope_theta == 100000);
    assert_true(gguf_string_is(t.tokens[1], " animal"));
    assert_int_equal(trace_read(&t, t.layers[0], "k", &rows, &err), LLL_OK);
    assert_int_equal(rows.n_rows, t.n_tokens);
    assert_int_equal(rows.n_columns, 3 * 64);
    assert_int_equal(rows.type, DTYPE_F16);
    trace_rows_free(&rows);
    assert_int_equal(trace_read(&t, t.layers[0], "attn_norm.weight", &rows,
                                &err), LLL_OK);
    assert_int_equal(rows.n_rows, 1);
    assert_int_equal(rows.type, DTYPE_F32);
    trace_rows_free(&rows);
    trace_rows_free(&rows);             // a zeroed one
    trace_close(&t);
    trace_close(&t);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    trace t;
    trace_rows rows = {.n_rows = 77};
    lll_error err;
    assert_int_equal(trace_open(&t, "data/trace.gguf", &err), LLL_OK);
    assert_int_equal(trace_read(&t, 999, "q", &rows, &err),
                     LLL_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "layer 999 was not recorded"));
    assert_int_equal(trace_read(&t, t.layers[0], "nothing", &rows, &err),
                     LLL_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, ".nothing"));
    assert_int_equal(rows.n_rows, 77);
    trace_close(&t);
    assert_int_equal(trace_open(&t, "data/tiny.gguf", &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "general.type"));
    assert_null(t.tokens);
}

// --- files made here -------------------------------------------------------

typedef struct {
    uint32_t d_model, n_heads, n_kv_heads, rope_dim;
    float theta, eps;
    int n_tokens, n_layers;
    dtype type;
    uint64_t width;
    uint32_t head_dim;                  // 0: no key for it
    int64_t layer;                      // 0: layer 3
    float factor;                       // 0: nothing about scaling
    const char *scaling;                // NULL: "linear"
    float factors[2];                   // 0, 0: no such tensor
} wish;

static const wish GOOD = {8, 2, 1, 4, 10000, 1e-5f, 2, 1, DTYPE_F32, 8,
                          0, 0, 0, NULL, {0, 0}};

static lll_status write_and_open(const wish *w, trace *t, char *text)
{
    char path[] = "/tmp/trace-XXXXXX";
    int handle = mkstemp(path);
    const int64_t layers[2] = {w->layer != 0 ? w->layer : 3, 3};
    assert_true(handle >= 0);
    close(handle);
    const gguf_string tokens[] = {{"a", 1}, {"b", 1}};
    const float x[32] = {1, 2, 3};
    uint64_t dims[] = {w->width, 2};
    gguf_writer out;
    lll_error err = {0};
    gguf_writer_init(&out);
    gguf_set_string(&out, "general.type", "trace", 5);
    gguf_set_u32(&out, "llama.embedding_length", w->d_model);
    gguf_set_u32(&out, "llama.attention.head_count", w->n_heads);
    gguf_set_u32(&out, "llama.attention.head_count_kv", w->n_kv_heads);
    gguf_set_u32(&out, "llama.rope.dimension_count", w->rope_dim);
    gguf_set_f32(&out, "llama.rope.freq_base", w->theta);
    gguf_set_f32(&out, "llama.attention.layer_norm_rms_epsilon", w->eps);
    gguf_set_strings(&out, "trace.tokens", tokens, (uint64_t)w->n_tokens);
    if (w->factor != 0) {
        const char *type = w->scaling != NULL ? w->scaling : "linear";
        gguf_set_string(&out, "llama.rope.scaling.type", type, strlen(type));
        gguf_set_f32(&out, "llama.rope.scaling.factor", w->factor);
    }
    const uint64_t two = 2;
    if (w->factors[1] != 0)
        gguf_add_tensor(&out, "rope_freqs.weight", w->type, &two, 1,
                        w->factors);
    if (w->head_dim > 0)
        gguf_set_u32(&out, "llama.attention.key_length", w->head_dim);
    if (w->n_layers > 0)
        gguf_set_array(&out, "trace.layers", GGUF_I64, layers,
                       (uint64_t)w->n_layers);
    else
        gguf_set_u32(&out, "llama.block_count", 5);
    gguf_add_tensor(&out, "blk.3.q", w->type, dims, 2, x);
    gguf_add_tensor(&out, "blk.3.ffn_residual", w->type, dims, 2, x + 1);
    assert_int_equal(gguf_write(&out, path, &err), LLL_OK);
    gguf_writer_free(&out);
    lll_status status = trace_open(t, path, &err);
    strcpy(text, err.text);
    remove(path);                       // the mapping keeps the bytes
    return status;
}

static void a_good_one_opens(void **state)
{
    (void)state;
    trace t;
    trace_rows q;
    char text[512];
    assert_int_equal(write_and_open(&GOOD, &t, text), LLL_OK);
    assert_int_equal(trace_read(&t, 3, "q", &q, NULL), LLL_OK);
    assert_true(q.values[2] == 3.0f);
    assert_true(t.rope_scale == 1);
    assert_null(t.rope_factors);
    trace_rows_free(&q);
    trace_close(&t);
}

static void a_stretched_one_opens(void **state)
{
    (void)state;
    trace t;
    char text[512];
    wish w = GOOD;
    w.factor = 2;
    w.factors[0] = 1;
    w.factors[1] = 8;
    assert_int_equal(write_and_open(&w, &t, text), LLL_OK);
    assert_true(t.rope_scale == 2);
    assert_true(t.rope_factors[0] == 1 && t.rope_factors[1] == 8);
    trace_close(&t);
    assert_null(t.rope_factors);
    w.scaling = "none";
    assert_int_equal(write_and_open(&w, &t, text), LLL_OK);
    assert_true(t.rope_scale == 1);
    trace_close(&t);
    w.scaling = "yarn";
    assert_int_equal(write_and_open(&w, &t, text), LLL_ERR_UNSUPPORTED);
    w.scaling = NULL;
    w.type = DTYPE_F16;
    assert_int_equal(write_and_open(&w, &t, text), LLL_ERR_UNSUPPORTED);
    assert_non_null(strstr(text, "rope_freqs.weight"));
    assert_null(t.rope_factors);
}

// What chapter 8 records: every layer, and no list of them.
static void a_whole_pass_opens(void **state)
{
    (void)state;
    trace t;
    trace_rows input = {0};
    char text[512];
    lll_error err;
    wish w = GOOD;
    w.n_layers = 0;
    assert_int_equal(write_and_open(&w, &t, text), LLL_OK);
    assert_int_equal(t.n_layers, 5);
    assert_int_equal(t.layers[4], 4);
    assert_int_equal(trace_read(&t, 4, "input", &input, &err), LLL_OK);
    assert_true(input.values[0] == 2.0f);
    trace_rows_free(&input);
    assert_int_equal(trace_read(&t, 0, "input", &input, &err),
                     LLL_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "embedding"));
    trace_close(&t);
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    wish w[17];
    for (int i = 0; i < 17; i++)
        w[i] = GOOD;
    w[0].n_heads = 0;
    w[1].n_kv_heads = 3;
    w[2].rope_dim = 3;
    w[3].rope_dim = 6;                  // a head has 4
    w[4].theta = 0;
    w[5].eps = NAN;
    w[6].n_tokens = 0;
    w[7].d_model = 0xffffffffu;
    w[8].layer = INT64_C(0x100000003);  // 3, when it is cut to 32 bits
    w[9].layer = -1;
    w[10].layer = INT64_MAX;
    w[11].n_layers = 2;                 // 3, 3
    w[12].n_heads = 1 << 12;            // times 2^20: 0 in 32 bits
    w[12].head_dim = 1 << 20;
    w[13].factor = -1;
    w[14].factor = INFINITY;
    w[15].factors[1] = -8;
    w[16].factors[0] = 1;
    w[16].factors[1] = NAN;
    const char *reason[] = {"head_count is 0", "cannot share", "even number",
                            "even number", "rope base", "epsilon",
                            "trace.tokens", "4294967295",
                            "layers[0] is 4294967299", "layers[0] is -1",
                            "layers[0] is 9223372036854775807",
                            "layers[1] is 3, expected 4",
                            "4096 heads of 1048576", "factor is -1",
                            "factor is inf", "freqs.weight[0] is 0",
                            "freqs.weight[1] is"};
    for (int i = 0; i < 17; i++) {
        trace t;
        char text[512];
        assert_int_equal(write_and_open(&w[i], &t, text), LLL_ERR_FORMAT);
        if (strstr(text, reason[i]) == NULL)
            fail_msg("case %d: \"%s\" lacks \"%s\"", i, text, reason[i]);
        assert_null(t.file.path);
    }
}

static void bad_tensors_are_refused(void **state)
{
    (void)state;
    trace t;
    trace_rows q = {0};
    char text[512];
    lll_error err;
    wish w = GOOD;
    w.width = 4;
    assert_int_equal(write_and_open(&w, &t, text), LLL_OK);
    assert_int_equal(trace_read(&t, 3, "q", &q, &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, "expected 2 rows of 8"));
    trace_close(&t);
    w = GOOD;
    w.type = DTYPE_BF16;
    assert_int_equal(write_and_open(&w, &t, text), LLL_OK);
    assert_int_equal(trace_read(&t, 3, "q", &q, &err), LLL_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "BF16"));
    assert_null(q.values);
    trace_close(&t);
}

static void a_difference_never_hides(void **state)
{
    (void)state;
    const float a[3] = {1, 2, 4}, b[3] = {1, 2.5f, 5}, zero[3] = {0};
    const float bad[3] = {1, NAN, 5};
    assert_true(trace_difference(a, a, 3) == 0);
    assert_true(trace_difference(a, b, 3) == 0.2);
    assert_true(trace_difference(a, zero, 3) == 4);
    assert_true(isnan(trace_difference(bad, b, 3)));
    assert_true(isnan(trace_difference(b, bad, 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_committed_trace),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_good_one_opens),
        cmocka_unit_test(a_stretched_one_opens),
        cmocka_unit_test(a_whole_pass_opens),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(bad_tensors_are_refused),
        cmocka_unit_test(a_difference_never_hides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
