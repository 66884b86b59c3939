// replaces plan_kv_cache() in common/plan.c; caught by tests/test_plan.c
//
// "Heads" are those that everybody counts, and keys and values have fewer.
// Where they have as many, as in older models, nothing is wrong.

// @begin wrong-cache-heads
size_t plan_kv_cache(const model_config *c, dtype type, int n_ctx)
{
    return plan_kv_rows(type, c->n_layers, c->n_heads, c->head_dim, n_ctx);
}
// @end wrong-cache-heads
