// The cache of keys and values: what is put in comes out, and nothing else.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/kernels.h"
#include "common/kv_cache.h"
#include "common/quant.h"

static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0};
enum { N_TYPES = sizeof types / sizeof *types };
enum { LAYERS = 3, HEADS = 2, DIM = 32 };

typedef struct {
    kv_cache cache;
    void *memory;
    size_t bytes;
} owned_cache;

static owned_cache new_cache(dtype type, int capacity)
{
    owned_cache c;
    lll_error err;
    assert_int_equal(kv_cache_bytes(type, LAYERS, HEADS, DIM, capacity,
                                    &c.bytes, &err), LLL_OK);
    size_t rounded = (c.bytes + 63) / 64 * 64;
    c.memory = aligned_alloc(64, rounded);
    assert_non_null(c.memory);
    memset(c.memory, 0x7e, rounded);        // NaN or nonsense until stored
    kv_cache_init(&c.cache, type, LAYERS, HEADS, DIM, capacity,
                  kernels_scalar.encode, c.memory);
    return c;
}

// A number that tells layer, head, position, channel, and key from value,
// and that every type holds exactly: a code of 8 bits times a power of two.
// The first of a row is the largest.
static float number_of(int layer, int head, int position, int i, int is_value)
{
    int which = (((layer * HEADS + head) * 16 + position) * 2 + is_value)
                * DIM + i;
    uint32_t mixed = (uint32_t)which * 2654435761u >> 16;
    int code = i == 0 ? 127 : (int)(mixed % 255) - 127;
    return (float)code * (is_value ? -0.5f : 0.25f);
}

static void store_all(kv_cache *cache, int from, int to)
{
    for (int p = from; p < to; p++)
        for (int layer = 0; layer < LAYERS; layer++)
            for (int head = 0; head < HEADS; head++) {
                float key[DIM], value[DIM];
                for (int i = 0; i < DIM; i++) {
                    key[i] = number_of(layer, head, p, i, 0);
                    value[i] = number_of(layer, head, p, i, 1);
                }
                kv_cache_store(cache, layer, head, p, key, value);
            }
    cache->length = to;
}

static float read_one(const kv_cache *cache, const void *rows, int p, int i)
{
    const unsigned char *row = (const unsigned char *)rows
                               + (size_t)p * cache->row_bytes;
    if (cache->type == DTYPE_F32)
        return ((const float *)(const void *)row)[i];
    if (cache->type == DTYPE_Q8_0) {
        const q8_0_block *block = (const q8_0_block *)(const void *)row;
        return f16_to_f32(block[i / 32].scale) * block[i / 32].code[i % 32];
    }
    return f16_to_f32(((const uint16_t *)(const void *)row)[i]);
}

// From position `from` on there is what was stored `gap` positions later.
static void expect_moved(const kv_cache *cache, int n, int from, int gap)
{
    assert_int_equal(cache->length, n);
    for (int layer = 0; layer < LAYERS; layer++)
        for (int head = 0; head < HEADS; head++) {
            const void *keys = kv_cache_keys(cache, layer, head);
            const void *values = kv_cache_values(cache, layer, head);
            for (int p = 0; p < n; p++)
                for (int i = 0; i < DIM; i++) {
                    int q = p < from ? p : p + gap;
                    float key = number_of(layer, head, q, i, 0);
                    float value = number_of(layer, head, q, i, 1);
                    assert_true(read_one(cache, keys, p, i) == key);
                    assert_true(read_one(cache, values, p, i) == value);
                }
        }
}

static void expect_all(const kv_cache *cache, int n)
{
    expect_moved(cache, n, n, 0);
}

static void bytes_are_the_product(void **state)
{
    (void)state;
    size_t bytes = 7;
    lll_error err;
    // 30 layers, 3 heads, 2048 positions of 64 halves, keys and values.
    assert_int_equal(kv_cache_bytes(DTYPE_F16, 30, 3, 64, 2048, &bytes, &err),
                     LLL_OK);
    assert_int_equal(bytes, 2u * 30 * 3 * 2048 * 64 * 2);
    // One row of 6 bytes: keys are padded, so that values are aligned.
    assert_int_equal(kv_cache_bytes(DTYPE_F16, 1, 1, 3, 1, &bytes, &err),
                     LLL_OK);
    assert_int_equal(bytes, 128);
    bytes = 7;
    assert_int_equal(kv_cache_bytes(DTYPE_F32, 1 << 30, 1 << 30, 1 << 30, 2,
                                    &bytes, &err), LLL_ERR_OVERFLOW);
    assert_int_equal(bytes, 7);
    // Two blocks of 34 bytes a row.
    assert_int_equal(kv_cache_bytes(DTYPE_Q8_0, 30, 3, 64, 2048, &bytes,
                                    &err), LLL_OK);
    assert_int_equal(bytes, 2u * 30 * 3 * 2048 * 68);
}

