#include "common/trace_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf_write.h"
#include "common/size.h"

// @begin trace-sizes
enum {
    STEPS = 16,             // tensors of a layer: 15 steps, and a weight
    OTHERS = 4,             // outside layers
    VALUES_BYTES = 2048     // of all entries but the tokens
};

static size_t values_bytes(int n_batch, size_t longest_text)
{
    // A number, a length and a text for each token.
    size_t each = size_plus(sizeof(int32_t) + sizeof(uint64_t), longest_text);
    return size_plus(VALUES_BYTES, size_times((size_t)n_batch, each));
}

static size_t n_tensors(const model_config *c)
{
    return (size_t)c->n_layers * STEPS + OTHERS;
}

size_t trace_bytes(const model_config *config, int n_batch,
                   size_t longest_text, const char *path)
{
    size_t values = values_bytes(n_batch, longest_text);
    size_t n = n_tensors(config);
    size_t texts = size_times((size_t)n_batch, size_plus(
                                  sizeof(gguf_string) + 1, longest_text));
    size_t filling = size_plus(gguf_writer_bytes(values, n, NULL), texts);
    size_t writing = gguf_writer_bytes(values, n, path);
    return filling > writing ? filling : writing;
}
// @end trace-sizes

// @begin trace-steps
typedef struct {
    gguf_writer out;
    int n_rows;             // of a step: one for each token of the batch, and
    int n_outputs;          // behind the layers one for each that wants
                            // logits
    lll_status status;
    lll_error *err;
} recorder;

// The first pass, of one token: which steps there are, and how wide.
static void list_step(void *context, const char *name, int layer,
                      const float *values, int n_rows, int n_columns)
{
    recorder *r = context;
    bool behind = layer < 0 && strcmp(name, "embedding") != 0;
    int rows = behind ? r->n_outputs : r->n_rows;
    const uint64_t dims[] = {(uint64_t)n_columns, (uint64_t)rows};
    char full[64];
    (void)values;
    (void)n_rows;
    if (layer < 0)
        snprintf(full, sizeof full, "%s", name);
    else
        snprintf(full, sizeof full, "blk.%d.%s", layer, name);
    gguf_add_tensor(&r->out, full, DTYPE_F32, dims, 2, NULL);
}

// @end trace-steps

// @begin trace-steps-2
static void write_values(recorder *r, const float *values, size_t n)
{
    if (r->status == LLL_OK)
        r->status = gguf_write_data(&r->out, values, n * sizeof *values,
                                    r->err);
}

// The second, of the whole batch: the same steps in the same order, with
// their numbers.
static void write_step(void *context, const char *name, int layer,
                       const float *values, int n_rows, int n_columns)
{
    (void)name;
    (void)layer;
    write_values(context, values, (size_t)n_rows * (size_t)n_columns);
}
// @end trace-steps-2

// @begin trace-pass
static lll_status watched_pass(llama *m, const llama_batch *batch,
                               llama_observer observe, recorder *r)
{
    const float *logits;
    m->observe = observe;
    m->observer = r;
    lll_status status = llama_forward(m, batch, &logits, r->err);
    m->observe = NULL;
    m->observer = NULL;
    return status == LLL_OK ? r->status : status;
}
// @end trace-pass

// @begin trace-list
// The tokens of a batch that want logits.
static int count_outputs(const llama_batch *batch)
{
    int n = 0;
    for (int t = 0; t < batch->n_tokens; t++)
        n += batch->wants_logits != NULL ? batch->wants_logits[t] != 0
                                         : t == batch->n_tokens - 1;
    return batch->without_logits ? 0 : n;
}

// Its first token alone goes through all steps that the batch will take.
static lll_status list_steps(recorder *r, llama *m, const llama_batch *batch)
{
    llama_batch first = *batch;
    kv_cache *cache = &m->caches[0];
    int length = cache->length;
    r->n_rows = batch->n_tokens;
    r->n_outputs = count_outputs(batch);
    first.n_tokens = 1;
    first.wants_logits = NULL;
    first.without_logits = r->n_outputs == 0;
    if (batch->n_tokens < 1 || batch->n_tokens > m->request.n_batch)
        return lll_fail(r->err, LLL_ERR_ARGUMENT, "a trace of %d tokens, "
                        "expected 1 to %d", batch->n_tokens,
                        m->request.n_batch);
    lll_status status = watched_pass(m, &first, list_step, r);
    kv_cache_truncate(cache, length);
    return status;
}
// @end trace-list

