#include "common/kv_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/plan.h"

// @begin kv-cache-bytes
lll_status kv_cache_bytes(dtype type, int n_layers, int n_kv_heads,
                          int head_dim, int capacity, size_t *bytes,
                          lll_error *err)
{
    lll_status status = plan_kv_check(type, head_dim, err);
    if (status != LLL_OK)
        return status;
    size_t both = plan_kv_rows(type, n_layers, n_kv_heads, head_dim,
                               capacity);
    if (both == SIZE_MAX)
        return lll_fail(err, LLL_ERR_OVERFLOW,
                        "key-value cache size overflow: %d layers x %d heads "
                        "x %d positions x %d numbers",
                        n_layers, n_kv_heads, capacity, head_dim);
    *bytes = both;
    return LLL_OK;
}
// @end kv-cache-bytes

// @begin kv-cache-init
void kv_cache_init(kv_cache *cache, dtype type, int n_layers, int n_kv_heads,
                   int head_dim, int capacity, kv_encoder encode,
                   void *memory)
{
    *cache = (kv_cache){
        .type = type, .n_layers = n_layers, .n_kv_heads = n_kv_heads,
        .head_dim = head_dim, .capacity = capacity,
        .row_bytes = plan_kv_row(type, head_dim), .keys = memory,
        .encode = encode,
    };
    cache->values = cache->keys + plan_kv_rows(type, n_layers, n_kv_heads,
                                               head_dim, capacity) / 2;
}
// @end kv-cache-init

// @begin kv-cache-rows
// Bytes before the first position of a head.
static size_t head_offset(const kv_cache *cache, int layer, int head)
{
    size_t heads = (size_t)layer * (size_t)cache->n_kv_heads + (size_t)head;
    return heads * (size_t)cache->capacity * cache->row_bytes;
}

const void *kv_cache_keys(const kv_cache *cache, int layer, int head)
{
    return cache->keys + head_offset(cache, layer, head);
}

unsigned char *kv_cache_own_keys(kv_cache *cache, int layer, int head)
{
    return cache->keys + head_offset(cache, layer, head);
}

const void *kv_cache_values(const kv_cache *cache, int layer, int head)
{
    return cache->values + head_offset(cache, layer, head);
}
// @end kv-cache-rows

// @begin kv-cache-store
void kv_encode_plain(dtype type, const float *numbers, void *row, int n)
{
    uint16_t *half = row;
    if (type == DTYPE_F32)
        memcpy(row, numbers, (size_t)n * sizeof *numbers);
    for (int i = 0; i < n && type == DTYPE_F16; i++)
        half[i] = f32_to_f16(numbers[i]);
}

void kv_cache_store(kv_cache *cache, int layer, int head, int position,
                    const float *key, const float *value)
{
    size_t offset = head_offset(cache, layer, head)
                    + (size_t)position * cache->row_bytes;
    cache->encode(cache->type, key, cache->keys + offset, cache->head_dim);
    cache->encode(cache->type, value, cache->values + offset,
                  cache->head_dim);
}

void kv_cache_truncate(kv_cache *cache, int n)
{
    if (n >= 0 && n < cache->length)
        cache->length = n;
}
// @end kv-cache-store

// @begin kv-cache-remove
void kv_cache_remove(kv_cache *cache, int from, int n)
{
    size_t gap = (size_t)n * cache->row_bytes;
    size_t bytes = (size_t)(cache->length - from - n) * cache->row_bytes;
    for (int i = 0; i < cache->n_layers * cache->n_kv_heads; i++) {
        size_t to = head_offset(cache, 0, i)
                    + (size_t)from * cache->row_bytes;
        memmove(cache->keys + to, cache->keys + to + gap, bytes);
        memmove(cache->values + to, cache->values + to + gap, bytes);
    }
    cache->length -= n;
}
// @end kv-cache-remove

static bool same_shape(const kv_cache *a, const kv_cache *b)
{
    return a->type == b->type && a->n_layers == b->n_layers
           && a->n_kv_heads == b->n_kv_heads && a->head_dim == b->head_dim;
}

// @begin kv-cache-copy
lll_status kv_cache_copy_prefix(kv_cache *to, const kv_cache *from, int n,
                                lll_error *err)
{
    if (!same_shape(to, from))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "the two caches belong to different models");
    if (n < 0 || n > from->length || n > to->capacity)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "cannot copy %d positions: the source holds %d, the "
                        "destination has room for %d",
                        n, from->length, to->capacity);
    size_t bytes = (size_t)n * to->row_bytes;
    for (int layer = 0; layer < to->n_layers; layer++) {
        for (int head = 0; head < to->n_kv_heads; head++) {
            size_t target = head_offset(to, layer, head);
            size_t source = head_offset(from, layer, head);
            memmove(to->keys + target, from->keys + source, bytes);
            memmove(to->values + target, from->values + source, bytes);
        }
    }
    to->length = n;
    return LLL_OK;
}
// @end kv-cache-copy

