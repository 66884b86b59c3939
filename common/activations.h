#ifndef COMMON_ACTIVATIONS_H
#define COMMON_ACTIVATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"

// What training keeps of a forward pass, because the way back needs it.
// Taught in chapter 2; the trainer of chapter 12 keeps these tensors and no
// others. Source: Korthikanti et al. 2022, section 4, without dropout.

// @begin activations-parts
// n_tokens = n_batch * n_block. Of each layer:
typedef enum {
    KEPT_INPUT,             // [n_tokens, d_model], the stream
    KEPT_NORM_SCALE,        // [n_tokens], and the means of a layer norm
    KEPT_NORMED,            // [n_tokens, d_model], what q, k and v are from
    KEPT_QUERIES,           // [n_tokens, n_heads * head_dim], rotated
    KEPT_KEYS,              // [n_tokens, n_kv_heads * head_dim], rotated
    KEPT_VALUES,            // [n_tokens, n_kv_heads * head_dim]
    KEPT_PROBABILITIES,     // [n_batch, n_heads, n_block, n_block]
    KEPT_ATTENTION,         // [n_tokens, n_heads * head_dim], gathered values
    KEPT_MIDDLE,            // [n_tokens, d_model], the stream between halves
    KEPT_MIDDLE_SCALE,      // [n_tokens], and the means
    KEPT_MIDDLE_NORMED,     // [n_tokens, d_model], into the feed-forward
    KEPT_GATE,              // [n_tokens, d_ff], before its curve
    KEPT_UP,                // [n_tokens, d_ff], before the curve if no gate
    KEPT_DOWN_INPUT,        // [n_tokens, d_ff], what down multiplies
    KEPT_ADAPTERS,          // [n_tokens, adapter_width], inside adapters
    KEPT_LAYER_PARTS,
    // And once, behind the last layer:
    KEPT_OUTPUT = KEPT_LAYER_PARTS, // [n_tokens, d_model], the stream
    KEPT_OUTPUT_SCALE,      // [n_tokens], and the means
    KEPT_OUTPUT_NORMED,     // [n_tokens, d_model]
    KEPT_LOGITS,            // [n_tokens, vocab_size], always floats
    KEPT_PARTS
} kept_part;
// @end activations-parts

// @begin activations-api
typedef struct {
    int n_batch;            // texts in a step
    int n_block;            // tokens of each
    int adapter_width;      // the ranks of a layer's adapters together; or 0
    unsigned unused;        // 1 << part for each that nobody needs, because
                            // what it is multiplied with is frozen
    bool half;              // two bytes a number; but scales and logits
    bool checkpoint;        // keep a layer's input alone, and compute the
                            // rest again on the way back, layer by layer
} activation_request;

typedef struct {
    size_t bytes[KEPT_PARTS];   // of one layer; then of what is there once
    size_t layer_linear;    // of one layer, what grows with n_block
    size_t layer_square;    // and with its square
    size_t linear;          // of the whole model, all that is held at once
    size_t square;
    size_t passing;         // gradients of one layer's values, on their way
} activation_memory;

// "queries", "logits": the name of a tensor, for people.
const char *kept_part_name(kept_part part);

// Compute all sizes; those that do not fit in size_t are SIZE_MAX. The
// description has passed config_check(), the numbers are at least 1, and
// adapter_width at least 0.
activation_memory activations_plan(const model_config *config,
                                   const activation_request *request);
// @end activations-api

#endif
