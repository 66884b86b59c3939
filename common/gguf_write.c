#include "common/gguf_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf_read.h"
#include "common/size.h"

// @begin gguf-pending
struct gguf_pending_tensor {
    char name[GGUF_NAME_WRITTEN + 1];
    size_t name_bytes;
    dtype type;
    int n_dims;
    uint64_t dims[4];
    const void *data;       // borrowed; NULL: brought by gguf_write_data()
    size_t n_bytes;
};

void gguf_writer_init(gguf_writer *out)
{
    memset(out, 0, sizeof *out);
    out->alignment = 32;
}

void gguf_writer_free(gguf_writer *out)
{
    file_abandon(&out->file);
    free(out->values);
    free(out->tensors);
    memset(out, 0, sizeof *out);
}
// @end gguf-pending

// @begin gguf-append
// Make room for n more items of `size` bytes in *list. Doubling makes the
// cost of growing constant for each item.
static bool grow(gguf_writer *out, void **list, size_t used, size_t n,
                 size_t size, size_t *capacity)
{
    size_t needed = SIZE_MAX, bytes;
    bool fits = size_add(used, n, &needed);
    if (fits && needed <= *capacity)
        return true;
    size_t twice = *capacity < SIZE_MAX / 2 ? *capacity * 2 : needed;
    size_t next = needed > twice ? needed : twice;
    fits = fits && size_mul(next, size, &bytes);
    void *moved = fits ? realloc(*list, bytes) : NULL;
    if (moved == NULL) {
        lll_fail(&out->failure, LLL_ERR_MEMORY, "no memory for %zu items of "
                 "%zu bytes in the lists of a GGUF file", next, size);
        return false;
    }
    *list = moved;
    *capacity = next;
    return true;
}

static void append(gguf_writer *out, const void *bytes, size_t n)
{
    void *list = out->values;
    if (out->failure.code != LLL_OK || n == 0
        || !grow(out, &list, out->values_bytes, n, 1, &out->values_capacity))
        return;
    out->values = list;
    memcpy(out->values + out->values_bytes, bytes, n);
    out->values_bytes += n;
}
// @end gguf-append

// @begin gguf-reserve
void gguf_writer_reserve(gguf_writer *out, size_t values_bytes,
                         size_t n_tensors)
{
    void *values = NULL, *tensors = NULL;
    if (grow(out, &values, 0, values_bytes, 1, &out->values_capacity))
        out->values = values;
    if (grow(out, &tensors, 0, n_tensors, sizeof *out->tensors,
             &out->tensors_capacity))
        out->tensors = tensors;
}

size_t gguf_writer_bytes(size_t values_bytes, size_t n_tensors,
                         const char *path)
{
    size_t lists = size_plus(values_bytes, size_times(
                                 n_tensors, sizeof(gguf_pending_tensor)));
    if (path == NULL)
        return lists;
    // Names are sorted before the file is begun.
    size_t names = size_times(n_tensors + 1, sizeof(gguf_string));
    size_t file = file_writer_bytes(path);
    return size_plus(lists, names > file ? names : file);
}
// @end gguf-reserve

// @begin gguf-set
static void append_text(gguf_writer *out, const char *bytes, size_t n_bytes)
{
    append(out, &(uint64_t){n_bytes}, sizeof(uint64_t));
    append(out, bytes, n_bytes);
}

static void append_type(gguf_writer *out, gguf_type type)
{
    uint32_t number = (uint32_t)type;
    append(out, &number, sizeof number);
}

static void begin_value(gguf_writer *out, const char *key, size_t n_bytes,
                        gguf_type type)
{
    const gguf_string name = {key, n_bytes};
    if (out->failure.code != LLL_OK)
        return;
    if (n_bytes == 0 || n_bytes > GGUF_MAX_KEY)
        lll_fail(&out->failure, LLL_ERR_ARGUMENT, "a key of %zu bytes, "
                 "expected 1 to %d", n_bytes, GGUF_MAX_KEY);
    else if (type != GGUF_U32 && gguf_string_is(name, "general.alignment"))
        lll_fail(&out->failure, LLL_ERR_ARGUMENT, "key %s: found %s, "
                 "expected U32", "general.alignment", gguf_type_name(type));
    append_text(out, key, n_bytes);
    append_type(out, type);
    out->n_values++;
}

static void set_number(gguf_writer *out, const char *key, gguf_type type,
                       const void *number)
{
    begin_value(out, key, strlen(key), type);
    append(out, number, gguf_type_bytes(type));
}
// @end gguf-set

