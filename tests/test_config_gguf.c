// Descriptions read from files that are made here: right ones, and one wrong
// thing at a time.
#include <limits.h>
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

#include "common/config.h"
#include "common/config_gguf.h"
#include "common/gguf_write.h"

// What a file says. A key with the value ABSENT is not written.
#define ABSENT UINT64_MAX
typedef struct {
    const char *architecture, *scaling;
    uint64_t layers, d_model, heads, kv_heads, d_ff, context;
    uint64_t key_length, value_length, rope_dim, experts, vocab_key;
    double eps, theta, linear, factor;      // NAN: not written
    bool nan_eps;
    uint64_t rows, tokens;                  // of the table, of the list
    int table_dims;                         // 0: no table
    bool output, bias, factors;
} wish;

static const wish GOOD = {
    .architecture = "llama", .layers = 2, .d_model = 8, .heads = 4,
    .kv_heads = 2, .d_ff = 24, .context = 128, .key_length = ABSENT,
    .value_length = ABSENT, .rope_dim = ABSENT, .experts = ABSENT,
    .vocab_key = ABSENT, .eps = 1e-5, .theta = NAN, .linear = NAN,
    .factor = NAN, .rows = 3, .tokens = 3, .table_dims = 2,
};

static void set_count(gguf_writer *out, const char *key, uint64_t value)
{
    if (value != ABSENT)
        gguf_set_u64(out, key, value);
}

static void set_real(gguf_writer *out, const char *key, double value)
{
    if (!isnan(value))
        gguf_set_f32(out, key, (float)value);
}

static void set_numbers(gguf_writer *out, const wish *w)
{
    if (w->architecture != NULL)
        gguf_set_string(out, "general.architecture", w->architecture,
                        strlen(w->architecture));
    set_count(out, "llama.block_count", w->layers);
    set_count(out, "llama.embedding_length", w->d_model);
    set_count(out, "llama.attention.head_count", w->heads);
    set_count(out, "llama.attention.head_count_kv", w->kv_heads);
    set_count(out, "llama.feed_forward_length", w->d_ff);
    set_count(out, "llama.context_length", w->context);
    set_count(out, "llama.attention.key_length", w->key_length);
    set_count(out, "llama.attention.value_length", w->value_length);
    set_count(out, "llama.rope.dimension_count", w->rope_dim);
    set_count(out, "llama.expert_count", w->experts);
    set_count(out, "llama.vocab_size", w->vocab_key);
    set_real(out, "llama.rope.freq_base", w->theta);
    set_real(out, "llama.rope.scale_linear", w->linear);
    set_real(out, "llama.rope.scaling.factor", w->factor);
    set_real(out, "llama.attention.layer_norm_rms_epsilon", w->eps);
    if (w->nan_eps)
        gguf_set_f32(out, "llama.attention.layer_norm_rms_epsilon", NAN);
    if (w->scaling != NULL)
        gguf_set_string(out, "llama.rope.scaling.type", w->scaling,
                        strlen(w->scaling));
}

static void set_tensors(gguf_writer *out, const wish *w)
{
    static const float zeros[64];
    static const gguf_string words[8] = {
        {"a", 1}, {"b", 1}, {"c", 1}, {"d", 1},
        {"e", 1}, {"f", 1}, {"g", 1}, {"h", 1}};
    const uint64_t table[] = {8, w->rows}, one[] = {8};
    if (w->tokens != ABSENT)
        gguf_set_strings(out, "tokenizer.ggml.tokens", words, w->tokens);
    if (w->table_dims > 0)
        gguf_add_tensor(out, "token_embd.weight", DTYPE_F32, table,
                        w->table_dims, zeros);
    if (w->output)
        gguf_add_tensor(out, "output.weight", DTYPE_F32, table, 2, zeros);
    if (w->bias)
        gguf_add_tensor(out, "blk.0.attn_q.bias", DTYPE_F32, one, 1, zeros);
    if (w->factors)
        gguf_add_tensor(out, "rope_freqs.weight", DTYPE_F32, one, 1, zeros);
}

