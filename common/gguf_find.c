#include "common/gguf_find.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"

// @begin gguf-types
static const struct { const char *name; size_t n_bytes; }
type_table[GGUF_TYPE_COUNT] = {
    [GGUF_U8]  = {"U8", 1},   [GGUF_I8]  = {"I8", 1},
    [GGUF_U16] = {"U16", 2},  [GGUF_I16] = {"I16", 2},
    [GGUF_U32] = {"U32", 4},  [GGUF_I32] = {"I32", 4},
    [GGUF_U64] = {"U64", 8},  [GGUF_I64] = {"I64", 8},
    [GGUF_F32] = {"F32", 4},  [GGUF_F64] = {"F64", 8},
    [GGUF_BOOL] = {"BOOL", 1},
    [GGUF_STRING] = {"STRING", 0}, [GGUF_ARRAY] = {"ARRAY", 0},
};

const char *gguf_type_name(gguf_type type)
{
    return (unsigned)type < GGUF_TYPE_COUNT ? type_table[type].name
                                            : "unknown type";
}

size_t gguf_type_bytes(gguf_type type)
{
    return (unsigned)type < GGUF_TYPE_COUNT ? type_table[type].n_bytes : 0;
}
// @end gguf-types

// @begin gguf-index-size
// Slots of a hash table: a power of two that leaves half of them empty, so
// that a search soon meets one and stops.
static size_t slots_for(uint64_t n)
{
    size_t slots = 2;
    while (slots / 2 < n)
        slots *= 2;
    return slots;
}

bool gguf_index_size(uint64_t n_values, uint64_t n_tensors, size_t *n_bytes)
{
    size_t values, tensors, slots, sum;
    // A slot holds a number plus 1 in 32 bits, and slots_for() must end.
    if (n_values > UINT32_MAX / 4 || n_tensors > UINT32_MAX / 4)
        return false;
    if (!size_mul((size_t)n_values, sizeof(gguf_value), &values)
        || !size_mul((size_t)n_tensors, sizeof(gguf_tensor), &tensors)
        || !size_mul(slots_for(n_values) + slots_for(n_tensors),
                     sizeof(uint32_t), &slots)
        || !size_add(values, tensors, &sum) || !size_add(sum, slots, &sum))
        return false;
    *n_bytes = sum;
    return true;
}
// @end gguf-index-size

// @begin gguf-index-init
lll_status gguf_index_init(gguf_file *file, uint64_t n_values,
                           uint64_t n_tensors, lll_error *err)
{
    size_t n_bytes;
    if (!gguf_index_size(n_values, n_tensors, &n_bytes))
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "%s: byte 8: header: %"
                        PRIu64 " tensors and %" PRIu64 " metadata entries, "
                        "more than we can number", file->path, n_tensors,
                        n_values);
    // Both structs end on a multiple of 8 bytes, so nothing is misaligned.
    file->values = calloc(1, n_bytes);
    if (file->values == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory for its lists: "
                        "%zu bytes", file->path, n_bytes);
    file->n_values = (size_t)n_values;
    file->n_tensors = (size_t)n_tensors;
    file->tensors = (gguf_tensor *)(void *)(file->values + n_values);
    file->value_slots = slots_for(n_values);
    file->tensor_slots = slots_for(n_tensors);
    file->value_index = (uint32_t *)(void *)(file->tensors + n_tensors);
    file->tensor_index = file->value_index + file->value_slots;
    file->index_bytes = n_bytes;
    return LLL_OK;
}
// @end gguf-index-init

// @begin gguf-hash
// FNV-1a: multiply and mix byte by byte, then fold the better upper half in.
static size_t hash_of(const char *bytes, size_t n)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

static bool same(gguf_string a, const char *bytes, size_t n)
{
    return a.n_bytes == n && memcmp(a.bytes, bytes, n) == 0;
}
// @end gguf-hash

// @begin gguf-slot
// The slot that holds this name, or the empty one where it would go.
static uint32_t *value_slot(const gguf_file *file, const char *key, size_t n)
{
    size_t i = hash_of(key, n);
    for (;; i++) {
        uint32_t *slot = &file->value_index[i & (file->value_slots - 1)];
        if (*slot == 0 || same(file->values[*slot - 1].key, key, n))
            return slot;
    }
}

static uint32_t *tensor_slot(const gguf_file *file, const char *name,
                             size_t n)
{
    size_t i = hash_of(name, n);
    for (;; i++) {
        uint32_t *slot = &file->tensor_index[i & (file->tensor_slots - 1)];
        if (*slot == 0 || same(file->tensors[*slot - 1].name, name, n))
            return slot;
    }
}
// @end gguf-slot