// @begin gguf-set-numbers
void gguf_set_u32(gguf_writer *out, const char *key, uint32_t value)
{
    set_number(out, key, GGUF_U32, &value);
    // The file announces the alignment that it was written with.
    if (strcmp(key, "general.alignment") == 0)
        out->alignment = value;
}

void gguf_set_u64(gguf_writer *out, const char *key, uint64_t value)
{
    set_number(out, key, GGUF_U64, &value);
}

void gguf_set_f32(gguf_writer *out, const char *key, float value)
{
    set_number(out, key, GGUF_F32, &value);
}

void gguf_set_bool(gguf_writer *out, const char *key, bool value)
{
    unsigned char byte = value;
    set_number(out, key, GGUF_BOOL, &byte);
}
// @end gguf-set-numbers

// @begin gguf-set-texts
void gguf_set_string(gguf_writer *out, const char *key, const char *bytes,
                     size_t n_bytes)
{
    begin_value(out, key, strlen(key), GGUF_STRING);
    append_text(out, bytes, n_bytes);
}

void gguf_set_strings(gguf_writer *out, const char *key,
                      const gguf_string *items, uint64_t n_items)
{
    begin_value(out, key, strlen(key), GGUF_ARRAY);
    append_type(out, GGUF_STRING);
    append(out, &n_items, sizeof n_items);
    for (uint64_t i = 0; i < n_items; i++)
        append_text(out, items[i].bytes, items[i].n_bytes);
}

void gguf_set_array(gguf_writer *out, const char *key, gguf_type type,
                    const void *items, uint64_t n_items)
{
    size_t size = gguf_type_bytes(type);
    size_t n_bytes = 0;
    bool ok = size > 0 && n_items <= SIZE_MAX
              && size_mul((size_t)n_items, size, &n_bytes);
    if (!ok && out->failure.code == LLL_OK)
        lll_fail(&out->failure, LLL_ERR_ARGUMENT, "key %s: an array of "
                 "%" PRIu64 " items of type %s, expected numbers that fit in "
                 "memory", key, n_items, gguf_type_name(type));
    begin_value(out, key, strlen(key), GGUF_ARRAY);
    append_type(out, type);
    append(out, &n_items, sizeof n_items);
    append(out, items, n_bytes);
}
// @end gguf-set-texts

// @begin gguf-copy-value
void gguf_copy_value(gguf_writer *out, const gguf_value *value)
{
    const unsigned char *end = gguf_value_end(value);
    begin_value(out, value->key.bytes, value->key.n_bytes, value->type);
    if (value->type == GGUF_ARRAY) {
        append_type(out, value->item_type);
        append(out, &value->n_items, sizeof value->n_items);
    }
    append(out, value->bytes, (size_t)(end - value->bytes));
    if (gguf_string_is(value->key, "general.alignment"))
        out->alignment = (uint32_t)gguf_item_i64(value, 0);
}
// @end gguf-copy-value

// @begin gguf-add-tensor
void gguf_add_named(gguf_writer *out, gguf_string name, dtype type,
                    const uint64_t *dims, int n_dims, const void *data)
{
    gguf_pending_tensor tensor = {.name_bytes = name.n_bytes, .type = type,
                                  .n_dims = n_dims, .data = data};
    uint64_t shape[4];
    char shown[NAME_TEXT];
    lll_error why;
    if (out->failure.code != LLL_OK)
        return;
    name_text(name.bytes, name.n_bytes, shown);
    if (name.n_bytes > GGUF_NAME_WRITTEN || n_dims < 1 || n_dims > 4) {
        lll_fail(&out->failure, LLL_ERR_ARGUMENT, "tensor %s: %d "
                 "dimensions and a name of %zu bytes, expected 1 to 4 and at "
                 "most %d", shown, n_dims, name.n_bytes, GGUF_NAME_WRITTEN);
        return;
    }
    memcpy(tensor.name, name.bytes, name.n_bytes);
    for (int i = 0; i < n_dims; i++) {
        tensor.dims[i] = dims[i];
        shape[n_dims - 1 - i] = dims[i];
    }
    lll_status status = tensor_size(type, shape, n_dims, SIZE_MAX, NULL,
                                    &tensor.n_bytes, &why);
    void *list = out->tensors;
    if (status != LLL_OK)
        lll_fail(&out->failure, status, "tensor %s: %s", shown, why.text);
    else if (grow(out, &list, out->n_tensors, 1, sizeof tensor,
                  &out->tensors_capacity)) {
        out->tensors = list;
        out->tensors[out->n_tensors++] = tensor;
    }
}
// @end gguf-add-tensor

