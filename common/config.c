#include "common/config.h"

#include <inttypes.h>
#include <string.h>

// @begin config-families
const model_family model_families[N_FAMILIES] = {
    {.kinds = {.architecture = "llama", .n_layers = 30, .d_model = 576,
               .n_heads = 9, .n_kv_heads = 3, .d_ff = 1536,
               .vocab_size = 49152, .context_length = 8192,
               .norm = NORM_RMS, .position = POSITION_ROTARY,
               .feed_forward = FEED_FORWARD_GATED, .tied_output = true,
               .name = "SmolLM2-135M", .rope_theta = 1e5, .rope_scale = 1,
               .norm_eps = 1e-5},
     .rope_fraction = 1, .hf_name = "llama",
     .eps_key = "attention.layer_norm_rms_epsilon"},
    {.kinds = {.architecture = "gpt2", .n_layers = 12, .d_model = 768,
               .n_heads = 12, .vocab_size = 50257, .context_length = 1024,
               .norm = NORM_LAYER, .position = POSITION_LEARNED,
               .feed_forward = FEED_FORWARD_PLAIN, .norm_bias = true,
               .qkv_bias = true, .attn_out_bias = true, .ffn_bias = true,
               .tied_output = true, .name = "GPT-2 small", .norm_eps = 1e-5},
     .bias_everywhere = true, .hf_name = "gpt2", .hf_tied = true,
     .hf_qkv_bias = true,
     .eps_key = "attention.layer_norm_epsilon"},
    // @end config-families
    // @begin config-families-2
    {.kinds = {.architecture = "gptneox", .n_layers = 16, .d_model = 2048,
               .n_heads = 8, .vocab_size = 50304, .context_length = 2048,
               .norm = NORM_LAYER, .position = POSITION_ROTARY,
               .feed_forward = FEED_FORWARD_PLAIN, .norm_bias = true,
               .qkv_bias = true, .attn_out_bias = true, .ffn_bias = true,
               .parallel_residual = true, .name = "Pythia-1B",
               .rope_theta = 1e4, .rope_scale = 1,
               .norm_eps = 1e-5},
     .rope_fraction = 0.25, .bias_everywhere = true, .hf_name = "gpt_neox",
     .hf_qkv_bias = true, .eps_key = "attention.layer_norm_epsilon"},
    {.kinds = {.architecture = "stablelm", .n_layers = 24, .d_model = 2048,
               .n_heads = 32, .d_ff = 5632, .vocab_size = 100352,
               .context_length = 4096, .norm = NORM_LAYER,
               .position = POSITION_ROTARY,
               .feed_forward = FEED_FORWARD_GATED, .norm_bias = true,
               .qkv_bias = true, .name = "StableLM-2-1.6B",
               .rope_theta = 1e4, .rope_scale = 1,
               .norm_eps = 1e-5},
     .rope_fraction = 0.25, .parallel_shares_norm = true,
     .hf_name = "stablelm", .eps_key = "attention.layer_norm_epsilon"},
};
// @end config-families-2

// @begin config-family-find
const model_family *config_family(const char *name)
{
    for (size_t i = 0; i < N_FAMILIES; i++)
        if (strcmp(name, model_families[i].kinds.architecture) == 0
            || strcmp(name, model_families[i].hf_name) == 0)
            return &model_families[i];
    return NULL;
}
// @end config-family-find

// @begin config-name
void config_copy_name(char *to, size_t capacity, const char *from, size_t n)
{
    if (n > capacity - 1) {
        n = capacity - 1;
        // The bytes 10xxxxxx go on with a character that began before.
        while (n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(to, from, n);
    to[n] = '\0';
}
// @end config-name

// @begin config-rope-dim
int config_rope_dim(int head_dim, double fraction)
{
    int pairs = (int)(fraction * head_dim) / 2;
    return pairs > 0 ? 2 * pairs : 2;
}
// @end config-rope-dim

// @begin config-complete
static int round_up(int64_t number, int step)
{
    int64_t result = (number + step - 1) / step * step;
    return result < CONFIG_MAX_DIMENSION ? (int)result
                                         : CONFIG_MAX_DIMENSION;
}

lll_status config_complete(model_config *c, const char *where,
                           lll_error *err)
{
    const model_family *family = config_family(c->architecture);
    if (c->head_dim == 0) {
        if (c->n_heads < 1 || c->d_model % c->n_heads != 0)
            return lll_fail(err, LLL_ERR_FORMAT,
                            "%s: %d heads do not divide a width of %d, "
                            "expected a division that comes out even, or the "
                            "width of a head", where, c->n_heads, c->d_model);
        c->head_dim = c->d_model / c->n_heads;
    }
    if (c->n_kv_heads == 0)
        c->n_kv_heads = c->n_heads;
    // A gated feed-forward has three matrices where a plain one has two:
    // two thirds of the width make as many numbers.
    if (c->d_ff == 0)
        c->d_ff = c->feed_forward == FEED_FORWARD_GATED
                  ? round_up((int64_t)c->d_model * 8 / 3, 256)
                  : round_up((int64_t)c->d_model * 4, 1);
    if (c->rope_dim == 0 && c->position == POSITION_ROTARY) {
        double fraction = family != NULL ? family->rope_fraction : 1;
        c->rope_dim = config_rope_dim(c->head_dim, fraction);
    }
    return LLL_OK;
}
// @end config-complete

// @begin config-set-bias
void config_set_bias(model_config *c, bool on)
{
    const model_family *family = config_family(c->architecture);
    c->qkv_bias = on;
    if (family != NULL && family->bias_everywhere)
        c->norm_bias = c->attn_out_bias = c->ffn_bias = on;
}
// @end config-set-bias

// @begin config-check
static lll_status check_ranges(const model_config *c, const char *where,
                               lll_error *err)
{
    const struct { const char *name; int value, lowest, highest; }
    fields[] = {
        {"layers", c->n_layers, 1, CONFIG_MAX_LAYERS},
        {"width", c->d_model, 1, CONFIG_MAX_DIMENSION},
        {"query heads", c->n_heads, 1, CONFIG_MAX_DIMENSION},
        {"key-value heads", c->n_kv_heads, 1, CONFIG_MAX_DIMENSION},
        {"numbers of a head", c->head_dim, 1, CONFIG_MAX_HEAD},
        {"feed-forward width", c->d_ff, 1, CONFIG_MAX_DIMENSION},
        {"tokens", c->vocab_size, 1, CONFIG_MAX_DIMENSION},
        {"positions", c->context_length, 1, CONFIG_MAX_DIMENSION},
        {"texts in a step", c->batch_size, 0, CONFIG_MAX_BATCH},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].value < fields[i].lowest
            || fields[i].value > fields[i].highest)
            return lll_fail(err, LLL_ERR_FORMAT,
                            "%s: %s: found %d, expected %d to %d", where,
                            fields[i].name, fields[i].value,
                            fields[i].lowest, fields[i].highest);
    return LLL_OK;
}
// @end config-check

// @begin config-check-rotation
static lll_status check_rotation(const model_config *c, const char *where,
                                 lll_error *err)
{
    if (c->rope_dim % 2 != 0 || c->rope_dim < 2 || c->rope_dim > c->head_dim)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: RoPE over %d numbers of a head of %d, expected "
                        "an even number up to the head's", where,
                        c->rope_dim, c->head_dim);
    // The comparisons are written so that NaN fails them.
    if (!(c->rope_theta > 0 && c->rope_theta <= 1e12)
        || !(c->rope_scale > 0 && c->rope_scale <= 1e6))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: rope_theta %g, rope_scale %g: expected positive "
                        "numbers", where, c->rope_theta, c->rope_scale);
    return LLL_OK;
}
// @end config-check-rotation

