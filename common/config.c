#include "common/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// @begin config-limits
// Dimensions above this are not a model but a broken file; the bounds keep
// every one within int, and the numbers of all layers together, at most
// 7 * 2^24 * 2^24 * 2^12, within 64 bits.
enum { MAX_DIMENSION = 1 << 24, MAX_LAYERS = 1 << 12, MAX_HEAD = 1 << 14 };
// @end config-limits

// @begin config-get
// Metadata keys carry the architecture's name in front: llama.block_count.
typedef struct {
    const gguf_file *file;
    const char *architecture;
    lll_error *err;
} reader;

// A count between 1 and MAX_DIMENSION. A key that is missing gives `absent`,
// unless that is 0: then the key is required.
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
    if (value < 1 || value > MAX_DIMENSION)
        return lll_fail(r->err, LLL_ERR_FORMAT,
                        "%s: %s is %" PRIu64 ", expected 1 to %d",
                        r->file->path, key, value, (int)MAX_DIMENSION);
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
    if (s == LLL_OK)
        s = get_count(r, "rope.dimension_count", c->head_dim, &c->rope_dim);
    return s;
}
// @end config-shapes

// @begin config-rope
static lll_status read_rope(const reader *r, model_config *c)
{
    char key[128];
    gguf_string kind;
    lll_status s = get_real(r, "rope.freq_base", 10000.0, &c->rope_theta);
    if (s == LLL_OK)
        s = get_real(r, "attention.layer_norm_rms_epsilon", 0, &c->norm_eps);
    if (s != LLL_OK)
        return s;

    // A file may name no kind of extension, and then means the linear one;
    // older files keep its factor under another key; 0 says that there is
    // none.
    c->rope_scale = 1.0;
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
static lll_status refuse_unknown(const reader *r, const model_config *c)
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
static lll_status read_window(const reader *r, model_config *c)
{
    uint64_t window = 0;
    char key[128];
    snprintf(key, sizeof key, "%s.attention.sliding_window",
             r->architecture);
    if (gguf_find_value(r->file, key) == NULL)
        return LLL_OK;
    lll_status s = gguf_get_u64(r->file, key, &window, r->err);
    if (s == LLL_OK && window > 0 && window < (uint64_t)c->context_length)
        c->context_length = (int)window;
    return s;
}
// @end config-refuse-2

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
    if (table.n_dims != 2 || table.dims[1] > MAX_DIMENSION)
        return lll_fail(r->err, LLL_ERR_FORMAT,
                        "%s: token_embd.weight has %d dimensions and %" PRIu64
                        " rows, expected 2 and at most %d", r->file->path,
                        table.n_dims, table.dims[1], (int)MAX_DIMENSION);
    c->vocab_size = (int)table.dims[1];
    const gguf_value *tokens = gguf_find_value(r->file,
                                               "tokenizer.ggml.tokens");
    if (tokens != NULL && tokens->n_items != table.dims[1])
        return lll_fail(r->err, LLL_ERR_FORMAT,
                        "%s: token_embd.weight has %" PRIu64 " rows, "
                        "expected one for each of the %" PRIu64 " tokens of "
                        "tokenizer.ggml.tokens", r->file->path,
                        table.dims[1], tokens->n_items);
    c->tied_output = gguf_find_tensor(r->file, "output.weight", NULL, 0,
                                      &table, NULL) != LLL_OK;
    static const char *const biases[] = {
        "blk.0.attn_q.bias", "blk.0.attn_k.bias", "blk.0.attn_v.bias"};
    for (int i = 0; i < 3; i++)
        c->qkv_bias = c->qkv_bias
                      || gguf_find_tensor(r->file, biases[i], NULL, 0,
                                          &table, NULL) == LLL_OK;
    c->rope_factors = gguf_find_tensor(r->file, "rope_freqs.weight", NULL, 0,
                                       &table, NULL) == LLL_OK;
    return LLL_OK;
}
// @end config-vocabulary

// @begin config-copy
static void copy_text(char *to, size_t capacity, gguf_string from)
{
    size_t n = from.n_bytes < capacity - 1 ? from.n_bytes : capacity - 1;
    memcpy(to, from.bytes, n);
    to[n] = '\0';
}
// @end config-copy