// @begin kv-cache-file
// What a saved cache begins with. The tag names the model; the shape is
// checked before a byte of the cache is read.
typedef struct {
    char magic[8];
    uint64_t tag;
    uint32_t type, n_layers, n_kv_heads, head_dim, length, zero;
} saved_header;

static saved_header header_of(const kv_cache *cache, unsigned long long tag)
{
    saved_header header = {
        .magic = {'L', 'L', 'L', 'C', 'A', 'C', 'H', 'E'}, .tag = tag,
        .type = (uint32_t)cache->type,
        .n_layers = (uint32_t)cache->n_layers,
        .n_kv_heads = (uint32_t)cache->n_kv_heads,
        .head_dim = (uint32_t)cache->head_dim,
        .length = (uint32_t)cache->length,
    };
    return header;
}
// @end kv-cache-file

// @begin kv-cache-runs
void kv_cache_give(const kv_cache *cache,
                   void (*put)(void *context, const void *bytes, size_t n),
                   void *context)
{
    size_t bytes = (size_t)cache->length * cache->row_bytes;
    for (int i = 0; i < cache->n_layers * cache->n_kv_heads; i++) {
        size_t offset = head_offset(cache, 0, i);
        put(context, cache->keys + offset, bytes);
        put(context, cache->values + offset, bytes);
    }
}

void kv_cache_fill(kv_cache *cache, int n, const unsigned char *from)
{
    size_t bytes = (size_t)n * cache->row_bytes;
    for (int i = 0; i < cache->n_layers * cache->n_kv_heads; i++) {
        size_t offset = head_offset(cache, 0, i);
        memcpy(cache->keys + offset, from, bytes);
        memcpy(cache->values + offset, from + bytes, bytes);
        from += 2 * bytes;
    }
    cache->length = n;
}
// @end kv-cache-runs

// @begin kv-cache-save
typedef struct {
    file_writer out;
    lll_status status;
    lll_error *err;
} saver;

static void put(void *context, const void *bytes, size_t n)
{
    saver *w = context;
    if (w->status == LLL_OK)
        w->status = file_write(&w->out, bytes, n, w->err);
}

lll_status kv_cache_save(const kv_cache *cache, const char *path,
                         unsigned long long tag, lll_error *err)
{
    saver w = {.status = LLL_OK, .err = err};
    saved_header header = header_of(cache, tag);
    lll_status status = file_create(&w.out, path, err);
    if (status != LLL_OK)
        return status;
    put(&w, &header, sizeof header);
    kv_cache_give(cache, put, &w);
    if (w.status == LLL_OK)
        return file_commit(&w.out, err);
    file_abandon(&w.out);
    return w.status;
}
// @end kv-cache-save

// @begin kv-cache-check
static lll_status check_header(const kv_cache *cache, const file_map *map,
                               const char *path, unsigned long long tag,
                               saved_header *header, lll_error *err)
{
    if (map->n_bytes < sizeof *header)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %zu bytes are too few for a saved cache",
                        path, map->n_bytes);
    memcpy(header, map->bytes, sizeof *header);
    saved_header wanted = header_of(cache, tag);
    wanted.length = header->length;
    if (memcmp(header, &wanted, sizeof wanted) != 0)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: not a cache saved from this model with this "
                        "cache type", path);
    if (header->length > (uint32_t)cache->capacity)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: holds %" PRIu32 " positions, the context has "
                        "room for %d", path, header->length, cache->capacity);
    size_t rows = (size_t)header->length * (size_t)cache->n_layers
                  * (size_t)cache->n_kv_heads * 2;
    if ((map->n_bytes - sizeof *header) / cache->row_bytes != rows
        || (map->n_bytes - sizeof *header) % cache->row_bytes != 0)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %zu bytes, expected %zu: the file was cut or "
                        "extended", path, map->n_bytes,
                        sizeof *header + rows * cache->row_bytes);
    return LLL_OK;
}
// @end kv-cache-check

// @begin kv-cache-load
lll_status kv_cache_load(kv_cache *cache, const char *path,
                         unsigned long long tag, lll_error *err)
{
    file_map map;
    saved_header header;
    lll_status status = file_map_open(&map, path, err);
    if (status != LLL_OK)
        return status;
    status = check_header(cache, &map, path, tag, &header, err);
    if (status == LLL_OK)
        kv_cache_fill(cache, (int)header.length, map.bytes + sizeof header);
    file_map_close(&map);
    return status;
}
// @end kv-cache-load
