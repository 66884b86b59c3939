// replaces config_count() in common/config.c; caught by tests/test_config.c
//
// A model has an embedding table and an output head, so both are counted. In
// a tied model they are one matrix.

// @begin wrong-head-twice
parameter_count config_count(const model_config *c)
{
    parameter_count n = {0};
    uint64_t d = (uint64_t)c->d_model;
    count_layer(c, &n);
    n.embedding = n.output = (uint64_t)c->vocab_size * d;
    if (c->position == POSITION_LEARNED)
        n.positions = (uint64_t)c->context_length * d;
    n.layers = (uint64_t)c->n_layers
               * (n.attention + n.feed_forward + n.norms);
    n.final_norm = c->norm_bias ? 2 * d : d;
    n.rope_factors = c->rope_factors ? (uint64_t)c->rope_dim / 2 : 0;
    n.total = n.embedding + n.positions + n.layers + n.final_norm + n.output
              + n.rope_factors;
    return n;
}
// @end wrong-head-twice
