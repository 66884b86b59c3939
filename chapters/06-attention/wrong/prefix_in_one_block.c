// replaces common/kv_cache.c; caught by tests/test_kv_cache.c
//
// Copies the first n positions as if they stood together. They do, for the
// first head of the first layer.
#include "common/kv_cache.h"

#define kv_cache_copy_prefix right_kv_cache_copy_prefix
#include "common/kv_cache.c"
#undef kv_cache_copy_prefix

// @begin wrong-prefix-in-one-block
lll_status kv_cache_copy_prefix(kv_cache *to, const kv_cache *from, int n,
                                lll_error *err)
{
    size_t rows = (size_t)n * (size_t)to->n_layers * (size_t)to->n_kv_heads;
    if (!same_shape(to, from) || n < 0 || n > from->length
        || n > to->capacity)
        return lll_fail(err, LLL_ERR_ARGUMENT, "cannot copy %d", n);
    memmove(to->keys, from->keys, rows * to->row_bytes);
    memmove(to->values, from->values, rows * to->row_bytes);
    to->length = n;
    return LLL_OK;
}
// @end wrong-prefix-in-one-block