// @begin gguf-index
bool gguf_index_value(gguf_file *file, size_t i)
{
    gguf_string key = file->values[i].key;
    uint32_t *slot = value_slot(file, key.bytes, key.n_bytes);
    bool is_new = *slot == 0;
    if (is_new)
        *slot = (uint32_t)i + 1;
    return is_new;
}

bool gguf_index_tensor(gguf_file *file, size_t i)
{
    gguf_string name = file->tensors[i].name;
    uint32_t *slot = tensor_slot(file, name.bytes, name.n_bytes);
    bool is_new = *slot == 0;
    if (is_new)
        *slot = (uint32_t)i + 1;
    return is_new;
}
// @end gguf-index

// @begin gguf-find
bool gguf_string_is(gguf_string text, const char *expected)
{
    return same(text, expected, strlen(expected));
}

const gguf_value *gguf_find_value(const gguf_file *file, const char *key)
{
    uint32_t number = *value_slot(file, key, strlen(key));
    return number != 0 ? &file->values[number - 1] : NULL;
}
// @end gguf-find

// @begin gguf-find-tensor
// "[64, 32]", in the order of the file.
static void dims_text(const uint64_t *dims, int n_dims, char text[96])
{
    int n = snprintf(text, 96, "[%" PRIu64, dims[0]);
    for (int i = 1; i < n_dims; i++)
        n += snprintf(text + n, 96 - (size_t)n, ", %" PRIu64, dims[i]);
    snprintf(text + n, 96 - (size_t)n, "]");
}

lll_status gguf_find_tensor(const gguf_file *file, const char *name,
                            const uint64_t *dims, int n_dims,
                            gguf_tensor *out, lll_error *err)
{
    uint32_t number = *tensor_slot(file, name, strlen(name));
    if (number == 0)
        return lll_fail(err, LLL_ERR_NOT_FOUND, "%s: found no tensor %s "
                        "among its %zu", file->path, name, file->n_tensors);
    const gguf_tensor *tensor = &file->tensors[number - 1];
    bool equal = n_dims == 0 || n_dims == tensor->n_dims;
    for (int i = 0; i < n_dims && equal; i++)
        equal = dims[i] == tensor->dims[i];
    if (!equal) {
        char expected[96], found[96];
        dims_text(dims, n_dims, expected);
        dims_text(tensor->dims, tensor->n_dims, found);
        return lll_fail(err, LLL_ERR_FORMAT, "%s: tensor %s: expected %s, "
                        "found %s", file->path, name, expected, found);
    }
    *out = *tensor;
    return LLL_OK;
}
// @end gguf-find-tensor

// @begin gguf-item
int64_t gguf_item_i64(const gguf_value *value, uint64_t i)
{
    size_t size = gguf_type_bytes(value->item_type);
    uint64_t bits = 0;
    if (i >= value->n_items)    // an empty array may end the file
        return 0;
    if (value->item_type == GGUF_F32 || value->item_type == GGUF_F64) {
        double number = gguf_item_f64(value, i);
        if (isnan(number))
            return 0;
        // A float that no int64_t holds: converting it would be undefined.
        if (number >= 0x1p63)
            return INT64_MAX;
        return number < -0x1p63 ? INT64_MIN : (int64_t)number;
    }
    // Little-endian: these are the low bytes.
    memcpy(&bits, value->bytes + i * size, size);
    switch (value->item_type) {
    case GGUF_I8:  return (int8_t)bits;
    case GGUF_I16: return (int16_t)bits;
    case GGUF_I32: return (int32_t)bits;
    case GGUF_U64: return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
    default:       return (int64_t)bits;
    }
}
// @end gguf-item

// @begin gguf-item-f64
double gguf_item_f64(const gguf_value *value, uint64_t i)
{
    const unsigned char *at = value->bytes;
    float single;
    double number;
    if (i >= value->n_items)
        return 0;
    switch (value->item_type) {
    case GGUF_F32:
        memcpy(&single, at + i * sizeof single, sizeof single);
        return (double)single;
    case GGUF_F64:
        memcpy(&number, at + i * sizeof number, sizeof number);
        return number;
    case GGUF_U64:
        return (double)gguf_item_u64(value, i);
    default:
        return (double)gguf_item_i64(value, i);
    }
}
// @end gguf-item-f64

// @begin gguf-item-u64
static bool is_real(gguf_type type)
{
    return type == GGUF_F32 || type == GGUF_F64;
}

uint64_t gguf_item_u64(const gguf_value *value, uint64_t i)
{
    uint64_t large = 0;
    if (value->item_type == GGUF_U64 && i < value->n_items) {
        memcpy(&large, value->bytes + i * sizeof large, sizeof large);
        return large;
    }
    if (is_real(value->item_type)) {
        double number = gguf_item_f64(value, i);
        if (number >= 0x1p64)
            return UINT64_MAX;
        return number > 0 ? (uint64_t)number : 0;   // 0 for NaN, too
    }
    int64_t number = gguf_item_i64(value, i);
    return number > 0 ? (uint64_t)number : 0;
}
// @end gguf-item-u64