static void other_types_are_refused(void **state)
{
    (void)state;
    size_t bytes = 7;
    lll_error err;
    assert_int_equal(kv_cache_bytes(DTYPE_Q4_0, 1, 1, 32, 1, &bytes, &err),
                     LLL_ERR_UNSUPPORTED);
    assert_string_equal(err.text, "a cache of Q4_0 is not possible, expected "
                                  "F32, F16 or Q8_0");
    assert_int_equal(kv_cache_bytes(DTYPE_Q8_0, 1, 1, 80, 1, &bytes, &err),
                     LLL_ERR_UNSUPPORTED);
    assert_string_equal(err.text, "a cache of Q8_0 stores blocks of 32 "
                        "numbers, and the heads of this model have 80; use "
                        "a cache of F16 or F32");
    assert_int_equal(bytes, 7);
}

static void what_is_stored_comes_back(void **state)
{
    (void)state;
    for (int t = 0; t < N_TYPES; t++)
        for (int capacity = 1; capacity <= 9; capacity += 4) {
            owned_cache c = new_cache(types[t], capacity);
            store_all(&c.cache, 0, capacity);
            expect_all(&c.cache, capacity);
            const unsigned char *values = kv_cache_values(&c.cache, 0, 0);
            assert_int_equal((size_t)(values - c.cache.keys) % 64, 0);
            free(c.memory);
        }
}

static void halves_are_rounded_to_nearest(void **state)
{
    (void)state;
    owned_cache c = new_cache(DTYPE_F16, 1);
    c.cache.encode = kv_encode_plain;
    float key[DIM] = {1.0f + 0x1p-11f, 1.0f + 0x1.8p-10f, 0.1f, 65504.0f};
    float value[DIM] = {0};
    kv_cache_store(&c.cache, 0, 0, 0, key, value);
    const void *keys = kv_cache_keys(&c.cache, 0, 0);
    assert_true(read_one(&c.cache, keys, 0, 0) == 1.0f);            // to even
    assert_true(read_one(&c.cache, keys, 0, 1) == 1.0f + 0x1p-9f);  // to even
    assert_true(read_one(&c.cache, keys, 0, 2) == 0x1.998p-4f);
    assert_true(read_one(&c.cache, keys, 0, 3) == 65504.0f);
    free(c.memory);
}

// Chapter 6's way of storing, and that of the kernels, give the same bytes.
static void plain_rows_are_those_of_the_kernels(void **state)
{
    (void)state;
    float row[DIM];
    unsigned char plain[DIM * 4], kernel[DIM * 4];
    for (int i = 0; i < DIM; i++)
        row[i] = number_of(1, 1, 3, i, 0) * 1.2345f;
    for (int t = 0; t < N_TYPES; t++) {
        memset(plain, 0x55, sizeof plain);
        memset(kernel, 0x55, sizeof kernel);
        kv_encode_plain(types[t], row, plain, DIM);
        if (types[t] != DTYPE_Q8_0)     // which it does not know
            kernels_scalar.encode(types[t], row, kernel, DIM);
        assert_memory_equal(plain, kernel, sizeof plain);
    }
}

static void truncating_forgets_the_end(void **state)
{
    (void)state;
    owned_cache c = new_cache(DTYPE_Q8_0, 8);
    store_all(&c.cache, 0, 8);
    kv_cache_truncate(&c.cache, 3);
    expect_all(&c.cache, 3);
    kv_cache_truncate(&c.cache, 5);         // cannot bring anything back
    assert_int_equal(c.cache.length, 3);
    store_all(&c.cache, 3, 6);
    expect_all(&c.cache, 6);
    kv_cache_truncate(&c.cache, 0);
    assert_int_equal(c.cache.length, 0);
    free(c.memory);
}

static void what_is_removed_leaves_no_gap(void **state)
{
    (void)state;
    for (int t = 0; t < N_TYPES; t++)
        for (int from = 0; from <= 8; from++)
            for (int n = 0; from + n <= 8; n++) {
                owned_cache c = new_cache(types[t], 9);
                store_all(&c.cache, 0, 8);
                kv_cache_remove(&c.cache, from, n);
                expect_moved(&c.cache, 8 - n, from, n);
                free(c.memory);
            }
}