// @begin gguf-unique
void gguf_add_tensor(gguf_writer *out, const char *name, dtype type,
                     const uint64_t *dims, int n_dims, const void *data)
{
    gguf_add_named(out, (gguf_string){name, strlen(name)}, type, dims, n_dims,
                   data);
}

static int by_bytes(const void *a, const void *b)
{
    return gguf_string_order(*(const gguf_string *)a,
                             *(const gguf_string *)b);
}

// Sorted, two names that are equal stand beside each other.
static lll_status check_unique(gguf_string *names, size_t n,
                               const char *what, const char *path,
                               lll_error *err)
{
    char shown[NAME_TEXT];
    qsort(names, n, sizeof *names, by_bytes);
    for (size_t i = 1; i < n; i++)
        if (by_bytes(&names[i - 1], &names[i]) == 0)
            return lll_fail(err, LLL_ERR_ARGUMENT, "%s: not written: %s %s "
                            "is there a second time, expected once", path,
                            what, name_text(names[i].bytes, names[i].n_bytes,
                                            shown));
    return LLL_OK;
}
// @end gguf-unique

// @begin gguf-check-names
// What the reader refuses, more texts than it walks say, or a name that is
// there twice, is not written: the entries are read once before.
static lll_status check_names(const gguf_writer *out, const char *path,
                              lll_error *err)
{
    lll_error why;
    gguf_reader r = {.path = "not written", .bytes = out->values,
                     .n_bytes = out->values_bytes, .err = &why,
                     .n_entries = out->n_values + out->n_tensors};
    lll_status status = LLL_OK;
    size_t n_values = (size_t)out->n_values, n_tensors = out->n_tensors;
    size_t most = n_values > n_tensors ? n_values : n_tensors;
    gguf_string *names = calloc(most + 1, sizeof *names);
    if (names == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory to sort %zu "
                        "names", path, most);
    for (size_t i = 0; i < n_values && status == LLL_OK; i++) {
        gguf_value value;
        status = gguf_take_value(&r, &value);
        names[i] = value.key;
    }
    if (status != LLL_OK)
        status = lll_fail(err, LLL_ERR_ARGUMENT, "%s: %s", path, why.text);
    else
        status = check_unique(names, n_values, "key", path, err);
    for (size_t i = 0; i < n_tensors; i++)
        names[i] = (gguf_string){out->tensors[i].name,
                                 out->tensors[i].name_bytes};
    if (status == LLL_OK)
        status = check_unique(names, n_tensors, "tensor", path, err);
    free(names);
    return status;
}
// @end gguf-check-names

// @begin gguf-write-lists
// The failure of a file_writer is final, so that calls may follow one
// another unchecked until the last.
typedef struct {
    file_writer *file;
    lll_status status;
    lll_error *err;
} sink;

static void put(sink *to, const void *bytes, size_t n)
{
    if (to->status == LLL_OK)
        to->status = file_write(to->file, bytes, n, to->err);
}

static void put_zeros(sink *to, size_t n)
{
    static const unsigned char zeros[256];
    for (; n > 0 && to->status == LLL_OK; n -= n < 256 ? n : 256)
        put(to, zeros, n < 256 ? n : 256);
}

static size_t padding(uint64_t n, uint32_t alignment)
{
    return (size_t)((alignment - n % alignment) % alignment);
}
// @end gguf-write-lists

// @begin gguf-put-lists
static void put_lists(sink *to, const gguf_writer *out)
{
    const uint32_t version = 3;
    const uint64_t counts[2] = {out->n_tensors, out->n_values};
    uint64_t offset = 0;
    put(to, "GGUF", 4);
    put(to, &version, sizeof version);
    put(to, counts, sizeof counts);
    put(to, out->values, out->values_bytes);
    for (size_t i = 0; i < out->n_tensors; i++) {
        const gguf_pending_tensor *tensor = &out->tensors[i];
        const uint64_t length = tensor->name_bytes;
        const uint32_t numbers[2] = {(uint32_t)tensor->n_dims,
                                     (uint32_t)tensor->type};
        put(to, &length, sizeof length);
        put(to, tensor->name, tensor->name_bytes);
        put(to, &numbers[0], sizeof numbers[0]);
        put(to, tensor->dims, (size_t)tensor->n_dims * sizeof(uint64_t));
        put(to, &numbers[1], sizeof numbers[1]);
        put(to, &offset, sizeof offset);
        offset += tensor->n_bytes + padding(tensor->n_bytes, out->alignment);
    }
}
// @end gguf-put-lists