// @begin gguf-next-string
gguf_string gguf_next_string(const unsigned char **cursor)
{
    uint64_t n;
    gguf_string text;
    memcpy(&n, *cursor, sizeof n);
    text.bytes = (const char *)*cursor + sizeof n;
    text.n_bytes = (size_t)n;
    *cursor += sizeof n + (size_t)n;
    return text;
}
// @end gguf-next-string

// @begin gguf-get
static const gguf_value *find(const gguf_file *file, const char *key,
                              lll_error *err)
{
    const gguf_value *value = gguf_find_value(file, key);
    if (value == NULL)
        lll_fail(err, LLL_ERR_NOT_FOUND, "%s: the key %s is missing from its "
                 "metadata", file->path, key);
    return value;
}

static lll_status mismatch(const gguf_file *file, const gguf_value *value,
                           const char *key, const char *expected,
                           lll_error *err)
{
    char number[40] = "";
    if (is_real(value->type))
        snprintf(number, sizeof number, " %.17g", gguf_item_f64(value, 0));
    else if (value->type == GGUF_U64)
        snprintf(number, sizeof number, " %" PRIu64, gguf_item_u64(value, 0));
    else if (gguf_type_bytes(value->type) > 0)
        snprintf(number, sizeof number, " %" PRId64, gguf_item_i64(value, 0));
    return lll_fail(err, LLL_ERR_FORMAT, "%s: byte %td: key %s: found %s%s, "
                    "expected %s", file->path, value->bytes - file->map.bytes,
                    key, gguf_type_name(value->type), number, expected);
}
// @end gguf-get

// @begin gguf-get-u64
static bool is_number(gguf_type type)
{
    return gguf_type_bytes(type) > 0 && type != GGUF_BOOL;
}

lll_status gguf_get_u64(const gguf_file *file, const char *key,
                        uint64_t *out, lll_error *err)
{
    const gguf_value *value = find(file, key, err);
    if (value == NULL)
        return LLL_ERR_NOT_FOUND;
    bool whole = is_number(value->type);
    if (whole && is_real(value->type)) {
        // Above 2^53 a double no longer holds every whole number: whoever
        // wrote it may have meant its neighbour.
        double number = gguf_item_f64(value, 0);
        whole = number >= 0 && number <= 0x1p53 && number == floor(number);
    } else if (whole && value->type != GGUF_U64) {
        whole = gguf_item_i64(value, 0) >= 0;
    }
    if (!whole)
        return mismatch(file, value, key, "a whole number, not negative",
                        err);
    *out = gguf_item_u64(value, 0);
    return LLL_OK;
}
// @end gguf-get-u64

// @begin gguf-get-f64
lll_status gguf_get_f64(const gguf_file *file, const char *key, double *out,
                        lll_error *err)
{
    const int64_t most = (int64_t)1 << 53;      // all of them up to here
    const gguf_value *value = find(file, key, err);
    if (value == NULL)
        return LLL_ERR_NOT_FOUND;
    bool exact = is_number(value->type);
    if (exact && !is_real(value->type)) {
        // As integers: the double of 2^53 + 1 is 2^53, and would pass.
        int64_t number = gguf_item_i64(value, 0);
        exact = number >= -most && number <= most;
    }
    if (!exact)
        return mismatch(file, value, key, is_number(value->type)
                        ? "a number that a double holds" : "a number", err);
    *out = gguf_item_f64(value, 0);
    return LLL_OK;
}
// @end gguf-get-f64

// @begin gguf-get-bool
lll_status gguf_get_bool(const gguf_file *file, const char *key, bool *out,
                         lll_error *err)
{
    const gguf_value *value = find(file, key, err);
    if (value == NULL)
        return LLL_ERR_NOT_FOUND;
    if (value->type != GGUF_BOOL)
        return mismatch(file, value, key, "BOOL", err);
    *out = value->bytes[0] != 0;
    return LLL_OK;
}

lll_status gguf_get_string(const gguf_file *file, const char *key,
                           gguf_string *out, lll_error *err)
{
    const gguf_value *value = find(file, key, err);
    if (value == NULL)
        return LLL_ERR_NOT_FOUND;
    if (value->type != GGUF_STRING)
        return mismatch(file, value, key, "STRING", err);
    const unsigned char *cursor = value->bytes;
    *out = gguf_next_string(&cursor);
    return LLL_OK;
}
// @end gguf-get-bool