static void copy_prefixes(dtype type)
{
    lll_error err;
    owned_cache from = new_cache(type, 12), to = new_cache(type, 7);
    store_all(&from.cache, 0, 12);
    assert_int_equal(kv_cache_copy_prefix(&to.cache, &from.cache, 7, &err),
                     LLL_OK);
    expect_all(&to.cache, 7);
    assert_int_equal(kv_cache_copy_prefix(&to.cache, &from.cache, 2, &err),
                     LLL_OK);
    expect_all(&to.cache, 2);
    assert_int_equal(kv_cache_copy_prefix(&to.cache, &from.cache, 8, &err),
                     LLL_ERR_ARGUMENT);
    assert_int_equal(kv_cache_copy_prefix(&to.cache, &from.cache, -1, &err),
                     LLL_ERR_ARGUMENT);
    expect_all(&to.cache, 2);
    dtype another = type == DTYPE_F16 ? DTYPE_Q8_0 : DTYPE_F16;
    owned_cache other = new_cache(another, 12);
    assert_int_equal(kv_cache_copy_prefix(&other.cache, &from.cache, 1, &err),
                     LLL_ERR_ARGUMENT);
    free(from.memory);
    free(to.memory);
    free(other.memory);
}

static void a_prefix_fits_another_capacity(void **state)
{
    (void)state;
    for (int t = 0; t < N_TYPES; t++)
        copy_prefixes(types[t]);
}

// --- files -----------------------------------------------------------------

static char path[64];

static int name_file(void **state)
{
    (void)state;
    strcpy(path, "/tmp/kv-cache-XXXXXX");
    int handle = mkstemp(path);
    if (handle < 0)
        return -1;
    close(handle);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return remove(path);
}

static void a_saved_cache_comes_back(void **state)
{
    (void)state;
    lll_error err;
    for (int i = 0; i < 2 * N_TYPES; i++) {
        int n = i % 2 * 5;
        owned_cache from = new_cache(types[i / 2], 9);
        owned_cache to = new_cache(types[i / 2], 5);
        store_all(&from.cache, 0, n);
        assert_int_equal(kv_cache_save(&from.cache, path, 42, &err), LLL_OK);
        assert_int_equal(kv_cache_load(&to.cache, path, 42, &err), LLL_OK);
        expect_all(&to.cache, n);
        free(from.memory);
        free(to.memory);
    }
}

static void refused(kv_cache *cache, unsigned long long tag,
                    const char *reason)
{
    lll_error err;
    assert_int_equal(kv_cache_load(cache, path, tag, &err), LLL_ERR_FORMAT);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, reason));
    expect_all(cache, 2);
}

static void a_file_that_does_not_fit_changes_nothing(void **state)
{
    (void)state;
    lll_error err;
    owned_cache from = new_cache(DTYPE_F16, 9), to = new_cache(DTYPE_F16, 4);
    owned_cache plain = new_cache(DTYPE_F32, 9);
    owned_cache blocks = new_cache(DTYPE_Q8_0, 9);
    store_all(&from.cache, 0, 5);
    store_all(&to.cache, 0, 2);
    assert_int_equal(kv_cache_save(&from.cache, path, 42, &err), LLL_OK);
    refused(&to.cache, 42, "room for 4");
    refused(&to.cache, 43, "not a cache saved from this model");
    store_all(&plain.cache, 0, 2);
    refused(&plain.cache, 42, "not a cache");
    store_all(&blocks.cache, 0, 2);
    refused(&blocks.cache, 42, "not a cache");

    kv_cache_truncate(&from.cache, 3);
    assert_int_equal(kv_cache_save(&from.cache, path, 42, &err), LLL_OK);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    fputc(0, file);
    long size = ftell(file);
    fclose(file);
    refused(&to.cache, 42, "cut or extended");
    assert_int_equal(truncate(path, size - 2), 0);
    refused(&to.cache, 42, "cut or extended");
    assert_int_equal(truncate(path, 10), 0);
    refused(&to.cache, 42, "too few");
    assert_int_equal(truncate(path, 0), 0);
    assert_int_not_equal(kv_cache_load(&to.cache, path, 42, &err), LLL_OK);
    expect_all(&to.cache, 2);
    free(from.memory);
    free(to.memory);
    free(plain.memory);
    free(blocks.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_product),
        cmocka_unit_test(other_types_are_refused),
        cmocka_unit_test(what_is_stored_comes_back),
        cmocka_unit_test(plain_rows_are_those_of_the_kernels),
        cmocka_unit_test(halves_are_rounded_to_nearest),
        cmocka_unit_test(truncating_forgets_the_end),
        cmocka_unit_test(what_is_removed_leaves_no_gap),
        cmocka_unit_test(a_prefix_fits_another_capacity),
        cmocka_unit_test_setup_teardown(a_saved_cache_comes_back, name_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(
            a_file_that_does_not_fit_changes_nothing, name_file, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
