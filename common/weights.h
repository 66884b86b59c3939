#ifndef COMMON_WEIGHTS_H
#define COMMON_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/error.h"
#include "common/gguf.h"
#include "common/linear.h"

// @begin weights-struct
// The tensors of a Llama, found by name, checked against the description,
// and ready to be multiplied where they lie in the mapped file.
// Taught in chapter 8.

typedef struct {
    const float *attn_norm;         // [d_model]
    const float *ffn_norm;          // [d_model]
    linear q;                       // [n_heads * head_dim, d_model]
    linear k, v;                    // [n_kv_heads * head_dim, d_model]
    linear attn_output;             // [d_model, n_heads * head_dim]
    linear gate, up;                // [d_ff, d_model]
    linear down;                    // [d_model, d_ff]
} layer_weights;

typedef struct {
    dtype embedding_type;
    const unsigned char *embedding; // [vocab_size, d_model], as stored
    size_t embedding_row_bytes;
    layer_weights *layers;          // [n_layers]
    const float *output_norm;       // [d_model]
    linear output;                  // [vocab_size, d_model]; the embedding
                                    // again where the two are tied
    const float *rope_factors;      // [rope_dim / 2], or NULL
    uint64_t bytes_per_token;       // of weights that decoding a token reads
} model_weights;
// @end weights-struct

// @begin weights-api
// Find and check every tensor.
//
// table     memory for the layers, plan.bytes[PLAN_WEIGHT_TABLE]
// vectors   memory for norms and biases, plan.bytes[PLAN_VECTORS]: they are
//           decoded into it, the matrices stay in the file
//
// LLL_ERR_NOT_FOUND     a tensor is missing
// LLL_ERR_FORMAT        a shape is wrong
// LLL_ERR_UNSUPPORTED   a type that we do not multiply, or a tensor inside a
//                       layer that we do not know
// The file must stay open as long as the weights are used.
lll_status weights_load(model_weights *weights, const gguf_file *file,
                        const model_config *config, void *table,
                        float *vectors, lll_error *err);
// @end weights-api

#endif
