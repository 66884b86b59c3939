#include "common/cost.h"

#include <string.h>

#include "common/plan.h"
#include "common/size.h"

// @begin cost-layer-matrices
// Rows and columns of the matrices of a layer, in the order of the bits; a
// model without a gate has no rows there.
typedef struct {
    uint64_t rows, columns;
} matrix_shape;

static void layer_matrices(const model_config *c, matrix_shape *shapes)
{
    uint64_t d = (uint64_t)c->d_model, ff = (uint64_t)c->d_ff;
    uint64_t q = (uint64_t)c->n_heads * (uint64_t)c->head_dim;
    uint64_t kv = (uint64_t)c->n_kv_heads * (uint64_t)c->head_dim;
    bool gated = c->feed_forward == FEED_FORWARD_GATED;
    const matrix_shape all[N_LORA_MATRICES] = {
        {q, d}, {kv, d}, {kv, d}, {d, q},
        {gated ? ff : 0, gated ? d : 0}, {ff, d}, {d, ff},
    };
    memcpy(shapes, all, sizeof all);
}

// The embedding table, and the output head.
static matrix_shape table_shape(const model_config *c)
{
    return (matrix_shape){(uint64_t)c->vocab_size, (uint64_t)c->d_model};
}
// @end cost-layer-matrices

// @begin cost-weights
// Numbers in the matrices of all layers.
static uint64_t layer_numbers(const model_config *c)
{
    matrix_shape shapes[N_LORA_MATRICES];
    uint64_t n = 0;
    layer_matrices(c, shapes);
    for (int i = 0; i < N_LORA_MATRICES; i++)
        n += shapes[i].rows * shapes[i].columns;
    return (uint64_t)c->n_layers * n;
}

uint64_t cost_multiplied(const model_config *c)
{
    return layer_numbers(c) + config_count(c).embedding;
}

// Numbers in matrices as they are stored, the embedding table included.
static uint64_t matrix_numbers(const model_config *c)
{
    return cost_multiplied(c)
           + (c->tied_output ? 0 : config_count(c).embedding);
}

// @end cost-weights

// @begin cost-weights-bytes
// How a matrix is stored when `type` is wanted: a row is whole blocks, or it
// stays in half precision.
static const dtype_info *stored_as(matrix_shape shape, dtype type)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    return shape.columns % (uint64_t)info->block_size == 0
           ? info : dtype_find((uint32_t)DTYPE_F16);
}

static size_t matrix_bytes(matrix_shape shape, dtype type)
{
    const dtype_info *info = stored_as(shape, type);
    uint64_t n_blocks = shape.rows * shape.columns
                        / (uint64_t)info->block_size;
    return size_times((size_t)n_blocks, (size_t)info->block_bytes);
}

size_t cost_weights(const model_config *c, dtype type)
{
    matrix_shape shapes[N_LORA_MATRICES];
    size_t n_floats = (size_t)(config_count(c).total - matrix_numbers(c));
    size_t layer = 0, table = matrix_bytes(table_shape(c), type), bytes;
    layer_matrices(c, shapes);
    for (int i = 0; i < N_LORA_MATRICES; i++)
        layer = size_plus(layer, matrix_bytes(shapes[i], type));
    bytes = size_plus(size_times((size_t)c->n_layers, layer),
                      size_times(c->tied_output ? 1 : 2, table));
    return size_plus(bytes, size_times(n_floats, sizeof(float)));
}
// @end cost-weights-bytes

// @begin cost-number-bytes
static double real_bytes(matrix_shape shape, dtype type)
{
    const dtype_info *info = stored_as(shape, type);
    return (double)(shape.rows * shape.columns) / info->block_size
           * info->block_bytes;
}

double cost_number_bytes(const model_config *c, dtype type)
{
    matrix_shape shapes[N_LORA_MATRICES];
    double layer = 0, table = real_bytes(table_shape(c), type);
    layer_matrices(c, shapes);
    for (int i = 0; i < N_LORA_MATRICES; i++)
        layer += real_bytes(shapes[i], type);
    return (c->n_layers * layer + table) / (double)cost_multiplied(c);
}

size_t cost_cache_position(const model_config *c, dtype cache_type)
{
    size_t rows = 2 * (size_t)c->n_layers * (size_t)c->n_kv_heads;
    return size_times(rows, plan_kv_row(cache_type, c->head_dim));
}
// @end cost-number-bytes

// @begin cost-lora
const char *const lora_matrix_names[N_LORA_MATRICES] = {
    "q", "k", "v", "o", "gate", "up", "down",
};

unsigned lora_matrices(const char *list)
{
    unsigned bits = 0;
    if (strcmp(list, "all") == 0)
        return (1u << N_LORA_MATRICES) - 1;
    for (;;) {
        size_t n = strcspn(list, ",");
        int i = 0;
        while (i < N_LORA_MATRICES
               && (strlen(lora_matrix_names[i]) != n
                   || memcmp(lora_matrix_names[i], list, n) != 0))
            i++;
        if (i == N_LORA_MATRICES)
            return 0;
        bits |= 1u << i;
        if (list[n] == '\0')
            return bits;
        list += n + 1;
    }
}

uint64_t cost_adapters(const model_config *c, int rank, unsigned matrices)
{
    matrix_shape shapes[N_LORA_MATRICES];
    uint64_t n = 0;
    layer_matrices(c, shapes);
    for (int i = 0; i < N_LORA_MATRICES; i++)
        if (matrices & 1u << i)
            n += shapes[i].rows + shapes[i].columns;
    return (uint64_t)c->n_layers * (uint64_t)rank * n;
}
// @end cost-lora

