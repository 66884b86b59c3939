// Descriptions read from JSON: each way to say the same, and what is left
// alone when something is wrong. The sentences are compared in
// test_calculator_input.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config_json.h"

static lll_status read_text(const char *text, model_config *c, char *said)
{
    char path[] = "/tmp/config-json-XXXXXX";
    lll_error err = {0};
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    assert_true(write(handle, text, strlen(text)) == (ssize_t)strlen(text));
    close(handle);
    lll_status status = config_from_json(c, path, &err);
    remove(path);
    if (status != LLL_OK)
        assert_non_null(strstr(err.text, path));
    strcpy(said, err.text);
    return status;
}

static model_config accept(const char *text)
{
    model_config c;
    char said[512];
    if (read_text(text, &c, said) != LLL_OK)
        fail_msg("refused: %s", said);
    return c;
}

static void refuse(const char *text, lll_status code, const char *words)
{
    model_config c, before;
    char said[512];
    memset(&c, 0x5a, sizeof c);
    before = c;
    lll_status status = read_text(text, &c, said);
    if (status != code || strstr(said, words) == NULL)
        fail_msg("expected %d \"%s\", found %d \"%s\"", (int)code, words,
                 (int)status, said);
    assert_memory_equal(&c, &before, sizeof c);
}

static void ours(void **state)
{
    (void)state;
    model_config c = accept(
        "{\"architecture\": \"llama\", \"name\": \"mine\", \"n_layers\": 2,"
        " \"d_model\": 64, \"n_heads\": 4, \"n_kv_heads\": 2, \"head_dim\":"
        " 8, \"d_ff\": 100, \"vocab_size\": 10, \"context_length\": 32,"
        " \"batch_size\": 6, \"tied_output\": false, \"qkv_bias\": true,"
        " \"rope_theta\": 5e5, \"norm_eps\": 1e-6, \"note\": [1, {}]}");
    assert_string_equal(c.architecture, "llama");
    assert_string_equal(c.name, "mine");
    assert_int_equal(c.n_layers, 2);
    assert_int_equal(c.d_model, 64);
    assert_int_equal(c.n_heads, 4);
    assert_int_equal(c.n_kv_heads, 2);
    assert_int_equal(c.head_dim, 8);
    assert_int_equal(c.d_ff, 100);
    assert_int_equal(c.vocab_size, 10);
    assert_int_equal(c.context_length, 32);
    assert_int_equal(c.batch_size, 6);
    assert_int_equal(c.rope_dim, 8);
    assert_true(!c.tied_output && c.qkv_bias && !c.attn_out_bias);
    assert_true(c.rope_theta == 5e5 && c.norm_eps == 1e-6);
    assert_true(c.rope_scale == 1);
}

// The flags' names, and everything that follows from the rest.
static void as_flags(void **state)
{
    (void)state;
    model_config c = accept(
        "{\"arch\": \"gpt2\", \"n_layer\": 2, \"n_embd\": 64, \"n_head\": 4,"
        " \"vocab_size\": 10, \"block_size\": 32}");
    assert_int_equal(c.n_kv_heads, 4);
    assert_int_equal(c.head_dim, 16);
    assert_int_equal(c.d_ff, 256);
    assert_int_equal(c.rope_dim, 0);
    assert_int_equal(c.batch_size, 0);
    assert_true(c.norm == NORM_LAYER && c.position == POSITION_LEARNED);
    assert_true(c.feed_forward == FEED_FORWARD_PLAIN && c.tied_output);
    assert_true(c.norm_bias && c.qkv_bias && c.attn_out_bias && c.ffn_bias);
    c = accept("{\"arch\": \"gpt2\", \"n_layer\": 2, \"n_embd\": 64,"
               " \"n_head\": 4, \"vocab_size\": 10, \"block_size\": 32,"
               " \"bias\": false, \"ffn_bias\": true}");
    assert_true(!c.norm_bias && !c.qkv_bias && !c.attn_out_bias);
    assert_true(c.ffn_bias);
}

#define SIZES "\"hidden_size\": 64, \"num_hidden_layers\": 2, " \
    "\"num_attention_heads\": 4, \"vocab_size\": 10, " \
    "\"max_position_embeddings\": 32, \"intermediate_size\": 96"

