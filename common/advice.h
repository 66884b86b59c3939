#ifndef COMMON_ADVICE_H
#define COMMON_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/cost.h"
#include "common/dtype.h"
#include "common/plan.h"

// What to do with a model in a given memory. Taught in chapter 2.

// @begin advice-types
// The types that weights are usually stored in, the most exact first.
enum { N_STORED_TYPES = 4 };
typedef struct {
    const char *name;       // "FP32", as people say
    int bits;               // of --bits: 32, 16, 8, 4
    dtype type;
} stored_type;
extern const stored_type stored_types[N_STORED_TYPES];
// @end advice-types

// @begin advice-run-api
// Bytes that running needs: those of the weights, and the plan. SIZE_MAX when
// it does not fit in size_t or the request is refused. The batch is shortened
// to the context.
size_t advice_run_bytes(const model_config *config, size_t weight_bytes,
                        const plan_request *request);

// The longest context, up to the model's, that runs in `memory` bytes; 0 when
// not even one position fits.
int advice_context(const model_config *config, size_t weight_bytes,
                   const plan_request *request, size_t memory);

// The longest block, up to the model's, that can be trained on in `memory`
// bytes; 0 when not even one token fits.
int advice_block(const model_config *config, const training_request *request,
                 size_t memory);

// The most exact type whose weights run in `memory` bytes; NULL for none.
const stored_type *advice_type(const model_config *config,
                               const plan_request *request, size_t memory);

// @end advice-run-api

// @begin advice-training-api
// Ways of training, each cheaper than the one before: all weights, the same
// with checkpoints, adapters of rank 16 at attention over frozen weights of
// 4 bits.
typedef struct {
    const char *name;       // "checkpoints"
    const char *mark;       // "ckpt", for narrow tables
    bool checkpoint;
    int lora_rank;
} training_way;
enum { N_TRAINING_WAYS = 3 };
extern const training_way training_ways[N_TRAINING_WAYS];

// What training costs in that way; block, batch and precision as requested.
training_cost advice_training_cost(const model_config *config,
                                   const training_request *request,
                                   const training_way *way);
// The first way that fits in `memory` bytes; NULL for none.
const training_way *advice_training(const model_config *config,
                                    const training_request *request,
                                    size_t memory);

// What experience says for a model of so many weights, one line.
const char *advice_by_size(uint64_t n_parameters);
// @end advice-training-api

#endif