// @begin config-from-gguf
lll_status config_from_gguf(model_config *config, const gguf_file *file,
                            lll_error *err)
{
    model_config c = {0};
    gguf_string text;
    lll_status s = gguf_get_string(file, "general.architecture", &text, err);
    if (s != LLL_OK)
        return s;
    copy_text(c.architecture, sizeof c.architecture, text);
    if (!gguf_string_is(text, "llama"))
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: general.architecture is \"%s\", expected "
                        "\"llama\"", file->path, c.architecture);
    if (gguf_get_string(file, "general.name", &text, NULL) == LLL_OK)
        copy_text(c.name, sizeof c.name, text);

    reader r = {file, c.architecture, err};
    s = read_shapes(&r, &c);
    if (s == LLL_OK)
        s = read_rope(&r, &c);
    if (s == LLL_OK)
        s = refuse_unknown(&r, &c);
    if (s == LLL_OK)
        s = read_window(&r, &c);
    if (s == LLL_OK)
        s = read_vocabulary(&r, &c);
    if (s == LLL_OK)
        s = config_check(&c, file->path, err);
    if (s == LLL_OK)
        *config = c;
    return s;
}
// @end config-from-gguf

// @begin config-check
static lll_status check_ranges(const model_config *c, const char *where,
                               lll_error *err)
{
    const struct { const char *name; int value, highest; } fields[] = {
        {"layers", c->n_layers, MAX_LAYERS},
        {"width", c->d_model, MAX_DIMENSION},
        {"query heads", c->n_heads, MAX_DIMENSION},
        {"key-value heads", c->n_kv_heads, MAX_DIMENSION},
        {"numbers of a head", c->head_dim, MAX_HEAD},
        {"feed-forward width", c->d_ff, MAX_DIMENSION},
        {"tokens", c->vocab_size, MAX_DIMENSION},
        {"positions", c->context_length, MAX_DIMENSION},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].value < 1 || fields[i].value > fields[i].highest)
            return lll_fail(err, LLL_ERR_FORMAT,
                            "%s: %s: found %d, expected 1 to %d", where,
                            fields[i].name, fields[i].value,
                            fields[i].highest);
    return LLL_OK;
}

lll_status config_check(const model_config *c, const char *where,
                        lll_error *err)
{
    lll_status status = check_ranges(c, where, err);
    if (status != LLL_OK)
        return status;
    // @end config-check
    // @begin config-check-rules
    if (c->n_heads % c->n_kv_heads != 0)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %d key-value heads do not divide %d query heads",
                        where, c->n_kv_heads, c->n_heads);
    // Their product is the width of a row, which int has to hold.
    if ((int64_t)c->n_heads * c->head_dim > MAX_DIMENSION)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %d heads of %d numbers are wider than %d",
                        where, c->n_heads, c->head_dim, (int)MAX_DIMENSION);
    if (c->rope_dim % 2 != 0 || c->rope_dim < 2 || c->rope_dim > c->head_dim)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: RoPE over %d numbers of a head of %d, expected "
                        "an even number up to the head's", where,
                        c->rope_dim, c->head_dim);
    // The comparisons are written so that NaN fails them.
    if (!(c->rope_theta > 0 && c->rope_theta <= 1e12)
        || !(c->rope_scale > 0 && c->rope_scale <= 1e6)
        || !((float)c->norm_eps > 0 && c->norm_eps < 1))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: rope_theta %g, rope_scale %g, norm_eps %g: "
                        "expected positive numbers, the last below 1", where,
                        c->rope_theta, c->rope_scale, c->norm_eps);
    return LLL_OK;
}
// @end config-check-rules

// @begin config-count
parameter_count config_count(const model_config *c)
{
    parameter_count n = {0};
    uint64_t d = (uint64_t)c->d_model, ff = (uint64_t)c->d_ff;
    uint64_t q = (uint64_t)c->n_heads * (uint64_t)c->head_dim;
    uint64_t kv = (uint64_t)c->n_kv_heads * (uint64_t)c->head_dim;

    n.embedding = (uint64_t)c->vocab_size * d;
    n.attention = d * q + 2 * d * kv + q * d;
    if (c->qkv_bias)
        n.attention += q + 2 * kv;
    n.feed_forward = 3 * d * ff;            // gate, up, down
    n.norms = 2 * d;
    n.layers = (uint64_t)c->n_layers
               * (n.attention + n.feed_forward + n.norms);
    n.final_norm = d;
    n.output = c->tied_output ? 0 : n.embedding;
    n.rope_factors = c->rope_factors ? (uint64_t)c->rope_dim / 2 : 0;
    n.total = n.embedding + n.layers + n.final_norm + n.output
              + n.rope_factors;
    return n;
}
// @end config-count