static lll_status read_wish(const wish *w, model_config *c, char *text)
{
    char path[] = "/tmp/config-XXXXXX";
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    gguf_writer out;
    gguf_file file;
    lll_error err = {0};
    gguf_writer_init(&out);
    gguf_set_string(&out, "general.name", "of this test", 12);
    set_numbers(&out, w);
    set_tensors(&out, w);
    assert_int_equal(gguf_write(&out, path, &err), LLL_OK);
    gguf_writer_free(&out);
    assert_int_equal(gguf_open(&file, path, &err), LLL_OK);
    remove(path);                       // the mapping keeps the bytes
    lll_status status = config_from_gguf(c, &file, &err);
    // Every sentence names the file.
    if (status != LLL_OK)
        assert_non_null(strstr(err.text, path));
    strcpy(text, err.text);
    gguf_close(&file);
    return status;
}

static model_config accept(const wish *w)
{
    model_config c = {0};
    char text[512];
    if (read_wish(w, &c, text) != LLL_OK)
        fail_msg("refused: %s", text);
    return c;
}

// Refused with this code, a sentence that holds these words, and a
// description that stays as it was.
static void refuse(const wish *w, lll_status code, const char *words)
{
    model_config c, before;
    char text[512];
    memset(&c, 0x5a, sizeof c);
    before = c;
    lll_status status = read_wish(w, &c, text);
    if (status != code || strstr(text, words) == NULL)
        fail_msg("expected %d \"%s\", found %d \"%s\"", (int)code, words,
                 (int)status, text);
    assert_memory_equal(&c, &before, sizeof c);
}

static void a_plain_file(void **state)
{
    (void)state;
    model_config c = accept(&GOOD);
    assert_string_equal(c.architecture, "llama");
    assert_string_equal(c.name, "of this test");
    assert_int_equal(c.n_layers, 2);
    assert_int_equal(c.d_model, 8);
    assert_int_equal(c.n_heads, 4);
    assert_int_equal(c.n_kv_heads, 2);
    assert_int_equal(c.head_dim, 2);    // by division
    assert_int_equal(c.rope_dim, 2);    // all of the head
    assert_int_equal(c.d_ff, 24);
    assert_int_equal(c.vocab_size, 3);
    assert_int_equal(c.context_length, 128);
    assert_true(c.rope_theta == 10000.0 && c.rope_scale == 1.0);
    assert_true(c.norm_eps == (double)1e-5f);
    assert_true(c.tied_output);
    assert_false(c.qkv_bias);
    assert_false(c.rope_factors);
}

static void what_a_file_may_say_beside(void **state)
{
    (void)state;
    wish w = GOOD;
    w.heads = 3;                        // 3 does not divide 8
    w.kv_heads = ABSENT;                // as many as there are heads
    w.key_length = w.value_length = 6;
    w.rope_dim = 4;
    w.theta = 500000;
    w.scaling = "linear";
    w.factor = 4;
    w.output = w.bias = w.factors = true;
    w.experts = 0;
    w.tokens = ABSENT;                  // no vocabulary: for a plan alone
    model_config c = accept(&w);
    assert_int_equal(c.n_kv_heads, 3);
    assert_int_equal(c.head_dim, 6);
    assert_int_equal(c.rope_dim, 4);
    assert_true(c.rope_theta == 500000.0 && c.rope_scale == 4.0);
    assert_true(!c.tied_output && c.qkv_bias && c.rope_factors);
    w.scaling = "none";
    assert_true(accept(&w).rope_scale == 1.0);
    w.scaling = NULL;                   // not named: linear
    assert_true(accept(&w).rope_scale == 4.0);
    w.factor = 0;                       // 0 says that there is none
    assert_true(accept(&w).rope_scale == 1.0);
    w.factor = NAN;                     // left out; the older key is there
    w.linear = 2;
    assert_true(accept(&w).rope_scale == 2.0);
}

