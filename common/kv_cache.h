#ifndef COMMON_KV_CACHE_H
#define COMMON_KV_CACHE_H

#include <stddef.h>

#include "common/dtype.h"
#include "common/error.h"

// @begin kv-cache-type
// The keys and values of one sequence: what attention remembers of the
// tokens before. Taught in chapter 6.
//
// For each layer and each key-value head, the rows of all positions stand one
// after another, so that reading them is one stream:
//     keys   [n_layers, n_kv_heads, capacity, head_dim]
//     values [n_layers, n_kv_heads, capacity, head_dim]

// Writes n numbers as a row of `type`.
typedef void (*kv_encoder)(dtype type, const float *numbers, void *row,
                           int n);

typedef struct {
    dtype type;             // F32, F16 or Q8_0
    int n_layers, n_kv_heads, head_dim;
    int capacity;           // positions there is room for
    int length;             // positions that are filled
    size_t row_bytes;       // of one position of one head
    unsigned char *keys, *values;
    kv_encoder encode;      // how a row is written
} kv_cache;
// @end kv-cache-type

// Lay the cache out over `memory` (kv_cache_bytes() of it, aligned to 64),
// empty. `encode` knows the type: kv_encode_plain(), or that of a kernel set.
void kv_cache_init(kv_cache *cache, dtype type, int n_layers, int n_kv_heads,
                   int head_dim, int capacity, kv_encoder encode,
                   void *memory);

// F32 and F16; of other types it writes nothing.
void kv_encode_plain(dtype type, const float *numbers, void *row, int n);

// Bytes for keys and values together, from the planner.
// LLL_ERR_OVERFLOW      the product does not fit in size_t
// LLL_ERR_UNSUPPORTED   what plan_kv_check() refuses
lll_status kv_cache_bytes(dtype type, int n_layers, int n_kv_heads,
                          int head_dim, int capacity, size_t *bytes,
                          lll_error *err);

// Store the key and value of one position of one head, converting from
// float. position < capacity; does not change `length`.
void kv_cache_store(kv_cache *cache, int layer, int head, int position,
                    const float *key, const float *value);

// First row of one head; valid until the cache's memory goes.
const void *kv_cache_keys(const kv_cache *cache, int layer, int head);
const void *kv_cache_values(const kv_cache *cache, int layer, int head);
// The same keys, to be changed in place.
unsigned char *kv_cache_own_keys(kv_cache *cache, int layer, int head);

// Forget everything from position n on; n <= length. What stays is as if the
// rest had never been there.
void kv_cache_truncate(kv_cache *cache, int n);

// Forget n positions from `from` on, and move what stands behind them down;
// from + n <= length. A key that was turned to its position before it was
// stored is as it was, and now stands at another.
void kv_cache_remove(kv_cache *cache, int from, int n);

// Copy the first n positions of `from`, which become all that `to` holds.
// LLL_ERR_ARGUMENT   the caches differ in shape or type, or n does not fit
lll_status kv_cache_copy_prefix(kv_cache *to, const kv_cache *from, int n,
                                lll_error *err);

// The bytes of the filled positions in the order in which files hold them:
// for each layer and head its keys, then its values. `put` is called with one
// run after another.
void kv_cache_give(const kv_cache *cache,
                   void (*put)(void *context, const void *bytes, size_t n),
                   void *context);
// Fill n positions, at most the capacity, with bytes in that order.
void kv_cache_fill(kv_cache *cache, int n, const unsigned char *from);

// Write the filled positions to a file, and read them back into a cache of
// the same shape and type. `tag` (of a model, say) must be the same both
// times. A file that does not fit is refused and the cache is unchanged.
lll_status kv_cache_save(const kv_cache *cache, const char *path,
                         unsigned long long tag, lll_error *err);
lll_status kv_cache_load(kv_cache *cache, const char *path,
                         unsigned long long tag, lll_error *err);

#endif
