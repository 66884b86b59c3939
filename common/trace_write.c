#include "common/trace_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"

// @begin trace-copy
// The values of an intermediate live only until the next layer overwrites
// them, so they are copied; the list is freed when the file is written.
struct trace_copy {
    trace_copy *next;
    float values[];
};
// @end trace-copy

// @begin trace-record
static void record(void *context, const char *name, int layer,
                   const float *values, int n_rows, int n_columns)
{
    trace_writer *t = context;
    char full[64];
    size_t bytes, total;
    if (t->failure.code != LLL_OK)
        return;
    if (t->copies != NULL && strcmp(name, "embedding") == 0) {
        lll_fail(&t->failure, LLL_ERR_ARGUMENT,
                 "a trace holds one pass, and a second began; use a -b that "
                 "takes the whole prompt at once");
        return;
    }
    if (layer < 0)
        snprintf(full, sizeof full, "%s", name);
    else
        snprintf(full, sizeof full, "blk.%d.%s", layer, name);
    trace_copy *copy = NULL;
    if (size_mul((size_t)n_rows * (size_t)n_columns, sizeof(float), &bytes)
        && size_add(bytes, sizeof *copy, &total))
        copy = malloc(total);
    if (copy == NULL) {
        lll_fail(&t->failure, LLL_ERR_MEMORY,
                 "no memory to keep %s of the trace", full);
        return;
    }
    memcpy(copy->values, values, bytes);
    copy->next = t->copies;
    t->copies = copy;
    const uint64_t dims[] = {(uint64_t)n_columns, (uint64_t)n_rows};
    gguf_add_tensor(&t->out, full, DTYPE_F32, dims, 2, copy->values);
}
// @end trace-record

// @begin trace-begin
void trace_begin(trace_writer *trace, llama *model)
{
    memset(trace, 0, sizeof *trace);
    gguf_writer_init(&trace->out);
    model->observe = record;
    model->observer = trace;
}
// @end trace-begin

// @begin trace-tokens
static lll_status set_tokens(trace_writer *t, const tokenizer *words,
                             const int32_t *ids, size_t n_ids,
                             lll_error *err)
{
    size_t room = words->longest_token + 1;
    gguf_string *texts = calloc(n_ids, sizeof *texts);
    char *bytes = calloc(n_ids, room);
    if (texts == NULL || bytes == NULL) {
        free(texts);
        free(bytes);
        return lll_fail(err, LLL_ERR_MEMORY,
                        "no memory for the texts of %zu tokens", n_ids);
    }
    for (size_t i = 0; i < n_ids; i++) {
        texts[i].bytes = bytes + i * room;
        texts[i].n_bytes = tokenizer_piece(words, ids[i], true,
                                           bytes + i * room, room);
    }
    gguf_set_strings(&t->out, "trace.tokens", texts, n_ids);
    gguf_set_array(&t->out, "trace.ids", GGUF_I32, ids, n_ids);
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
static void add_weights(gguf_writer *out, const llama *model)
{
    const uint64_t dims[] = {(uint64_t)model->config.d_model};
    const uint64_t pairs[] = {(uint64_t)model->config.rope_dim / 2};
    if (model->weights.rope_factors != NULL)
        gguf_add_tensor(out, "rope_freqs.weight", DTYPE_F32, pairs, 1,
                        model->weights.rope_factors);
    for (int layer = 0; layer < model->config.n_layers; layer++) {
        char name[64];
        snprintf(name, sizeof name, "blk.%d.attn_norm.weight", layer);
        gguf_add_tensor(out, name, DTYPE_F32, dims, 1,
                        model->weights.layers[layer].attn_norm);
    }
}
// @end trace-weights

// @begin trace-end
lll_status trace_end(trace_writer *trace, llama *model,
                     const tokenizer *words, const int32_t *ids,
                     size_t n_ids, const char *path, lll_error *err)
{
    model->observe = NULL;
    model->observer = NULL;
    lll_status s = trace->failure.code;
    if (s != LLL_OK && err != NULL)
        *err = trace->failure;
    set_shape(&trace->out, &model->config);
    add_weights(&trace->out, model);
    if (s == LLL_OK)
        s = set_tokens(trace, words, ids, n_ids, err);
    if (s == LLL_OK)
        s = gguf_write(&trace->out, path, err);
    gguf_writer_free(&trace->out);
    while (trace->copies != NULL) {
        trace_copy *next = trace->copies->next;
        free(trace->copies);
        trace->copies = next;
    }
    return s;
}
// @end trace-end
