#include "common/config_gguf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// @begin config-get
// Metadata keys carry the architecture's name in front: llama.block_count.
typedef struct {
    const gguf_file *file;
    const char *architecture;
    const model_family *family;
    lll_error *err;
} reader;

// A count between 1 and CONFIG_MAX_DIMENSION. A key that is missing gives
// `absent`, unless that is 0: then the key is required.
static lll_status get_count(const reader *r, const char *name, int absent,
                            int *out)
{
    char key[128];
    uint64_t value;
    snprintf(key, sizeof key, "%s.%s", r->architecture, name);
    if (absent > 0 && gguf_find_value(r->file, key) == NULL) {
        *out = absent;
        return LLL_OK;
    }
    lll_status status = gguf_get_u64(r->file, key, &value, r->err);
    if (status != LLL_OK)
        return status;
    if (value < 1 || value > CONFIG_MAX_DIMENSION)
        return lll_fail(r->err, LLL_ERR_FORMAT,
                        "%s: %s is %" PRIu64 ", expected 1 to %d",
                        r->file->path, key, value, (int)CONFIG_MAX_DIMENSION);
    *out = (int)value;
    return LLL_OK;
}
// @end config-get

// @begin config-get-real
static lll_status get_real(const reader *r, const char *name, double absent,
                           double *out)
{
    char key[128];
    snprintf(key, sizeof key, "%s.%s", r->architecture, name);
    if (absent > 0 && gguf_find_value(r->file, key) == NULL) {
        *out = absent;
        return LLL_OK;
    }
    return gguf_get_f64(r->file, key, out, r->err);
}
// @end config-get-real

// @begin config-shapes
static lll_status read_shapes(const reader *r, model_config *c)
{
    lll_status s = get_count(r, "block_count", 0, &c->n_layers);
    if (s == LLL_OK)
        s = get_count(r, "embedding_length", 0, &c->d_model);
    if (s == LLL_OK)
        s = get_count(r, "attention.head_count", 0, &c->n_heads);
    if (s == LLL_OK)
        s = get_count(r, "attention.head_count_kv", c->n_heads,
                      &c->n_kv_heads);
    if (s == LLL_OK)
        s = get_count(r, "feed_forward_length", 0, &c->d_ff);
    if (s == LLL_OK)
        s = get_count(r, "context_length", 0, &c->context_length);
    if (s != LLL_OK)
        return s;

    // Older files leave the head's width out: then it is the division, which
    // has to come out even.
    int by_division = c->d_model / c->n_heads;
    if (c->d_model % c->n_heads != 0)
        by_division = 0;                // key_length is required then
    s = get_count(r, "attention.key_length", by_division, &c->head_dim);
    if (s == LLL_ERR_NOT_FOUND)
        return lll_fail(r->err, LLL_ERR_FORMAT,
                        "%s: %d heads do not divide %s.embedding_length %d, "
                        "and %s.attention.key_length is missing",
                        r->file->path, c->n_heads, r->architecture,
                        c->d_model, r->architecture);
    if (s == LLL_OK && c->position == POSITION_ROTARY)
        s = get_count(r, "rope.dimension_count", c->head_dim, &c->rope_dim);
    return s;
}
// @end config-shapes

// @begin config-rope
static lll_status read_rope(const reader *r, model_config *c)
{
    char key[128];
    gguf_string kind;
    lll_status s = get_real(r, r->family->eps_key, 0, &c->norm_eps);
    if (s != LLL_OK || c->position != POSITION_ROTARY)
        return s;
    s = get_real(r, "rope.freq_base", 10000.0, &c->rope_theta);
    if (s != LLL_OK)
        return s;

    // A file may name no kind of extension, and then means the linear one;
    // older files keep its factor under another key; 0 says that there is
    // none.
    snprintf(key, sizeof key, "%s.rope.scaling.type", r->architecture);
    bool named = gguf_find_value(r->file, key) != NULL;
    if (named)
        s = gguf_get_string(r->file, key, &kind, r->err);
    if (s != LLL_OK || (named && gguf_string_is(kind, "none")))
        return s;
    if (!named || gguf_string_is(kind, "linear")) {
        snprintf(key, sizeof key, "%s.rope.scaling.factor", r->architecture);
        s = get_real(r, gguf_find_value(r->file, key) != NULL
                        ? "rope.scaling.factor" : "rope.scale_linear", 1.0,
                     &c->rope_scale);
        if (c->rope_scale == 0)
            c->rope_scale = 1.0;
        return s;
    }
    return lll_fail(r->err, LLL_ERR_UNSUPPORTED,
                    "%s: %s is \"%.*s\", expected \"none\" or \"linear\"",
                    r->file->path, key,
                    (int)(kind.n_bytes < 40 ? kind.n_bytes : 40), kind.bytes);
}
// @end config-rope

