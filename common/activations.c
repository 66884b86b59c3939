#include "common/activations.h"

#include "common/size.h"

// @begin activations-names
static const char *const names[KEPT_PARTS] = {
    [KEPT_INPUT] = "layer input",
    [KEPT_NORM_SCALE] = "norm scales",
    [KEPT_NORMED] = "normalised input",
    [KEPT_QUERIES] = "queries",
    [KEPT_KEYS] = "keys",
    [KEPT_VALUES] = "values",
    [KEPT_PROBABILITIES] = "attention probabilities",
    [KEPT_ATTENTION] = "attention output",
    [KEPT_MIDDLE] = "stream between halves",
    [KEPT_MIDDLE_SCALE] = "second norm scales",
    [KEPT_MIDDLE_NORMED] = "normalised middle",
    [KEPT_GATE] = "feed-forward gate",
    [KEPT_UP] = "feed-forward up",
    [KEPT_DOWN_INPUT] = "feed-forward product",
    [KEPT_ADAPTERS] = "inside adapters",
    [KEPT_OUTPUT] = "last output",
    [KEPT_OUTPUT_SCALE] = "last norm scales",
    [KEPT_OUTPUT_NORMED] = "normalised output",
    [KEPT_LOGITS] = "logits",
};

const char *kept_part_name(kept_part part)
{
    return names[part];
}
// @end activations-names

// @begin activations-numbers
// How many numbers each tensor has for one token; probabilities have that
// many again for each token of the block.
static void count_numbers(const model_config *c,
                          const activation_request *r, size_t *n)
{
    size_t d = (size_t)c->d_model, ff = (size_t)c->d_ff;
    size_t q = (size_t)c->n_heads * (size_t)c->head_dim;
    size_t kv = (size_t)c->n_kv_heads * (size_t)c->head_dim;
    // A layer norm has a mean beside its scale. Side by side, both halves
    // start from the layer's input; behind one norm, from the same rows.
    size_t scales = c->norm == NORM_LAYER ? 2 : 1;
    size_t second = c->shared_norm ? 0 : 1;

    n[KEPT_INPUT] = n[KEPT_OUTPUT] = d;
    n[KEPT_NORM_SCALE] = n[KEPT_OUTPUT_SCALE] = scales;
    n[KEPT_NORMED] = n[KEPT_OUTPUT_NORMED] = d;
    n[KEPT_QUERIES] = n[KEPT_ATTENTION] = q;
    n[KEPT_KEYS] = n[KEPT_VALUES] = kv;
    n[KEPT_PROBABILITIES] = (size_t)c->n_heads;
    n[KEPT_MIDDLE] = c->parallel_residual ? 0 : d;
    // Side by side, a second norm has the mean and the scale of the first.
    n[KEPT_MIDDLE_SCALE] = c->parallel_residual ? 0 : scales;
    n[KEPT_MIDDLE_NORMED] = second * d;
    n[KEPT_GATE] = c->feed_forward == FEED_FORWARD_GATED ? ff : 0;
    n[KEPT_UP] = n[KEPT_DOWN_INPUT] = ff;
    n[KEPT_ADAPTERS] = (size_t)r->adapter_width;
    n[KEPT_LOGITS] = (size_t)c->vocab_size;
}
// @end activations-numbers

// @begin activations-plan
// Scales multiply whole rows and logits go through an exponential: these
// stay floats.
static size_t number_bytes(int part, bool half)
{
    bool wide = part == KEPT_NORM_SCALE || part == KEPT_MIDDLE_SCALE
                || part == KEPT_OUTPUT_SCALE || part == KEPT_LOGITS;
    return half && !wide ? 2 : 4;
}

activation_memory activations_plan(const model_config *c,
                                   const activation_request *r)
{
    activation_memory m = {0};
    size_t numbers[KEPT_PARTS] = {0}, once = 0, again;
    size_t n_tokens = size_times((size_t)r->n_batch, (size_t)r->n_block);
    size_t layers = (size_t)c->n_layers;
    count_numbers(c, r, numbers);
    for (int i = 0; i < KEPT_PARTS; i++)
        m.bytes[i] = size_times(size_times(numbers[i], n_tokens),
                                number_bytes(i, r->half));
    m.layer_square = m.bytes[KEPT_PROBABILITIES] = size_times(
        m.bytes[KEPT_PROBABILITIES], (size_t)r->n_block);
    // @end activations-plan

    // @begin activations-whole
    // Every value of a layer has a gradient, kept or not, scales excepted;
    // those of the logits take the place of the logits.
    for (int i = 0; i < KEPT_LAYER_PARTS; i++)
        if (i != KEPT_NORM_SCALE && i != KEPT_MIDDLE_SCALE)
            m.passing = size_plus(m.passing, m.bytes[i]);
    for (int i = 0; i < KEPT_PARTS; i++)
        if (r->unused & 1u << i)
            m.bytes[i] = 0;
    for (int i = 0; i < KEPT_LAYER_PARTS; i++)
        if (i != KEPT_PROBABILITIES)
            m.layer_linear = size_plus(m.layer_linear, m.bytes[i]);
    for (int i = KEPT_LAYER_PARTS; i < KEPT_PARTS; i++)
        once = size_plus(once, m.bytes[i]);
    // With checkpoints one layer is whole at a time; of the others there is
    // the input.
    size_t whole = r->checkpoint ? 1 : layers;
    again = size_times(layers - whole, m.bytes[KEPT_INPUT]);
    m.linear = size_plus(size_plus(size_times(whole, m.layer_linear), again),
                         once);
    m.square = size_times(whole, m.layer_square);
    return m;
}
// @end activations-whole