// @begin config-check-rules
lll_status config_check(const model_config *c, const char *where,
                        lll_error *err)
{
    lll_status status = check_ranges(c, where, err);
    if (status != LLL_OK)
        return status;
    if (c->n_heads % c->n_kv_heads != 0)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %d key-value heads do not divide %d query heads",
                        where, c->n_kv_heads, c->n_heads);
    // Their product is the width of a row, which int has to hold.
    if ((int64_t)c->n_heads * c->head_dim > CONFIG_MAX_DIMENSION)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %d heads of %d numbers are wider than %d",
                        where, c->n_heads, c->head_dim,
                        (int)CONFIG_MAX_DIMENSION);
    if (!((float)c->norm_eps > 0 && c->norm_eps < 1))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: norm_eps %g, expected more than 0 and less than "
                        "1", where, c->norm_eps);
    return c->position == POSITION_ROTARY ? check_rotation(c, where, err)
                                          : LLL_OK;
}
// @end config-check-rules

// @begin config-check-llama
lll_status config_check_llama(const model_config *c, const char *where,
                              lll_error *err)
{
    if (strcmp(c->architecture, "llama") != 0)
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "%s: general.architecture "
                        "is \"%s\", expected \"llama\"", where,
                        c->architecture);
    const char *biased = c->attn_out_bias ? "attention output"
                       : c->ffn_bias ? "feed-forward"
                       : c->norm_bias ? "norms" : NULL;
    if (biased != NULL)
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "%s: found a bias at the "
                        "%s, expected one at most at queries, keys and "
                        "values", where, biased);
    return LLL_OK;
}
// @end config-check-llama

// @begin config-count-layer
// The parts of one layer.
static void count_layer(const model_config *c, parameter_count *n)
{
    uint64_t d = (uint64_t)c->d_model, ff = (uint64_t)c->d_ff;
    uint64_t q = (uint64_t)c->n_heads * (uint64_t)c->head_dim;
    uint64_t kv = (uint64_t)c->n_kv_heads * (uint64_t)c->head_dim;
    // Matrices from d to ff: the gate and up, or up alone; one leads back.
    uint64_t n_up = c->feed_forward == FEED_FORWARD_GATED ? 2 : 1;

    n->attention = d * q + 2 * d * kv + q * d;
    if (c->qkv_bias)
        n->attention += q + 2 * kv;
    if (c->attn_out_bias)
        n->attention += d;
    n->feed_forward = n_up * d * ff + ff * d;
    if (c->ffn_bias)
        n->feed_forward += n_up * ff + d;
    n->norms = (c->shared_norm ? 1 : 2) * (c->norm_bias ? 2 * d : d);
}
// @end config-count-layer

// @begin config-count
parameter_count config_count(const model_config *c)
{
    parameter_count n = {0};
    uint64_t d = (uint64_t)c->d_model;
    count_layer(c, &n);
    n.embedding = (uint64_t)c->vocab_size * d;
    if (c->position == POSITION_LEARNED)
        n.positions = (uint64_t)c->context_length * d;
    n.layers = (uint64_t)c->n_layers
               * (n.attention + n.feed_forward + n.norms);
    n.final_norm = c->norm_bias ? 2 * d : d;
    n.output = c->tied_output ? 0 : n.embedding;
    n.rope_factors = c->rope_factors ? (uint64_t)c->rope_dim / 2 : 0;
    n.total = n.embedding + n.positions + n.layers + n.final_norm + n.output
              + n.rope_factors;
    return n;
}
// @end config-count