// @begin trace-tokens
static lll_status set_tokens(recorder *r, const llama *m,
                             const tokenizer *words,
                             const llama_batch *batch)
{
    // Room for as many as a batch can have, as it was planned.
    size_t n = (size_t)batch->n_tokens, most = (size_t)m->request.n_batch;
    size_t room = words->words.size.longest_text + 1;
    gguf_string *texts = calloc(most, sizeof *texts);
    char *bytes = calloc(most, room);
    if (texts == NULL || bytes == NULL) {
        free(texts);
        free(bytes);
        return lll_fail(r->err, LLL_ERR_MEMORY,
                        "no memory for the texts of %zu tokens", most);
    }
    for (size_t i = 0; i < n; i++) {
        texts[i].bytes = bytes + i * room;
        texts[i].n_bytes = tokenizer_piece(words, batch->ids[i], true,
                                           bytes + i * room, room);
    }
    gguf_set_strings(&r->out, "trace.tokens", texts, n);
    gguf_set_array(&r->out, "trace.ids", GGUF_I32, batch->ids, n);
    free(texts);
    free(bytes);
    return LLL_OK;
}
// @end trace-tokens

// @begin trace-shape
static void set_shape(gguf_writer *out, const model_config *c)
{
    gguf_set_string(out, "general.architecture", "llama", 5);
    gguf_set_string(out, "general.type", "trace", 5);
    gguf_set_string(out, "trace.model", c->name, strlen(c->name));
    gguf_set_u32(out, "llama.block_count", (uint32_t)c->n_layers);
    gguf_set_u32(out, "llama.embedding_length", (uint32_t)c->d_model);
    gguf_set_u32(out, "llama.attention.head_count", (uint32_t)c->n_heads);
    gguf_set_u32(out, "llama.attention.head_count_kv",
                 (uint32_t)c->n_kv_heads);
    gguf_set_u32(out, "llama.attention.key_length", (uint32_t)c->head_dim);
    gguf_set_u32(out, "llama.rope.dimension_count", (uint32_t)c->rope_dim);
    gguf_set_f32(out, "llama.rope.freq_base", (float)c->rope_theta);
    if (c->rope_scale != 1) {
        gguf_set_string(out, "llama.rope.scaling.type", "linear", 6);
        gguf_set_f32(out, "llama.rope.scaling.factor",
                     (float)c->rope_scale);
    }
    gguf_set_f32(out, "llama.attention.layer_norm_rms_epsilon",
                 (float)c->norm_eps);
}
// @end trace-shape

// @begin trace-weights
// What chapter 5 needs beside the values: a weight for each layer and, where
// the model has them, the factors of the angles.
static void list_weights(gguf_writer *out, const llama *model)
{
    const uint64_t dims[] = {(uint64_t)model->config.d_model};
    const uint64_t pairs[] = {(uint64_t)model->config.rope_dim / 2};
    if (model->weights.rope_factors != NULL)
        gguf_add_tensor(out, "rope_freqs.weight", DTYPE_F32, pairs, 1, NULL);
    for (int layer = 0; layer < model->config.n_layers; layer++) {
        char name[64];
        snprintf(name, sizeof name, "blk.%d.attn_norm.weight", layer);
        gguf_add_tensor(out, name, DTYPE_F32, dims, 1, NULL);
    }
}

static void write_weights(recorder *r, const llama *model)
{
    if (model->weights.rope_factors != NULL)
        write_values(r, model->weights.rope_factors,
                     (size_t)model->config.rope_dim / 2);
    for (int layer = 0; layer < model->config.n_layers; layer++)
        write_values(r, model->weights.layers[layer].attn_norm,
                     (size_t)model->config.d_model);
}
// @end trace-weights

// @begin trace-write
lll_status trace_write(llama *model, const tokenizer *words,
                       const llama_batch *batch, const char *path,
                       lll_error *err)
{
    recorder r = {.err = err};
    kv_cache *cache = &model->caches[0];
    int length = cache->length;
    gguf_writer_init(&r.out);
    gguf_writer_reserve(&r.out, values_bytes(model->request.n_batch,
                                    words->words.size.longest_text),
                        n_tensors(&model->config));
    set_shape(&r.out, &model->config);
    list_weights(&r.out, model);
    lll_status s = list_steps(&r, model, batch);
    if (s == LLL_OK)
        s = set_tokens(&r, model, words, batch);
    if (s == LLL_OK)
        s = r.status = gguf_write_begin(&r.out, path, err);
    if (s == LLL_OK) {
        write_weights(&r, model);
        s = watched_pass(model, batch, write_step, &r);
    }
    if (s == LLL_OK)
        s = gguf_write_end(&r.out, err);
    if (s != LLL_OK)
        kv_cache_truncate(cache, length);
    gguf_writer_free(&r.out);
    return s;
}
// @end trace-write
