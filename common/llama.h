#ifndef COMMON_LLAMA_H
#define COMMON_LLAMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/config.h"
#include "common/gguf.h"
#include "common/kv_cache.h"
#include "common/matmul.h"
#include "common/plan.h"
#include "common/weights.h"

// @begin llama-usage
// The whole model: token numbers in, logits out. It knows nothing of text.
//
//     llama model;
//     lll_status s = llama_init(&model, &file, &config, &request, NULL,
//                               MATMUL_Q8, &err);
//     llama_batch batch = {.n_tokens = n, .ids = ids};
//     const float *logits;                    // [1, vocab_size]
//     s = llama_forward(&model, &batch, &logits, &err);
//     llama_free(&model);
//
// Taught in chapter 8. Source: Touvron et al. 2023, section 2.
// @end llama-usage

// @begin llama-batch
// Tokens that go through the model together. One batch serves a prompt, one
// new token, several sequences and the scoring of a text.
typedef struct {
    int n_tokens;               // 1..n_batch of the plan
    const int32_t *ids;         // [n_tokens], each 0..vocab_size - 1
    const int32_t *positions;   // [n_tokens]: place in its sequence, which
                                // must be the next free one; NULL: follow on
    const int32_t *sequences;   // [n_tokens]: which cache; NULL: all one
    int sequence;               // that one
    const uint8_t *wants_logits;// [n_tokens]; NULL: the last token only
    bool without_logits;        // nobody wants any: the vocabulary, widest
                                // matrix of a small model, is left out
    bool hidden;                // in place of logits give what they would be
                                // made of, the last norm of every token:
                                // [n_tokens, d_model]
} llama_batch;
// @end llama-batch

// @begin llama-observer
// Called with each named intermediate of a forward pass: values is
// [n_rows, n_columns], valid during the call. layer is -1 outside layers.
typedef void (*llama_observer)(void *context, const char *name, int layer,
                               const float *values, int n_rows,
                               int n_columns);
// @end llama-observer

// @begin llama-struct
typedef struct {
    model_config config;
    model_weights weights;
    plan_request request;
    memory_plan plan;
    arena memory;               // everything below lives in it
    matmul products;            // kernels, threads, mode, bytes read
    kv_cache *caches;           // [n_sequences]
    float *residual, *normed;   // the plan's parts, shapes in plan.h
    void *quantized;
    float *queries, *keys, *values, *attention, *gate, *up;
    int32_t *positions;         // [n_batch]: of the batch at hand
    int32_t *gathered;          // [2, n_batch], and a byte for each: ids,
                                // sequences and wants of several texts
    double *frequencies;        // [rope_dim / 2]
    float *rotations;           // [n_batch, rope_dim]
    float *spans;
    float *logits;              // [n_outputs, vocab_size]
    void *candidates;           // [n_sequences, vocab_size], for samplers
    int32_t *history;           // [n_sequences, n_ctx], for whoever
                                // generates: what each cache holds
    // For whoever stands between a text and the model (session.h):
    int32_t *ids;               // [n_ctx]
    void *encoder;              // for a text of text_bytes in one piece
    char *line, *message;       // text_bytes each
    size_t text_bytes;
    char *held;                 // plan.bytes[PLAN_HELD], a part for each
                                // sequence
    llama_observer observe;     // NULL: nobody watches
    void *observer;
} llama;
// @end llama-struct

// @begin llama-api
// Load the weights of an open file and take the memory of the plan.
//
// isa    name for kernels_select(), NULL for the fastest
// mode   arithmetic of the products
//
// Errors of plan_memory(), kernels_select(), weights_load() and
// threads_start(), and LLL_ERR_MEMORY. On failure *model is zeroed. The file
// must stay open.
lll_status llama_init(llama *model, const gguf_file *file,
                      const model_config *config,
                      const plan_request *request, const char *isa,
                      matmul_mode mode, lll_error *err);
void llama_free(llama *model);      // accepts a zeroed struct

// Run a batch through the model: append its tokens to the caches and compute
// logits for the tokens that want them.
//
// logits   [number of tokens that want them, vocab_size], in batch order;
//          valid until the next call. Filled only on LLL_OK.
//
// LLL_ERR_ARGUMENT   a token, position, sequence or count out of range, or a
//                    full cache; nothing has changed
// Allocates nothing. The bits of each token's logits do not depend on the
// number of threads or on what else is in the batch.
lll_status llama_forward(llama *model, const llama_batch *batch,
                         const float **logits, lll_error *err);
// @end llama-api

// @begin llama-remove-api
// Take n positions out of a sequence, from `from` on: what stands behind them
// moves down, and its keys are turned to their new positions. from + n must
// not be beyond the sequence's end.
//
// An approximation: above the first layer, keys and values were computed from
// sums over all that was there, and keep what the removed tokens gave to
// them. A cache of F16 or Q8_0 rounds its keys once more.
void llama_remove(llama *model, int sequence, int from, int n);
// @end llama-remove-api

// @begin llama-steps
// The steps of a layer that llama.c leaves to llama_attention.c.

// Whose token t is.
int llama_sequence(const llama_batch *batch, int t);

// Give each token of the batch the next free position of its sequence, check
// that it is the one the caller meant, and compute its rotation.
// LLL_ERR_ARGUMENT as above; then no cache has changed.
lll_status llama_place(llama *model, const llama_batch *batch,
                       lll_error *err);
// Rotate the queries and keys of the batch, and store keys and values.
void llama_rotate_and_store(llama *model, int layer,
                            const llama_batch *batch);
// model->attention = attention of the batch's queries over the caches.
void llama_attend(llama *model, int layer, const llama_batch *batch);
// @end llama-steps

#endif
