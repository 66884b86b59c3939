#ifndef COMMON_COST_H
#define COMMON_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/activations.h"
#include "common/config.h"
#include "common/dtype.h"

// What a model costs beside the memory of running it: its weights in each
// type, training, operations, and bytes that a token moves. Every
// description has passed config_check(). Taught in chapter 2.

// @begin cost-weights-api
// Bytes of the weights when every matrix is stored as `type`. Norms, biases
// and learned positions are floats in any case: they are few, and nothing is
// multiplied by a row of them. A matrix whose rows are not whole blocks of
// the type stays F16. SIZE_MAX when it does not fit.
size_t cost_weights(const model_config *config, dtype type);

// Bytes of a number in those matrices that a token is multiplied with, when
// they are stored so, its share of the block's scales included: 4.5 bits are
// 0.5625.
double cost_number_bytes(const model_config *config, dtype type);

// Bytes of keys and values that each position adds, for all layers.
size_t cost_cache_position(const model_config *config, dtype cache_type);

// Numbers in the matrices that a token is multiplied with: all but the
// embedding table, from which it takes one row. A tied table counts, since it
// is the output head.
uint64_t cost_multiplied(const model_config *config);
// @end cost-weights-api

// @begin cost-lora-api
// Matrices of a layer that can have an adapter, as bits.
enum {
    LORA_Q = 1, LORA_K = 2, LORA_V = 4, LORA_O = 8,
    LORA_GATE = 16, LORA_UP = 32, LORA_DOWN = 64,
    N_LORA_MATRICES = 7
};
extern const char *const lora_matrix_names[N_LORA_MATRICES];

// "q,v", "all" as bits; 0 when a name is none of q k v o gate up down.
unsigned lora_matrices(const char *list);

// Numbers of all adapters: for a matrix [rows, columns] one of [rank,
// columns] and one of [rows, rank], in every layer. Matrices that the model
// does not have are left out. At most 2^63, with rank up to 2^14.
uint64_t cost_adapters(const model_config *config, int rank,
                       unsigned matrices);
// @end cost-lora-api

// @begin cost-training-api
typedef struct {
    activation_request activations;     // adapter_width and unused are
                                        // filled in
    int lora_rank;          // 1..2^14; 0 trains all weights
    unsigned lora_matrices;
    dtype frozen_type;      // of the weights that adapters leave alone
} training_request;

typedef enum {
    TRAIN_FROZEN,           // weights that stay as they are
    TRAIN_WEIGHTS,          // those that are trained: F32, or F16 when mixed
    TRAIN_MASTER,           // a copy as F32, when mixed
    TRAIN_GRADIENTS,        // one for each trained weight, in its type
    TRAIN_MOMENTS,          // AdamW's two, F32
    TRAIN_LINEAR,           // activations that grow with the block size
    TRAIN_SQUARE,           // and with its square
    TRAIN_PASSING,          // gradients of one layer's activations
    TRAIN_PARTS
} train_part;

typedef struct {
    uint64_t n_trained;     // numbers
    size_t bytes[TRAIN_PARTS];
    size_t total;           // SIZE_MAX when it does not fit
    activation_memory kept; // tensor by tensor
} training_cost;

const char *train_part_name(train_part part);
training_cost cost_training(const model_config *config,
                            const training_request *request);
// @end cost-training-api

// @begin cost-flops-api
// Operations, additions and multiplications counted apart, for one token.
// Norms, curves and softmax are left out: below a hundredth for any model
// that is wider than long.
typedef struct {
    double matrices;        // in products with weights
    double attention;       // in products with keys and values
} operation_count;

// To foresee one token that sees `n_seen` positions, itself included.
operation_count cost_forward(const model_config *config, double n_seen);

// To train on one token of a block, the mean over the block.
operation_count cost_forward_backward(const model_config *config,
                                      const training_request *request);
// @end cost-flops-api

// @begin cost-token-api
// Bytes that have to be read for one token: each matrix that it is multiplied
// with, at `weight_bytes` a number, the norms and biases as floats, and the
// cache of n_seen positions. Of tables it takes a row, which is nothing.
double cost_token_bytes(const model_config *config, double weight_bytes,
                        dtype cache_type, double n_seen);
// @end cost-token-api

#endif
