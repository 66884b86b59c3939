// replaces load_layer() in common/weights.c; caught by tests/test_llama.c
//
// Two matrices of one shape, and each is taken for the other. No file is
// refused for that.

// @begin wrong-gate
static lll_status load_layer(loader *l, int layer, const model_config *c,
                             layer_weights *w)
{
    lll_status s = load_attention(l, layer, c, w);
    if (s == LLL_OK)
        s = load_vector(l, layer, "ffn_norm", "weight", c->d_model,
                        &w->ffn_norm);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "ffn_gate", c->d_ff, c->d_model, &w->up);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "ffn_up", c->d_ff, c->d_model, &w->gate);
    if (s == LLL_OK)
        s = load_matrix(l, layer, "ffn_down", c->d_model, c->d_ff, &w->down);
    return s;
}
// @end wrong-gate