static void missing_keys_are_named(void **state)
{
    (void)state;
    wish w[7];
    for (int i = 0; i < 7; i++)
        w[i] = GOOD;
    w[0].architecture = NULL;
    w[1].layers = ABSENT;
    w[2].d_model = ABSENT;
    w[3].heads = ABSENT;
    w[4].d_ff = ABSENT;
    w[5].context = ABSENT;
    w[6].eps = NAN;
    refuse(&w[0], LLL_ERR_NOT_FOUND, "general.architecture");
    refuse(&w[1], LLL_ERR_NOT_FOUND, "llama.block_count");
    refuse(&w[2], LLL_ERR_NOT_FOUND, "llama.embedding_length");
    refuse(&w[3], LLL_ERR_NOT_FOUND, "llama.attention.head_count");
    refuse(&w[4], LLL_ERR_NOT_FOUND, "llama.feed_forward_length");
    refuse(&w[5], LLL_ERR_NOT_FOUND, "llama.context_length");
    refuse(&w[6], LLL_ERR_NOT_FOUND, "layer_norm_rms_epsilon");
    w[0] = GOOD;
    w[0].table_dims = 0;
    w[0].bias = true;                   // a file has at least one tensor
    refuse(&w[0], LLL_ERR_NOT_FOUND, "token_embd.weight");
}

static void contradictions_are_explained(void **state)
{
    (void)state;
    wish w = GOOD;
    w.heads = w.kv_heads = 3;
    refuse(&w, LLL_ERR_FORMAT, "3 heads do not divide");
    refuse(&w, LLL_ERR_FORMAT, "llama.attention.key_length is missing");
    w = GOOD;
    w.kv_heads = 3;
    refuse(&w, LLL_ERR_FORMAT, "3 key-value heads do not divide 4");
    w.kv_heads = 8;                     // more than there are heads
    refuse(&w, LLL_ERR_FORMAT, "8 key-value heads do not divide 4");
    w = GOOD;
    w.rope_dim = 1;
    refuse(&w, LLL_ERR_FORMAT, "RoPE over 1 numbers of a head of 2");
    w.rope_dim = 4;
    refuse(&w, LLL_ERR_FORMAT, "RoPE over 4 numbers of a head of 2");
    w = GOOD;
    w.key_length = 3;                   // RoPE turns all of it by default
    refuse(&w, LLL_ERR_FORMAT, "RoPE over 3 numbers");
    w = GOOD;
    w.tokens = 4;
    refuse(&w, LLL_ERR_FORMAT, "one for each of the 4 tokens");
    w = GOOD;
    w.table_dims = 1;
    refuse(&w, LLL_ERR_FORMAT, "1 dimensions");
}

static void what_we_cannot_do_is_refused(void **state)
{
    (void)state;
    wish w = GOOD;
    w.architecture = "mamba";
    refuse(&w, LLL_ERR_UNSUPPORTED, "\"mamba\", expected \"llama\", ");
    w.architecture = "an architecture with quite a long name";
    refuse(&w, LLL_ERR_UNSUPPORTED, "an architecture with qu");
    w = GOOD;
    w.experts = 8;
    refuse(&w, LLL_ERR_UNSUPPORTED, "8 experts");
    w.experts = UINT64_MAX - 1;
    refuse(&w, LLL_ERR_UNSUPPORTED, "experts");
    w = GOOD;
    w.value_length = 4;
    refuse(&w, LLL_ERR_UNSUPPORTED, "values of 4 numbers beside keys of 2");
    w = GOOD;
    w.scaling = "yarn";
    refuse(&w, LLL_ERR_UNSUPPORTED, "\"yarn\", expected \"none\"");
}