// What their files leave out has their default, not ours.
static void hugging_face(void **state)
{
    (void)state;
    model_config c = accept("{\"model_type\": \"llama\", " SIZES
                            ", \"attention_bias\": true, \"use_cache\": 1}");
    assert_false(c.tied_output);
    assert_true(c.qkv_bias && c.attn_out_bias && !c.ffn_bias);
    c = accept("{\"model_type\": \"gpt_neox\", \"rotary_pct\": 0.5, " SIZES
               "}");
    assert_string_equal(c.architecture, "gptneox");
    assert_int_equal(c.rope_dim, 8);
    assert_true(c.parallel_residual && !c.shared_norm && !c.tied_output);
    assert_true(c.norm_bias && c.qkv_bias && c.attn_out_bias && c.ffn_bias);
    c = accept("{\"model_type\": \"stablelm\", " SIZES
               ", \"use_parallel_residual\": true}");
    assert_true(c.shared_norm && c.norm_bias && !c.qkv_bias);
    assert_int_equal(c.rope_dim, 4);
    c = accept("{\"model_type\": \"stablelm\", " SIZES
               ", \"use_qkv_bias\": true, \"rope_scaling\": null}");
    assert_true(!c.shared_norm && c.qkv_bias);
    c = accept("{\"model_type\": \"stablelm\", " SIZES
               ", \"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\":"
               " \"default\", \"partial_rotary_factor\": 0.5}}");
    assert_int_equal(c.rope_dim, 8);
    assert_true(c.rope_theta == 5e5);
}

static void wrong_ones(void **state)
{
    (void)state;
    refuse("{\"model_type\": \"llama\"}", LLL_ERR_NOT_FOUND, "n_layers");
    refuse("{\"model_type\": \"mamba\"}", LLL_ERR_UNSUPPORTED, "mamba");
    refuse("{\"architecture\": \"llama\", " SIZES ", \"layers\": 3}",
           LLL_ERR_FORMAT, "layers");
    refuse("{\"model_type\": \"llama\", " SIZES ", \"head_dim\": 1}",
           LLL_ERR_FORMAT, "RoPE over 2 numbers of a head of 1");
    refuse("{", LLL_ERR_FORMAT, "line 1");
    refuse("", LLL_ERR_IO, "empty");
    refuse("{\"model_type\": \"stablelm\", " SIZES
           ", \"qk_layernorm\": true}", LLL_ERR_UNSUPPORTED, "qk_layernorm");
    refuse("{\"model_type\": \"llama\", " SIZES ", \"rope_parameters\": 1}",
           LLL_ERR_FORMAT, "found 1, expected an object in { }");
    refuse("{\"model_type\": \"llama\", " SIZES ",\n\"rope_parameters\":"
           "\n{\"rope_theta\":\n-1}}", LLL_ERR_FORMAT,
           "line 3: rope_theta: found -1");
    refuse("{\"model_type\": \"llama\", " SIZES ", \"rope_theta\": 1, "
           "\"rope_parameters\": {\"rope_theta\": 2}}", LLL_ERR_FORMAT,
           "found rope_theta in rope_parameters beside rope_theta, ");
}

// A key may be written with escapes, which the text does not show as it is.
static void a_line_that_is_not_found(void **state)
{
    (void)state;
    refuse("{\"architecture\": \"llama\",\n\"n_layer\\u0073\": 0}",
           LLL_ERR_FORMAT, ": n_layers: found 0");
    // Neither a text nor an inner key is taken for the key itself.
    refuse("{\"note\": \"n_layers\\\"\",\n\"arch\": \"llama\",\n"
           "\"name\": \"a\\\\\",\n\"d_ff\": 4, \"n_layers\" :\n0}",
           LLL_ERR_FORMAT, "line 4: n_layers: found 0");
    refuse("{\"note\": {\"n_layers\": 3},\n\"arch\": \"llama\",\n"
           "\"n_layers\": 0}", LLL_ERR_FORMAT, "line 3: n_layers");
}

static void all_of_data(void **state)
{
    static const char *const names[] = {"gpt2", "pythia-1b", "tiny",
                                        "stablelm-2-1.6b", "llama-3.1-8b"};
    (void)state;
    for (int i = 0; i < 5; i++) {
        char path[64];
        model_config c;
        lll_error err;
        snprintf(path, sizeof path, "data/configs/%s.json", names[i]);
        assert_int_equal(config_from_json(&c, path, &err), LLL_OK);
        assert_true(config_count(&c).total > 10000000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours),
        cmocka_unit_test(as_flags),
        cmocka_unit_test(hugging_face),
        cmocka_unit_test(wrong_ones),
        cmocka_unit_test(a_line_that_is_not_found),
        cmocka_unit_test(all_of_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