// @begin config-refuse
// What a Llama file may say that changes the computation in a way we do not
// follow. Ignoring it would give wrong text without a word.
static lll_status refuse_unknown(const reader *r, model_config *c)
{
    int value_length, n_experts;
    lll_status s = get_count(r, "attention.value_length", c->head_dim,
                             &value_length);
    if (s != LLL_OK)
        return s;
    if (value_length != c->head_dim)
        return lll_fail(r->err, LLL_ERR_UNSUPPORTED,
                        "%s: values of %d numbers beside keys of %d, "
                        "expected the same for both", r->file->path,
                        value_length, c->head_dim);
    char key[128];
    uint64_t count = 0;
    snprintf(key, sizeof key, "%s.expert_count", r->architecture);
    if (gguf_find_value(r->file, key) != NULL) {
        s = gguf_get_u64(r->file, key, &count, r->err);
        if (s != LLL_OK)
            return s;
    }
    n_experts = count > 9999 ? 9999 : (int)count;
    if (n_experts > 0)
        return lll_fail(r->err, LLL_ERR_UNSUPPORTED,
                        "%s: a mixture of %d experts, expected a model with "
                        "one feed-forward layer", r->file->path, n_experts);
    return LLL_OK;
}
// @end config-refuse

// @begin config-refuse-2
// A model that looks back over a window computes the same as ours as long as
// the whole context lies inside the window; so that is the context it gets.
// Where positions are learned the context is the number of rows of a table,
// which no window changes.
static lll_status read_window(const reader *r, model_config *c)
{
    uint64_t window = 0;
    char key[128];
    snprintf(key, sizeof key, "%s.attention.sliding_window",
             r->architecture);
    if (c->position == POSITION_LEARNED
        || gguf_find_value(r->file, key) == NULL)
        return LLL_OK;
    lll_status s = gguf_get_u64(r->file, key, &window, r->err);
    if (s == LLL_OK && window > 0 && window < (uint64_t)c->context_length)
        c->context_length = (int)window;
    return s;
}
// @end config-refuse-2

// @begin config-tensor-layer
int config_tensor_layer(gguf_string name, int n_layers, gguf_string *rest)
{
    const char *end = name.bytes + name.n_bytes, *digits = name.bytes + 4;
    long layer = 0;
    if (name.n_bytes < 5 || memcmp(name.bytes, "blk.", 4) != 0)
        return -1;
    const char *p = digits;
    for (; p < end && *p >= '0' && *p <= '9' && layer < n_layers; p++)
        layer = layer * 10 + (*p - '0');
    if (p == digits || p == end || *p != '.' || layer >= n_layers)
        return -1;
    *rest = (gguf_string){p + 1, (size_t)(end - p - 1)};
    return (int)layer;
}
// @end config-tensor-layer

// @begin config-vocabulary
// How many tokens: the embedding table knows, whatever llama.vocab_size says,
// and the vocabulary has to agree.
static lll_status read_vocabulary(const reader *r, model_config *c)
{
    gguf_tensor table;
    lll_status s = gguf_find_tensor(r->file, "token_embd.weight", NULL, 0,
                                    &table, r->err);
    if (s != LLL_OK)
        return s;
    if (table.n_dims != 2 || table.dims[1] > CONFIG_MAX_DIMENSION)
        return lll_fail(r->err, LLL_ERR_FORMAT,
                        "%s: token_embd.weight has %d dimensions and %" PRIu64
                        " rows, expected 2 and at most %d", r->file->path,
                        table.n_dims, table.dims[1],
                        (int)CONFIG_MAX_DIMENSION);
    c->vocab_size = (int)table.dims[1];
    const gguf_value *tokens = gguf_find_value(r->file,
                                               "tokenizer.ggml.tokens");
    if (tokens != NULL && tokens->n_items != table.dims[1])
        return lll_fail(r->err, LLL_ERR_FORMAT,
                        "%s: token_embd.weight has %" PRIu64 " rows, "
                        "expected one for each of the %" PRIu64 " tokens of "
                        "tokenizer.ggml.tokens", r->file->path,
                        table.dims[1], tokens->n_items);
    return LLL_OK;
}
// @end config-vocabulary

