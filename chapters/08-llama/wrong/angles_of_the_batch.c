// replaces llama_place() in common/llama_attention.c;
// caught by tests/test_llama.c
//
// A token is turned by its place in the batch. A prompt is one batch, and
// right; each token that is written is a batch of its own, and never turned.

lll_status llama_place(llama *m, const llama_batch *batch, lll_error *err)
{
    for (int t = 0; t < batch->n_tokens; t++) {
        kv_cache *cache = &m->caches[llama_sequence(batch, t)];
        int next = cache->length;
        lll_status s = LLL_OK;
        if (next == cache->capacity)
            s = lll_fail(err, LLL_ERR_ARGUMENT,
                         "the context of %d positions is full",
                         cache->capacity);
        else if (batch->positions != NULL && batch->positions[t] != next)
            s = lll_fail(err, LLL_ERR_ARGUMENT,
                         "token %d of the batch has position %d, expected "
                         "%d, the next of its sequence", t,
                         batch->positions[t], next);
        if (s != LLL_OK) {
            while (--t >= 0)
                m->caches[llama_sequence(batch, t)].length--;
            return s;
        }
        m->positions[t] = next;
        cache->length = next + 1;
    }
    // @begin wrong-angles
    size_t width = (size_t)m->config.rope_dim;
    for (int t = 0; t < batch->n_tokens; t++)
        rope_table(m->rotations + (size_t)t * width, m->frequencies,
                   m->config.rope_dim, t);
    // @end wrong-angles
    return LLL_OK;
}
