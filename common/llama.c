#include "common/llama.h"

#include <math.h>
#include <string.h>

#include "common/attention.h"
#include "common/linear.h"
#include "common/quant.h"
#include "common/rope.h"
#include "common/threads.h"

// @begin llama-take
// Hand out the arena in the order of the plan. There is not one size here:
// each comes from the planner of chapter 2.
static void take_buffers(llama *m)
{
    const size_t *bytes = m->plan.bytes;
    m->residual = arena_take(&m->memory, bytes[PLAN_RESIDUAL]);
    m->normed = arena_take(&m->memory, bytes[PLAN_NORMED]);
    m->quantized = arena_take(&m->memory, bytes[PLAN_QUANTIZED]);
    m->queries = arena_take(&m->memory, bytes[PLAN_QUERIES]);
    m->keys = arena_take(&m->memory, bytes[PLAN_KEYS]);
    m->values = arena_take(&m->memory, bytes[PLAN_VALUES]);
    m->attention = arena_take(&m->memory, bytes[PLAN_ATTENTION]);
    m->gate = arena_take(&m->memory, bytes[PLAN_GATE]);
    m->up = arena_take(&m->memory, bytes[PLAN_UP]);
    m->positions = arena_take(&m->memory, bytes[PLAN_POSITIONS]);
    m->gathered = arena_take(&m->memory, bytes[PLAN_GATHERED]);
    m->frequencies = arena_take(&m->memory, bytes[PLAN_ROPE]);
    m->rotations = (float *)(m->frequencies + m->config.rope_dim / 2);
    m->spans = arena_take(&m->memory, bytes[PLAN_SPANS]);
    m->logits = arena_take(&m->memory, bytes[PLAN_LOGITS]);
    m->candidates = arena_take(&m->memory, bytes[PLAN_CANDIDATES]);
    m->history = arena_take(&m->memory, bytes[PLAN_HISTORY]);
    m->ids = arena_take(&m->memory, bytes[PLAN_IDS]);
    m->encoder = arena_take(&m->memory, bytes[PLAN_ENCODER]);
    m->text_bytes = bytes[PLAN_LINES] / 2;
    m->line = arena_take(&m->memory, bytes[PLAN_LINES]);
    m->message = m->line + m->text_bytes;
    m->held = arena_take(&m->memory, bytes[PLAN_HELD]);
    m->products.scratch = arena_take(&m->memory, bytes[PLAN_SCRATCH]);
    m->products.scratch_bytes = bytes[PLAN_SCRATCH]
                                / (size_t)m->request.n_threads;
}
// @end llama-take

// @begin llama-caches
static void make_caches(llama *m)
{
    const model_config *c = &m->config;
    size_t one = m->plan.bytes[PLAN_KV_CACHE]
                 / (size_t)m->request.n_sequences;
    unsigned char *memory = arena_take(&m->memory,
                                       m->plan.bytes[PLAN_KV_CACHE]);
    for (int i = 0; i < m->request.n_sequences; i++)
        kv_cache_init(&m->caches[i], m->request.cache_type, c->n_layers,
                      c->n_kv_heads, c->head_dim, m->request.n_ctx,
                      m->products.kernels->encode,
                      memory + (size_t)i * one);
}
// @end llama-caches

// @begin llama-init
lll_status llama_init(llama *model, const gguf_file *file,
                      const model_config *config,
                      const plan_request *request, const char *isa,
                      matmul_mode mode, lll_error *err)
{
    llama m = {.config = *config, .request = *request};
    memset(model, 0, sizeof *model);
    lll_status s = plan_memory(config, request, &m.plan, err);
    if (s == LLL_OK)
        s = kernels_select(isa, &m.products.kernels, err);
    if (s == LLL_OK)
        s = arena_init(&m.memory, m.plan.model, err);
    if (s != LLL_OK)
        return s;

    m.products.mode = mode;
    m.caches = arena_take(&m.memory, m.plan.bytes[PLAN_CACHE_TABLE]);
    void *table = arena_take(&m.memory, m.plan.bytes[PLAN_WEIGHT_TABLE]);
    float *vectors = arena_take(&m.memory, m.plan.bytes[PLAN_VECTORS]);
    void *team = arena_take(&m.memory, m.plan.bytes[PLAN_THREADS]);
    take_buffers(&m);
    make_caches(&m);
    s = weights_load(&m.weights, file, config, table, vectors, err);
    if (s == LLL_OK)
        s = threads_start(&m.products.team, request->n_threads, team, err);
    if (s != LLL_OK) {
        arena_free(&m.memory);
        return s;
    }
    rope_frequencies(m.frequencies, config->rope_dim, config->rope_theta,
                     config->rope_scale, m.weights.rope_factors);
    *model = m;
    return LLL_OK;
}
// @end llama-init

// @begin llama-free
void llama_free(llama *model)
{
    threads_stop(model->products.team);
    arena_free(&model->memory);
    memset(model, 0, sizeof *model);
}
// @end llama-free

