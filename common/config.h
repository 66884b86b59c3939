#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/gguf.h"

// @begin config-struct
// A model described as data: everything that decides the shapes of its
// tensors and the order of its steps. Taught in chapter 2.

typedef struct {
    char architecture[24];      // "llama"
    char name[64];              // for people; may be empty
    int n_layers;
    int d_model;                // width of the residual stream
    int n_heads;                // query heads
    int n_kv_heads;             // key and value heads; divides n_heads
    int head_dim;               // numbers of one head; not d_model / n_heads
                                // in every model
    int d_ff;                   // width of the feed-forward layer
    int vocab_size;
    int context_length;         // positions that the model was trained for
    int rope_dim;               // numbers of a head that RoPE turns, even
    double rope_theta;          // base of the frequencies
    double rope_scale;          // linear extension; 1 for none
    double norm_eps;
    bool tied_output;           // the output head is the embedding table
    bool qkv_bias;              // q, k and v have biases
    bool rope_factors;          // the file holds a factor for each frequency
} model_config;
// @end config-struct

// @begin config-api
// Read the description out of a file's metadata, and check it.
//
// LLL_ERR_UNSUPPORTED   another architecture, experts, a kind of context
//                       extension that we do not have: by name
// LLL_ERR_NOT_FOUND     a key is missing
// LLL_ERR_FORMAT        values that contradict each other: which, and how
// *config is left alone on failure.
lll_status config_from_gguf(model_config *config, const gguf_file *file,
                            lll_error *err);

// Every rule that the numbers of a description must keep, whoever made it.
// `where` names the source in the sentence.
lll_status config_check(const model_config *config, const char *where,
                        lll_error *err);
// @end config-api

// @begin config-count-type
// Numbers in the parts of a model, biases included.
typedef struct {
    uint64_t embedding;
    uint64_t attention;         // of one layer
    uint64_t feed_forward;      // of one layer
    uint64_t norms;             // of one layer
    uint64_t layers;            // of all layers
    uint64_t final_norm;
    uint64_t output;            // 0 when tied
    uint64_t rope_factors;      // not trained, but in the file
    uint64_t total;
} parameter_count;

// Count. The description has passed config_check(), which keeps every
// product within 64 bits.
parameter_count config_count(const model_config *config);
// @end config-count-type

#endif