// @begin cost-training-names
static const char *const train_names[TRAIN_PARTS] = {
    [TRAIN_FROZEN] = "frozen weights",
    [TRAIN_WEIGHTS] = "trained weights",
    [TRAIN_MASTER] = "their copy as floats",
    [TRAIN_GRADIENTS] = "gradients",
    [TRAIN_MOMENTS] = "optimizer moments",
    [TRAIN_LINEAR] = "activations, linear",
    [TRAIN_SQUARE] = "activations, square",
    [TRAIN_PASSING] = "passing gradients",
};

const char *train_part_name(train_part part)
{
    return train_names[part];
}

// How wide the adapters of a layer are together.
static int adapter_width(const model_config *c, const training_request *r)
{
    matrix_shape shapes[N_LORA_MATRICES];
    int width = 0;
    layer_matrices(c, shapes);
    for (int i = 0; i < N_LORA_MATRICES; i++)
        if (r->lora_matrices & 1u << i && shapes[i].rows > 0)
            width += r->lora_rank;
    return width;
}
// @end cost-training-names

// @begin cost-training-unused
// What a matrix takes in is kept for the gradient of its weights. A frozen
// matrix has none: what only such matrices take in is not kept.
static unsigned unused_inputs(const model_config *c,
                              const training_request *r)
{
    static const struct { kept_part part; unsigned matrices; } inputs[] = {
        {KEPT_NORMED, LORA_Q | LORA_K | LORA_V}, {KEPT_ATTENTION, LORA_O},
        {KEPT_MIDDLE_NORMED, LORA_GATE | LORA_UP},
        {KEPT_DOWN_INPUT, LORA_DOWN}, {KEPT_OUTPUT_NORMED, 0},
    };
    unsigned unused = 0, adapted = r->lora_matrices;
    if (c->feed_forward == FEED_FORWARD_PLAIN)
        adapted &= ~(unsigned)LORA_GATE;
    // Behind one norm both halves take in the same rows.
    bool shared = c->shared_norm && adapted & (LORA_GATE | LORA_UP);
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        if (!(adapted & inputs[i].matrices)
            && !(shared && inputs[i].part == KEPT_NORMED))
            unused |= 1u << inputs[i].part;
    return unused;
}
// @end cost-training-unused

// @begin cost-training
training_cost cost_training(const model_config *c, const training_request *r)
{
    training_cost t = {0};
    activation_request step = r->activations;
    parameter_count count = config_count(c);
    bool lora = r->lora_rank > 0;
    // Factors of RoPE stand in the file, and nothing trains them.
    t.n_trained = lora ? cost_adapters(c, r->lora_rank, r->lora_matrices)
                       : count.total - count.rope_factors;
    step.adapter_width = lora ? adapter_width(c, r) : 0;
    step.unused = lora ? unused_inputs(c, r) : 0;
    t.kept = activations_plan(c, &step);

    size_t n = (size_t)t.n_trained, width = step.half ? 2 : 4;
    t.bytes[TRAIN_FROZEN] = lora ? cost_weights(c, r->frozen_type) : 0;
    t.bytes[TRAIN_WEIGHTS] = size_times(n, width);
    t.bytes[TRAIN_MASTER] = step.half ? size_times(n, 4) : 0;
    t.bytes[TRAIN_GRADIENTS] = size_times(n, width);
    t.bytes[TRAIN_MOMENTS] = size_times(n, 8);
    t.bytes[TRAIN_LINEAR] = t.kept.linear;
    t.bytes[TRAIN_SQUARE] = t.kept.square;
    t.bytes[TRAIN_PASSING] = t.kept.passing;
    for (int i = 0; i < TRAIN_PARTS; i++)
        t.total = size_plus(t.total, t.bytes[i]);
    return t;
}
// @end cost-training

// @begin cost-flops
operation_count cost_forward(const model_config *c, double n_seen)
{
    // A weight is one multiplication and one addition. Of a key: its product
    // with the query, and of a value: its share of the sum.
    double q = (double)c->n_heads * c->head_dim;
    return (operation_count){2.0 * (double)cost_multiplied(c),
                             4.0 * q * c->n_layers * n_seen};
}

operation_count cost_forward_backward(const model_config *c,
                                      const training_request *r)
{
    // The first token of a block sees one position, the last sees all.
    operation_count f = cost_forward(c, (r->activations.n_block + 1) / 2.0);
    // Backwards each product is done twice: for the gradient of what went in
    // and for that of the weight.
    double trained = f.matrices, own = 0, again = 0;
    if (r->lora_rank > 0) {
        own = 2.0 * (double)cost_adapters(c, r->lora_rank, r->lora_matrices);
        trained = own;      // frozen weights have no gradient of their own
    }
    // With checkpoints the layers, and they alone, go forward once more: the
    // logits are kept.
    if (r->activations.checkpoint)
        again = 2.0 * (double)layer_numbers(c) + own;
    return (operation_count){
        2 * (f.matrices + own) + trained + again,
        (r->activations.checkpoint ? 4 : 3) * f.attention};
}
// @end cost-flops

// @begin cost-token
double cost_token_bytes(const model_config *c, double weight_bytes,
                        dtype cache_type, double n_seen)
{
    parameter_count n = config_count(c);
    uint64_t vectors = n.total - n.positions - matrix_numbers(c);
    return weight_bytes * (double)cost_multiplied(c)
           + (double)sizeof(float) * (double)vectors
           + n_seen * (double)cost_cache_position(c, cache_type);
}
// @end cost-token
