#include "common/advice.h"

#include <stdint.h>

#include "common/size.h"

// @begin advice-stored
const stored_type stored_types[N_STORED_TYPES] = {
    {"FP32", 32, DTYPE_F32}, {"FP16", 16, DTYPE_F16},
    {"Q8", 8, DTYPE_Q8_0}, {"Q4", 4, DTYPE_Q4_0},
};
// @end advice-stored

// @begin advice-run
size_t advice_run_bytes(const model_config *c, size_t weight_bytes,
                        const plan_request *request)
{
    memory_plan plan;
    plan_request r = *request;
    size_t sum;
    r.n_batch = r.n_batch < r.n_ctx ? r.n_batch : r.n_ctx;
    r.n_outputs = r.n_outputs < r.n_batch ? r.n_outputs : r.n_batch;
    if (plan_memory(c, &r, &plan, NULL) != LLL_OK
        || !size_add(plan.total, weight_bytes, &sum))
        return SIZE_MAX;
    return sum;
}
// @end advice-run

// @begin advice-longest
// A need that does not fit in size_t fits in no memory.
static bool fits(size_t need, size_t memory)
{
    return need <= memory && need != SIZE_MAX;
}

// The largest n in 1..most for which the need fits, 0 for none. Right only
// because the need never falls when n grows: then each question drops one
// half of what is left.
typedef size_t (*need_of)(const void *what, int n);

static int longest(need_of need, const void *what, int most, size_t memory)
{
    int found = 0, too_long = most + 1;
    while (too_long - found > 1) {
        int middle = found + (too_long - found) / 2;
        if (fits(need(what, middle), memory))
            found = middle;
        else
            too_long = middle;
    }
    return found;
}
// @end advice-longest

// @begin advice-context
typedef struct {
    const model_config *config;
    size_t weight_bytes;
    plan_request run;
    training_request train;
} question;

static size_t need_of_context(const void *what, int n)
{
    question q = *(const question *)what;
    q.run.n_ctx = n;
    return advice_run_bytes(q.config, q.weight_bytes, &q.run);
}

static size_t need_of_block(const void *what, int n)
{
    question q = *(const question *)what;
    q.train.activations.n_block = n;
    return cost_training(q.config, &q.train).total;
}

int advice_context(const model_config *c, size_t weight_bytes,
                   const plan_request *request, size_t memory)
{
    question q = {.config = c, .weight_bytes = weight_bytes, .run = *request};
    return longest(need_of_context, &q, c->context_length, memory);
}

int advice_block(const model_config *c, const training_request *request,
                 size_t memory)
{
    question q = {.config = c, .train = *request};
    return longest(need_of_block, &q, c->context_length, memory);
}
// @end advice-context

// @begin advice-choice
const stored_type *advice_type(const model_config *c,
                               const plan_request *request, size_t memory)
{
    for (int i = 0; i < N_STORED_TYPES; i++)
        if (fits(advice_run_bytes(c, cost_weights(c, stored_types[i].type),
                                  request), memory))
            return &stored_types[i];
    return NULL;
}
// @end advice-choice

// @begin advice-ways
const training_way training_ways[N_TRAINING_WAYS] = {
    {"all weights", "all", false, 0}, {"checkpoints", "ckpt", true, 0},
    {"adapters", "lora", true, 16},
};

training_cost advice_training_cost(const model_config *c,
                                   const training_request *request,
                                   const training_way *way)
{
    training_request r = *request;
    r.activations.checkpoint = way->checkpoint;
    r.lora_rank = way->lora_rank;
    r.lora_matrices = LORA_Q | LORA_K | LORA_V | LORA_O;
    r.frozen_type = DTYPE_Q4_0;
    return cost_training(c, &r);
}

const training_way *advice_training(const model_config *c,
                                    const training_request *request,
                                    size_t memory)
{
    for (int i = 0; i < N_TRAINING_WAYS; i++)
        if (fits(advice_training_cost(c, request, &training_ways[i]).total,
                 memory))
            return &training_ways[i];
    return NULL;
}
// @end advice-ways

// @begin advice-size
const char *advice_by_size(uint64_t n_parameters)
{
    static const struct { uint64_t below; const char *text; } sizes[] = {
        {500000000, "FP32 is fine at this size"},
        {1000000000, "prefer Q8 or Q4 at this size"},
        {2000000000, "Q8 or Q4 is needed at this size"},
        {UINT64_MAX, "split it over machines and use Q4 at this size"},
    };
    size_t i = 0;
    while (n_parameters >= sizes[i].below && sizes[i].below != UINT64_MAX)
        i++;
    return sizes[i].text;
}
// @end advice-size