// @begin gguf-layout
// Sizes alone decide where everything goes; nobody has held these bytes yet.
static lll_status check_layout(const gguf_writer *out, const char *path,
                               lll_error *err)
{
    uint32_t alignment = out->alignment;
    size_t end = 0;
    if (alignment < 8 || alignment > GGUF_MAX_ALIGNMENT
        || (alignment & (alignment - 1)) != 0)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: not written: alignment "
                        "%" PRIu32 ", expected a power of two from 8 to %d",
                        path, alignment, GGUF_MAX_ALIGNMENT);
    if (out->n_values > GGUF_MAX_LIST || out->n_tensors > GGUF_MAX_LIST)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: not written: %zu tensors "
                        "and %" PRIu64 " metadata entries, expected at most "
                        "%d of each", path, out->n_tensors, out->n_values,
                        GGUF_MAX_LIST);
    for (size_t i = 0; i < out->n_tensors; i++) {
        size_t n_bytes = out->tensors[i].n_bytes;
        if (!size_add(end, n_bytes, &end)
            || !size_add(end, padding(n_bytes, alignment), &end))
            return lll_fail(err, LLL_ERR_OVERFLOW, "%s: not written: its %zu "
                            "tensors are longer than any file can be", path,
                            out->n_tensors);
    }
    return LLL_OK;
}
// @end gguf-layout

// @begin gguf-write-begin
lll_status gguf_write_begin(gguf_writer *out, const char *path,
                            lll_error *err)
{
    if (out->failure.code != LLL_OK)
        return lll_fail(err, out->failure.code, "%s: not written: %s", path,
                        out->failure.text);
    lll_status status = check_layout(out, path, err);
    if (status == LLL_OK)
        status = check_names(out, path, err);
    if (status != LLL_OK)
        return status;
    file_abandon(&out->file);
    out->n_written = out->filled = 0;
    sink to = {.file = &out->file, .err = err};
    to.status = file_create(to.file, path, err);
    put_lists(&to, out);
    // Files without tensors, vocabularies alone, end with their lists.
    if (out->n_tensors > 0)
        put_zeros(&to, padding(to.file->n_bytes, out->alignment));
    return to.status;
}
// @end gguf-write-begin

// @begin gguf-out-of-turn
// The caller broke the order of steps: give up what is there so far.
static lll_status out_of_turn(gguf_writer *out, const char *found,
                              lll_error *err)
{
    const gguf_pending_tensor none = {.name = "after the last"};
    const gguf_pending_tensor *next = &none;
    if (out->n_written < out->n_tensors)
        next = &out->tensors[out->n_written];
    lll_fail(err, LLL_ERR_ARGUMENT, "%s: not written: tensor %s: found %s, "
             "expected %zu more bytes", out->file.path != NULL
             ? out->file.path : "a file that is not begun", next->name, found,
             next->n_bytes - out->filled);
    file_abandon(&out->file);
    return LLL_ERR_ARGUMENT;
}
// @end gguf-out-of-turn

// @begin gguf-write-data
lll_status gguf_write_data(gguf_writer *out, const void *bytes,
                           size_t n_bytes, lll_error *err)
{
    size_t whole = 0;
    if (out->n_written < out->n_tensors)
        whole = out->tensors[out->n_written].n_bytes;
    if (bytes == NULL)
        return out_of_turn(out, "no data", err);
    if (out->file.path == NULL || n_bytes > whole - out->filled)
        return out_of_turn(out, "more data", err);
    sink to = {.file = &out->file, .err = err};
    put(&to, bytes, n_bytes);
    out->filled += n_bytes;
    if (out->filled == whole && n_bytes > 0) {
        put_zeros(&to, padding(whole, out->alignment));
        out->n_written++;
        out->filled = 0;
    }
    return to.status;
}
// @end gguf-write-data

// @begin gguf-write
lll_status gguf_write_end(gguf_writer *out, lll_error *err)
{
    if (out->file.path == NULL || out->n_written < out->n_tensors)
        return out_of_turn(out, "the end", err);
    lll_status status = file_commit(&out->file, err);
    file_abandon(&out->file);
    return status;
}

lll_status gguf_write(gguf_writer *out, const char *path, lll_error *err)
{
    lll_status status = gguf_write_begin(out, path, err);
    for (size_t i = 0; i < out->n_tensors && status == LLL_OK; i++)
        status = gguf_write_data(out, out->tensors[i].data,
                                 out->tensors[i].n_bytes, err);
    return status == LLL_OK ? gguf_write_end(out, err) : status;
}
// @end gguf-write