// @begin config-presence
// What a file does not say, but shows: which of its tensors are there.
static bool has_tensor(const reader *r, const char *name)
{
    gguf_tensor tensor;
    return gguf_find_tensor(r->file, name, NULL, 0, &tensor, NULL) == LLL_OK;
}

static lll_status read_presence(const reader *r, model_config *c)
{
    c->tied_output = !has_tensor(r, "output.weight");
    c->norm_bias = has_tensor(r, "blk.0.attn_norm.bias");
    // Some families keep q, k and v in one matrix: as many numbers.
    c->qkv_bias = has_tensor(r, "blk.0.attn_qkv.bias")
                  || has_tensor(r, "blk.0.attn_q.bias")
                  || has_tensor(r, "blk.0.attn_k.bias")
                  || has_tensor(r, "blk.0.attn_v.bias");
    c->attn_out_bias = has_tensor(r, "blk.0.attn_output.bias");
    c->ffn_bias = has_tensor(r, "blk.0.ffn_up.bias");
    c->rope_factors = has_tensor(r, "rope_freqs.weight");
    c->shared_norm = c->parallel_residual
                     && !has_tensor(r, "blk.0.ffn_norm.weight");
    return LLL_OK;
}
// @end config-presence

// @begin config-parallel
static lll_status read_parallel(const reader *r, model_config *c)
{
    char key[128];
    snprintf(key, sizeof key, "%s.use_parallel_residual", r->architecture);
    if (gguf_find_value(r->file, key) == NULL)
        return LLL_OK;                  // as the family has it
    return gguf_get_bool(r->file, key, &c->parallel_residual, r->err);
}
// @end config-parallel

// @begin config-family-of-file
// Which family it is, and what that says; its best-known sizes are not ours.
static lll_status read_family(reader *r, model_config *c)
{
    gguf_string text;
    lll_status s = gguf_get_string(r->file, "general.architecture", &text,
                                   r->err);
    if (s != LLL_OK)
        return s;
    config_copy_name(c->architecture, sizeof c->architecture, text.bytes,
                     text.n_bytes);
    r->architecture = c->architecture;
    for (int i = 0; i < N_FAMILIES; i++)
        if (gguf_string_is(text, model_families[i].kinds.architecture))
            r->family = &model_families[i];
    if (r->family == NULL)
        return lll_fail(r->err, LLL_ERR_UNSUPPORTED,
                        "%s: general.architecture is \"%s\", expected "
                        "\"llama\", \"gpt2\", \"gptneox\" or "
                        "\"stablelm\"", r->file->path, c->architecture);
    const model_config *kinds = &r->family->kinds;
    c->norm = kinds->norm;
    c->position = kinds->position;
    c->feed_forward = kinds->feed_forward;
    c->parallel_residual = kinds->parallel_residual;
    c->rope_scale = 1.0;
    if (gguf_get_string(r->file, "general.name", &text, NULL) == LLL_OK)
        config_copy_name(c->name, sizeof c->name, text.bytes, text.n_bytes);
    return LLL_OK;
}
// @end config-family-of-file

// @begin config-from-gguf
lll_status config_from_gguf(model_config *config, const gguf_file *file,
                            lll_error *err)
{
    static lll_status (*const steps[])(const reader *, model_config *) = {
        read_shapes, read_rope, refuse_unknown, read_window, read_vocabulary,
        read_parallel, read_presence,
    };
    model_config c = {0};
    reader r = {.file = file, .err = err};
    lll_status s = read_family(&r, &c);
    for (size_t i = 0; s == LLL_OK && i < sizeof steps / sizeof steps[0];
         i++)
        s = steps[i](&r, &c);
    if (s == LLL_OK)
        s = config_check(&c, file->path, err);
    if (s == LLL_OK)
        *config = c;
    return s;
}
// @end config-from-gguf
