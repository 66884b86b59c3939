#include "common/weights.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/config_gguf.h"
#include "common/plan.h"
#include "common/quant.h"

// @begin weights-loader
static_assert(sizeof(layer_weights) <= PLAN_LAYER_BYTES,
              "the planner's number for a layer's table is too small");

typedef struct {
    const gguf_file *file;
    float *vectors;             // the next free place for a norm or bias
    uint64_t matrix_bytes;      // of all matrices so far
    lll_error *err;
} loader;

// "blk.7.attn_q" and a suffix; layer -1 leaves out "blk.N.".
static void tensor_name(char *to, size_t capacity, int layer,
                        const char *name, const char *suffix)
{
    if (layer < 0)
        snprintf(to, capacity, "%s.%s", name, suffix);
    else
        snprintf(to, capacity, "blk.%d.%s.%s", layer, name, suffix);
}
// @end weights-loader

// @begin weights-find
// Find a tensor of the expected shape whose numbers we can decode. Files
// list the row length first: the book's [rows, columns] is {columns, rows}.
static lll_status find(const loader *l, const char *name, int n_rows,
                       int n_columns, gguf_tensor *tensor)
{
    const uint64_t dims[] = {(uint64_t)n_columns, (uint64_t)n_rows};
    lll_status status = gguf_find_tensor(l->file, name, dims,
                                         n_rows == 0 ? 1 : 2, tensor,
                                         l->err);
    if (status == LLL_OK && !quant_is_supported(tensor->type))
        return lll_fail(l->err, LLL_ERR_UNSUPPORTED,
                        "%s: %s is stored as %s, expected one of %s",
                        l->file->path, name,
                        dtype_name((uint32_t)tensor->type), quant_names());
    return status;
}
// @end weights-find

// @begin weights-vector
// A norm, a bias or RoPE's factors: n numbers, decoded into plain floats.
static lll_status load_vector(loader *l, int layer, const char *name,
                              const char *suffix, int n, const float **out)
{
    char full[64];
    gguf_tensor tensor;
    tensor_name(full, sizeof full, layer, name, suffix);
    lll_status status = find(l, full, 0, n, &tensor);
    if (status == LLL_OK)
        status = quant_decode(tensor.type, tensor.data, l->vectors,
                              (size_t)n, l->err);
    if (status != LLL_OK)
        return status;
    *out = l->vectors;
    l->vectors += n;
    return LLL_OK;
}
// @end weights-vector

// @begin weights-matrix
static lll_status load_matrix(loader *l, int layer, const char *name,
                              int n_outputs, int n_inputs, linear *out)
{
    char full[64];
    gguf_tensor tensor;
    tensor_name(full, sizeof full, layer, name, "weight");
    lll_status status = find(l, full, n_outputs, n_inputs, &tensor);
    if (status != LLL_OK)
        return status;
    *out = (linear){.name = name, .layer = layer, .type = tensor.type,
                    .weight = tensor.data, .n_outputs = n_outputs,
                    .n_inputs = n_inputs};
    l->matrix_bytes += tensor.n_bytes;
    return LLL_OK;
}
// @end weights-matrix

// @begin weights-attention
static lll_status load_attention(loader *l, int layer, const model_config *c,
                                 layer_weights *w)
{
    int q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
    lll_status s = load_vector(l, layer, "attn_norm", "weight", c->d_model,
                               &w->attn_norm);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "attn_q", q, c->d_model, &w->q);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "attn_k", kv, c->d_model, &w->k);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "attn_v", kv, c->d_model, &w->v);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "attn_output", c->d_model, q,
                        &w->attn_output);
    if (s == LLL_OK && c->qkv_bias) {
        s = load_vector(l, layer, "attn_q", "bias", q, &w->q.bias);
        if (s == LLL_OK)
            s = load_vector(l, layer, "attn_k", "bias", kv, &w->k.bias);
        if (s == LLL_OK)
            s = load_vector(l, layer, "attn_v", "bias", kv, &w->v.bias);
    }
    return s;
}
// @end weights-attention

// @begin weights-layer
static lll_status load_layer(loader *l, int layer, const model_config *c,
                             layer_weights *w)
{
    lll_status s = load_attention(l, layer, c, w);
    if (s == LLL_OK)
        s = load_vector(l, layer, "ffn_norm", "weight", c->d_model,
                        &w->ffn_norm);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "ffn_gate", c->d_ff, c->d_model, &w->gate);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "ffn_up", c->d_ff, c->d_model, &w->up);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "ffn_down", c->d_model, c->d_ff, &w->down);
    return s;
}
// @end weights-layer

