#include "common/gguf_find.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf_read.h"

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

// @begin gguf-order
int gguf_string_order(gguf_string a, gguf_string b)
{
    size_t n = a.n_bytes < b.n_bytes ? a.n_bytes : b.n_bytes;
    int order = n > 0 ? memcmp(a.bytes, b.bytes, n) : 0;
    return order != 0 ? order
                      : (a.n_bytes > b.n_bytes) - (a.n_bytes < b.n_bytes);
}

bool gguf_string_is(gguf_string text, const char *expected)
{
    return gguf_string_order(text, (gguf_string){expected, strlen(expected)})
           == 0;
}

// Of two that are equal, the one that stands first in the list is first.
static int by_name(const void *a, const void *b)
{
    const gguf_string *x = *(const gguf_string *const *)a;
    const gguf_string *y = *(const gguf_string *const *)b;
    int order = gguf_string_order(*x, *y);
    return order != 0 ? order : (x > y) - (x < y);
}
// @end gguf-order

// @begin gguf-sort
// Point at the names of a list of n structs, each of which begins with one,
// and sort them. NULL for an empty list, and when there is no memory.
static const gguf_string **sort_names(const void *list, size_t n,
                                      size_t struct_bytes)
{
    const gguf_string **order = n > 0 ? malloc(n * sizeof *order) : NULL;
    if (order == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        order[i] = (const void *)((const char *)list + i * struct_bytes);
    qsort(order, n, sizeof *order, by_name);
    return order;
}

// The second of two that are equal, or NULL.
static const gguf_string *find_twin(const gguf_string *const *order, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (gguf_string_order(*order[i - 1], *order[i]) == 0)
            return order[i];
    return NULL;
}
// @end gguf-sort

// @begin gguf-sort-lists
static lll_status check_order(const gguf_file *file, const char *kind,
                              const gguf_string *const *order, size_t n,
                              lll_error *err)
{
    if (order == NULL && n > 0)
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory to sort %zu "
                        "names", file->path, n);
    const gguf_string *twin = find_twin(order, n);
    if (twin == NULL)
        return LLL_OK;
    gguf_part part = gguf_part_at(file, 0);
    if (order == file->tensor_order)
        part = gguf_part_of(file, (const gguf_tensor *)(const void *)twin);
    const gguf_reader r = {.path = part.path, .kind = kind, .name = *twin,
                           .err = err};
    // An entry begins with the length of its name.
    const unsigned char *entry = (const unsigned char *)twin->bytes - 8;
    return gguf_fail_at(&r, LLL_ERR_FORMAT,
                        (size_t)(entry - part.map.bytes), "the %s is there "
                        "a second time, expected once", kind);
}

lll_status gguf_sort_values(gguf_file *file, lll_error *err)
{
    size_t n = file->n_values;
    file->value_order = sort_names(file->values, n, sizeof *file->values);
    return check_order(file, "key", file->value_order, n, err);
}

lll_status gguf_sort_tensors(gguf_file *file, lll_error *err)
{
    size_t n = file->n_tensors;
    file->tensor_order = sort_names(file->tensors, n, sizeof *file->tensors);
    return check_order(file, "tensor", file->tensor_order, n, err);
}
// @end gguf-sort-lists

// @begin gguf-find
// The struct that begins with this name, or NULL.
static const void *search(const gguf_string *const *order, size_t n,
                          const char *name)
{
    const gguf_string wanted = {name, strlen(name)};
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int found = gguf_string_order(wanted, *order[middle]);
        if (found == 0)
            return order[middle];
        if (found < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const gguf_value *gguf_find_value(const gguf_file *file, const char *key)
{
    return search(file->value_order, file->n_values, key);
}
// @end gguf-find

// @begin gguf-part-of
gguf_part gguf_part_at(const gguf_file *file, size_t i)
{
    return i == 0 ? (gguf_part){file->path, file->map, file->alignment,
                                file->lists_end}
                  : file->others[i - 1];
}

gguf_part gguf_part_of(const gguf_file *file, const gguf_tensor *tensor)
{
    return gguf_part_at(file, tensor->part);
}

size_t gguf_data_at(const gguf_file *file, const gguf_tensor *tensor)
{
    const unsigned char *data = tensor->data;
    return (size_t)(data - gguf_part_of(file, tensor).map.bytes);
}
// @end gguf-part-of

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
    const gguf_tensor *tensor = search(file->tensor_order, file->n_tensors,
                                       name);
    if (file->n_tensors == 0)
        return lll_fail(err, LLL_ERR_NOT_FOUND, "%s: found no tensors, "
                        "expected a model's, with %s: it holds a vocabulary "
                        "or a description alone", file->path, name);
    if (tensor == NULL)
        return lll_fail(err, LLL_ERR_NOT_FOUND, "%s: found no tensor %s "
                        "among its %zu", file->path, name, file->n_tensors);
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

// @begin gguf-next-array
const unsigned char *gguf_value_end(const gguf_value *value)
{
    const unsigned char *at = value->bytes;
    if (value->item_type != GGUF_STRING && value->item_type != GGUF_ARRAY)
        return at + value->n_items * gguf_type_bytes(value->item_type);
    for (uint64_t i = 0; i < value->n_items; i++) {
        if (value->item_type == GGUF_STRING)
            gguf_next_string(&at);
        else
            gguf_next_array(&at);
    }
    return at;
}

gguf_value gguf_next_array(const unsigned char **cursor)
{
    gguf_value array = {.type = GGUF_ARRAY};
    uint32_t type;
    memcpy(&type, *cursor, sizeof type);
    memcpy(&array.n_items, *cursor + sizeof type, sizeof array.n_items);
    array.item_type = (gguf_type)type;
    array.bytes = *cursor + sizeof type + sizeof array.n_items;
    *cursor = gguf_value_end(&array);
    return array;
}
// @end gguf-next-array

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
                    "expected %s", file->path,
                    value->bytes - file->map.bytes, key,
                    gguf_type_name(value->type), number, expected);
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