static void absurd_numbers_are_refused(void **state)
{
    static const uint64_t bad[] = {0, 1 << 25, (uint64_t)INT_MAX + 1,
                                   (uint64_t)UINT32_MAX + 2, ABSENT - 1};
    (void)state;
    for (int i = 0; i < 5; i++)
        for (int field = 0; field < 7; field++) {
            wish w = GOOD;
            uint64_t *fields[] = {&w.layers, &w.d_model, &w.heads,
                                  &w.kv_heads, &w.d_ff, &w.context,
                                  &w.key_length};
            *fields[field] = bad[i];
            refuse(&w, LLL_ERR_FORMAT, "expected 1 to");
        }
    wish w = GOOD;
    w.layers = 5000;
    refuse(&w, LLL_ERR_FORMAT, "layers: found 5000, expected 1 to 4096");
    w = GOOD;
    w.key_length = 1 << 15;
    refuse(&w, LLL_ERR_FORMAT, "numbers of a head: found 32768");
    w = GOOD;
    w.heads = w.kv_heads = 1 << 12;
    w.key_length = 1 << 13;
    refuse(&w, LLL_ERR_FORMAT, "are wider than");
}

static void numbers_that_are_none(void **state)
{
    static const double eps[] = {0, -1e-5, 1, INFINITY};
    static const double theta[] = {0, -1, INFINITY}, scale[] = {-1, INFINITY};
    (void)state;
    wish w = GOOD;
    for (int i = 0; i < 4; i++) {
        w.eps = eps[i];
        refuse(&w, LLL_ERR_FORMAT, "norm_eps");
    }
    w = GOOD;
    w.eps = NAN;                        // NAN here: the key is not written
    w.nan_eps = true;                   // and here it is, with that value
    refuse(&w, LLL_ERR_FORMAT, "norm_eps nan");
    for (int i = 0; i < 3; i++) {
        w = GOOD;
        w.theta = theta[i];
        refuse(&w, LLL_ERR_FORMAT, "rope_theta");
    }
    for (int i = 0; i < 2; i++) {
        w = GOOD;
        w.linear = scale[i];
        refuse(&w, LLL_ERR_FORMAT, "rope_scale");
    }
}

static void the_model_in_data(void **state)
{
    (void)state;
    gguf_file file;
    model_config c;
    lll_error err;
    uint64_t n = 0;
    assert_int_equal(gguf_open(&file, "data/tiny.gguf", &err), LLL_OK);
    assert_int_equal(config_from_gguf(&c, &file, &err), LLL_OK);
    for (size_t i = 0; i < file.n_tensors; i++)
        n += file.tensors[i].n_elements;
    assert_true(config_count(&c).total == n);
    gguf_close(&file);
}

static void layers_in_names(void **state)
{
    static const struct { const char *name, *rest; int layer; } names[] = {
        {"blk.0.attn_q.weight", "attn_q.weight", 0}, {"blk.6.a", "a", 6},
        {"blk.06.a", "a", 6}, {"blk.3..", ".", 3}, {"blk.7.a", NULL, -1},
        {"blk.-1.a", NULL, -1}, {"blk..a", NULL, -1}, {"blk.1", NULL, -1},
        {"blk.", NULL, -1}, {"", NULL, -1}, {"xblk.1.a", NULL, -1},
        {"blk.99999999999999999999.a", NULL, -1}, {"blk.1x.a", NULL, -1},
        {"output.weight", NULL, -1}, {"blk.4294967296.a", NULL, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        // In memory of its own: not a byte behind the name may be read.
        size_t n = strlen(names[i].name);
        char *copy = malloc(n + (n == 0));
        assert_non_null(copy);
        memcpy(copy, names[i].name, n);
        gguf_string rest = {copy, 0};
        assert_int_equal(config_tensor_layer((gguf_string){copy, n}, 7,
                                             &rest), names[i].layer);
        if (names[i].rest != NULL)
            assert_true(gguf_string_is(rest, names[i].rest));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_file),
        cmocka_unit_test(what_a_file_may_say_beside),
        cmocka_unit_test(missing_keys_are_named),
        cmocka_unit_test(contradictions_are_explained),
        cmocka_unit_test(what_we_cannot_do_is_refused),
        cmocka_unit_test(absurd_numbers_are_refused),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(the_model_in_data),
        cmocka_unit_test(layers_in_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