// @begin weights-embedding
static lll_status load_ends(loader *l, const model_config *c,
                            model_weights *w)
{
    linear table;
    uint64_t layers_bytes = l->matrix_bytes;
    lll_status s = load_matrix(l, -1, "token_embd", c->vocab_size,
                               c->d_model, &table);
    if (s != LLL_OK)
        return s;
    const dtype_info *info = dtype_find((uint32_t)table.type);
    w->embedding_type = table.type;
    w->embedding = table.weight;
    w->embedding_row_bytes = (size_t)(c->d_model / info->block_size)
                             * (size_t)info->block_bytes;
    w->output = table;
    w->output.name = "output";
    // @end weights-embedding
    // @begin weights-embedding-2
    if (!c->tied_output) {
        l->matrix_bytes = layers_bytes;     // a token reads one row of it
        s = load_matrix(l, -1, "output", c->vocab_size, c->d_model,
                        &w->output);
    }
    if (s == LLL_OK)
        s = load_vector(l, -1, "output_norm", "weight", c->d_model,
                        &w->output_norm);
    if (s == LLL_OK && c->rope_factors)
        s = load_vector(l, -1, "rope_freqs", "weight", c->rope_dim / 2,
                        &w->rope_factors);
    for (int i = 0; s == LLL_OK && c->rope_factors && i < c->rope_dim / 2;
         i++)
        if (!(w->rope_factors[i] > 0) || isinf(w->rope_factors[i]))
            s = lll_fail(l->err, LLL_ERR_FORMAT,
                         "%s: rope_freqs.weight: number %d is %g, expected "
                         "a positive one", l->file->path, i,
                         (double)w->rope_factors[i]);
    return s;
}
// @end weights-embedding-2

// @begin weights-unused
// What a layer of ours is made of. A file may carry tensors beside these, as
// long as they stand outside the layers; one inside means a computation that
// we do not make, and leaving it out would give wrong text without a word.
static bool is_known(gguf_string name)
{
    static const char *const known[] = {
        "attn_norm.weight", "attn_q.weight", "attn_k.weight",
        "attn_v.weight", "attn_output.weight", "attn_q.bias", "attn_k.bias",
        "attn_v.bias", "ffn_norm.weight", "ffn_gate.weight",
        "ffn_up.weight", "ffn_down.weight",
        "attn_rot_embd.weight",         // tables that old files kept
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (gguf_string_is(name, known[i]))
            return true;
    return false;
}
// @end weights-unused

// @begin weights-unused-2
static lll_status refuse_unused(const loader *l, const model_config *c)
{
    for (size_t i = 0; i < l->file->n_tensors; i++) {
        gguf_string name = l->file->tensors[i].name, rest;
        if (name.n_bytes < 5 || memcmp(name.bytes, "blk.", 4) != 0
            || (config_tensor_layer(name, c->n_layers, &rest) >= 0
                && is_known(rest)))
            continue;
        return lll_fail(l->err, LLL_ERR_UNSUPPORTED,
                        "%s: tensor %.*s is not part of a Llama of %d "
                        "layers, expected a file without it", l->file->path,
                        (int)(name.n_bytes < 64 ? name.n_bytes : 64),
                        name.bytes, c->n_layers);
    }
    return LLL_OK;
}
// @end weights-unused-2

// @begin weights-load
lll_status weights_load(model_weights *weights, const gguf_file *file,
                        const model_config *config, void *table,
                        float *vectors, lll_error *err)
{
    loader l = {file, vectors, 0, err};
    model_weights w = {.layers = table};
    for (int i = 0; i < config->n_layers; i++) {
        w.layers[i] = (layer_weights){0};
        lll_status status = load_layer(&l, i, config, &w.layers[i]);
        if (status != LLL_OK)
            return status;
    }
    lll_status status = load_ends(&l, config, &w);
    if (status == LLL_OK)
        status = refuse_unused(&l, config);
    if (status != LLL_OK)
        return status;
    w.bytes_per_token = l.matrix_bytes;
    *weights = w;
    return LLL_OK;
}
// @end weights-load