// @begin llama-watch
static void watch(const llama *m, const char *name, int layer,
                  const float *values, int n_rows, int n_columns)
{
    if (m->observe != NULL)
        m->observe(m->observer, name, layer, values, n_rows, n_columns);
}
// @end llama-watch

// @begin llama-rows
// Work that treats the rows of a batch alike, in pieces of ROWS_AT_ONCE.
enum { ROWS_AT_ONCE = 8 };

typedef struct {
    const llama *m;
    int n_rows, n_columns;
    float *out;
    const float *in;
    const float *weight;
} row_job;

static int last_row(const row_job *job, int piece)
{
    int end = (piece + 1) * ROWS_AT_ONCE;
    return end < job->n_rows ? end : job->n_rows;
}

static void run_rows(const llama *m, thread_job work, row_job *job)
{
    int n_pieces = (job->n_rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    threads_run(m->products.team, work, job, n_pieces);
}
// @end llama-rows

// @begin llama-norm-rows
static void norm_rows(void *context, int piece, int worker)
{
    const row_job *job = context;
    (void)worker;
    for (int r = piece * ROWS_AT_ONCE; r < last_row(job, piece); r++) {
        size_t at = (size_t)r * (size_t)job->n_columns;
        job->m->products.kernels->norm(job->out + at, job->in + at,
                                       job->weight, job->n_columns,
                                       (float)job->m->config.norm_eps);
    }
}

static void normalise(const llama *m, float *out, const float *in,
                      const float *weight, int n_rows)
{
    row_job job = {m, n_rows, m->config.d_model, out, in, weight};
    run_rows(m, norm_rows, &job);
}
// @end llama-norm-rows

// @begin llama-linear
// Multiply n_rows rows of `in` by up to four layers at once.
static void multiply(llama *m, const float *in, int n_rows,
                     const linear *const *layers, int n_layers,
                     float *const *out)
{
    activations x = {.n_rows = n_rows, .n_columns = layers[0]->n_inputs,
                     .values = in};
    bool blocked = false;
    for (int i = 0; i < n_layers; i++)
        blocked = blocked || quant_is_blocked(layers[i]->type);
    if (blocked)                // codes that only block types multiply
        activations_set(&x, &m->products, in, n_rows, x.n_columns,
                        m->quantized);
    linear_forward(&m->products, layers, n_layers, &x, out);
}
// @end llama-linear

// @begin llama-add
static void add_rows(void *context, int piece, int worker)
{
    const row_job *job = context;
    (void)worker;
    for (int r = piece * ROWS_AT_ONCE; r < last_row(job, piece); r++) {
        size_t at = (size_t)r * (size_t)job->n_columns;
        job->m->products.kernels->add(job->out + at, job->in + at,
                                      job->n_columns);
    }
}

static void add_to_residual(llama *m, const float *in, int n_rows)
{
    row_job job = {m, n_rows, m->config.d_model, m->residual, in, NULL};
    run_rows(m, add_rows, &job);
}
// @end llama-add

// @begin llama-attention-block
static void attention_block(llama *m, int layer, const llama_batch *batch)
{
    const layer_weights *w = &m->weights.layers[layer];
    const model_config *c = &m->config;
    int n = batch->n_tokens, d_model = c->d_model;
    int q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;

    normalise(m, m->normed, m->residual, w->attn_norm, n);
    watch(m, "attn_norm", layer, m->normed, n, d_model);

    const linear *const qkv[] = {&w->q, &w->k, &w->v};
    float *const out[] = {m->queries, m->keys, m->values};
    multiply(m, m->normed, n, qkv, 3, out);
    watch(m, "q", layer, m->queries, n, q);
    watch(m, "k", layer, m->keys, n, kv);
    watch(m, "v", layer, m->values, n, kv);

    llama_rotate_and_store(m, layer, batch);
    watch(m, "q_rope", layer, m->queries, n, q);
    watch(m, "k_rope", layer, m->keys, n, kv);

    llama_attend(m, layer, batch);
    watch(m, "attention", layer, m->attention, n, q);

    const linear *const output[] = {&w->attn_output};
    float *const projected[] = {m->normed};
    multiply(m, m->attention, n, output, 1, projected);
    watch(m, "attn_output", layer, m->normed, n, d_model);
    add_to_residual(m, m->normed, n);
    watch(m, "attn_residual", layer, m->residual, n, d_model);
}
// @end llama-attention-block

// @begin llama-gate-rows
static void gate_rows(void *context, int piece, int worker)
{
    const row_job *job = context;
    (void)worker;
    for (int r = piece * ROWS_AT_ONCE; r < last_row(job, piece); r++) {
        size_t at = (size_t)r * (size_t)job->n_columns;
        job->m->products.kernels->swiglu(job->out + at, job->in + at,
                                         job->n_columns);
    }
}
// @end llama-gate-rows

// @begin llama-ffn-block
static void feed_forward_block(llama *m, int layer, int n)
{
    const layer_weights *w = &m->weights.layers[layer];
    int d_model = m->config.d_model, d_ff = m->config.d_ff;

    normalise(m, m->normed, m->residual, w->ffn_norm, n);
    watch(m, "ffn_norm", layer, m->normed, n, d_model);

    const linear *const gate_up[] = {&w->gate, &w->up};
    float *const out[] = {m->gate, m->up};
    multiply(m, m->normed, n, gate_up, 2, out);
    watch(m, "ffn_gate", layer, m->gate, n, d_ff);
    watch(m, "ffn_up", layer, m->up, n, d_ff);

    row_job job = {m, n, d_ff, m->gate, m->up, NULL};
    run_rows(m, gate_rows, &job);
    watch(m, "ffn_act", layer, m->gate, n, d_ff);

    const linear *const down[] = {&w->down};
    float *const narrow[] = {m->normed};
    multiply(m, m->gate, n, down, 1, narrow);
    watch(m, "ffn_down", layer, m->normed, n, d_model);
    add_to_residual(m, m->normed, n);
    watch(m, "ffn_residual", layer, m->residual, n, d_model);
}
// @end llama-ffn-block

// @begin llama-embed
static void embed(llama *m, const llama_batch *batch)
{
    const model_weights *w = &m->weights;
    size_t d_model = (size_t)m->config.d_model;
    for (int t = 0; t < batch->n_tokens; t++) {
        const unsigned char *row = w->embedding
            + (size_t)batch->ids[t] * w->embedding_row_bytes;
        // Cannot fail: loading refused every type that has no decoder.
        (void)quant_decode(w->embedding_type, row,
                           m->residual + (size_t)t * d_model, d_model, NULL);
    }
    watch(m, "embedding", -1, m->residual, batch->n_tokens, (int)d_model);
}
// @end llama-embed

// @begin llama-output
static bool wants_logits(const llama_batch *batch, int t)
{
    if (batch->without_logits || batch->hidden)
        return batch->hidden;
    if (batch->wants_logits == NULL)
        return t == batch->n_tokens - 1;
    return batch->wants_logits[t] != 0;
}

// The vocabulary is the widest matrix of a small model: only the rows that
// somebody asked for are multiplied by it.
static const float *output(llama *m, const llama_batch *batch)
{
    size_t d_model = (size_t)m->config.d_model;
    int n = 0;
    for (int t = 0; t < batch->n_tokens; t++)
        if (wants_logits(batch, t))
            memmove(m->residual + (size_t)n++ * d_model,
                    m->residual + (size_t)t * d_model,
                    d_model * sizeof(float));
    if (n == 0)
        return m->logits;
    normalise(m, m->normed, m->residual, m->weights.output_norm, n);
    watch(m, "final_norm", -1, m->normed, n, (int)d_model);
    if (batch->hidden)
        return m->normed;
    const linear *const head[] = {&m->weights.output};
    float *const logits[] = {m->logits};
    multiply(m, m->normed, n, head, 1, logits);
    watch(m, "logits", -1, m->logits, n, m->config.vocab_size);
    return m->logits;
}
// @end llama-output

// @begin llama-check
static lll_status check_batch(const llama *m, const llama_batch *batch,
                              lll_error *err)
{
    int n_wanted = 0;
    if (batch->n_tokens < 1 || batch->n_tokens > m->request.n_batch)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "a batch of %d tokens, expected 1 to %d",
                        batch->n_tokens, m->request.n_batch);
    for (int t = 0; t < batch->n_tokens; t++) {
        int sequence = llama_sequence(batch, t);
        if (batch->ids[t] < 0 || batch->ids[t] >= m->config.vocab_size)
            return lll_fail(err, LLL_ERR_ARGUMENT,
                            "token %d of the batch is %d, expected 0 to %d",
                            t, batch->ids[t], m->config.vocab_size - 1);
        if (sequence < 0 || sequence >= m->request.n_sequences)
            return lll_fail(err, LLL_ERR_ARGUMENT,
                            "token %d of the batch is for sequence %d, "
                            "expected 0 to %d", t, sequence,
                            m->request.n_sequences - 1);
        n_wanted += wants_logits(batch, t);
    }
    if (n_wanted > m->request.n_outputs && !batch->hidden)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "%d tokens want logits, the plan has room for %d",
                        n_wanted, m->request.n_outputs);
    return LLL_OK;
}
// @end llama-check

// @begin llama-forward
lll_status llama_forward(llama *model, const llama_batch *batch,
                         const float **logits, lll_error *err)
{
    lll_status s = check_batch(model, batch, err);
    if (s == LLL_OK)
        s = llama_place(model, batch, err);
    if (s != LLL_OK)
        return s;

    embed(model, batch);
    for (int layer = 0; layer < model->config.n_layers; layer++) {
        attention_block(model, layer, batch);
        feed_forward_block(model, layer, batch->n_tokens);
    }
    *logits = output(model, batch);
    return LLL_OK;
}
// @end llama-forward
