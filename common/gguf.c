#include "common/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf_find.h"
#include "common/gguf_read.h"
#include "common/gguf_split.h"
#include "common/size.h"

// @begin gguf-stranger
// What people have instead of a GGUF file, by how it begins.
static const struct { const char *begins, *is, *remedy; } strangers[] = {
    {"version https://git-lfs", "a Git LFS pointer, which stands for a file "
     "that was not fetched", "run \"git lfs pull\" where it came from"},
    {"<", "a web page or XML", "fetch the file itself, not the page about "
     "it"},
    {"{", "JSON, perhaps a server's error message", "look at what it says"},
    {"PK\003\004", "a zip archive or a PyTorch checkpoint", "convert it to "
     "GGUF first"},
    {"\037\213", "a gzip archive", "unpack it first"},
    {"FUGG", "GGUF for a big-endian machine", "convert it to little-endian"},
    {"tjgg", "a GGJT file, older than GGUF", "convert the model again"},
    {"lmgg", "a GGML file, older than GGUF", "convert the model again"},
};
// @end gguf-stranger

// @begin gguf-magic
static lll_status check_magic(gguf_reader *r)
{
    const char *bytes = (const char *)r->bytes;
    size_t n = r->n_bytes, blank = 0;
    if (n >= 4 && memcmp(bytes, "GGUF", 4) == 0) {
        r->at = 4;
        return LLL_OK;
    }
    if (memcmp(bytes, "GGUF", n < 4 ? n : 4) == 0)
        return gguf_too_long(r, 4, "bytes of \"GGUF\" are needed");
    while (blank < n && blank < 64 && strchr(" \t\r\n", bytes[blank]) != NULL
           && bytes[blank] != '\0')
        blank++;
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        size_t length = strlen(strangers[i].begins);
        if (n - blank >= length
            && memcmp(bytes + blank, strangers[i].begins, length) == 0)
            return gguf_fail_at(r, LLL_ERR_FORMAT, 0, "found %s, expected a "
                                "GGUF file; %s", strangers[i].is,
                                strangers[i].remedy);
    }
    if (n > 8 && bytes[8] == '{')
        return gguf_fail_at(r, LLL_ERR_FORMAT, 0, "found a safetensors file, "
                            "expected a GGUF file; convert it first");
    return gguf_fail_at(r, LLL_ERR_FORMAT, 0, "found \"%.*s\", expected "
                        "\"GGUF\"; is this a model file?", n < 4 ? (int)n : 4,
                        bytes);
}
// @end gguf-magic

// @begin gguf-expect-lists
// Can the file hold lists that long, and do we want to?
static lll_status expect_lists(gguf_reader *r, uint64_t n_values,
                               uint64_t n_tensors)
{
    // The shortest entry: a length, a type and a byte; a tensor with an
    // empty name and one dimension.
    lll_status status = gguf_expect(r, n_tensors, 8 + 4 + 8 + 4 + 8,
                                    "tensors are announced");
    if (status == LLL_OK)
        status = gguf_expect(r, n_values, 8 + 4 + 1,
                             "metadata entries are announced");
    if (status == LLL_OK
        && (n_tensors > GGUF_MAX_LIST || n_values > GGUF_MAX_LIST))
        status = gguf_fail_at(r, LLL_ERR_UNSUPPORTED, 8, "%" PRIu64 " tensors"
                              " and %" PRIu64 " metadata entries, expected "
                              "at most %d of each", n_tensors, n_values,
                              GGUF_MAX_LIST);
    return status;
}
// @end gguf-expect-lists

// @begin gguf-header
// "GGUF", version, and how long the two lists are: 24 bytes.
static lll_status take_header(gguf_reader *r, gguf_file *file,
                              uint64_t *n_values, uint64_t *n_tensors)
{
    r->kind = "header";
    lll_status status = check_magic(r);
    if (status == LLL_OK)
        status = gguf_take_number(r, &file->version, sizeof file->version);
    if (status != LLL_OK)
        return status;
    // A small number looks enormous when its bytes are swapped.
    if ((file->version & 0xffff) == 0 && file->version != 0)
        return gguf_fail_at(r, LLL_ERR_UNSUPPORTED, 4, "version %" PRIu32
                            " is %" PRIu32 " with its bytes swapped: a file "
                            "for a big-endian machine; convert it to "
                            "little-endian", file->version,
                            file->version >> 24);
    if (file->version != 2 && file->version != 3)
        return gguf_fail_at(r, LLL_ERR_UNSUPPORTED, 4, "GGUF version %" PRIu32
                            ", expected 2 or 3; convert the model again",
                            file->version);
    status = gguf_take_number(r, n_tensors, sizeof *n_tensors);
    if (status == LLL_OK)
        status = gguf_take_number(r, n_values, sizeof *n_values);
    return status == LLL_OK ? expect_lists(r, *n_values, *n_tensors) : status;
}
// @end gguf-header

// @begin gguf-alignment
static lll_status note_alignment(const gguf_reader *r,
                                 const gguf_value *value, uint32_t *alignment)
{
    size_t at = (size_t)(value->bytes - r->bytes);
    if (value->type != GGUF_U32)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "found %s, expected U32",
                            gguf_type_name(value->type));
    int64_t n = gguf_item_i64(value, 0);
    if (n < 8 || n > GGUF_MAX_ALIGNMENT || (n & (n - 1)) != 0)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "found %" PRId64 ", "
                            "expected a power of two from 8 to %d", n,
                            GGUF_MAX_ALIGNMENT);
    *alignment = (uint32_t)n;
    return LLL_OK;
}
// @end gguf-alignment

// @begin gguf-grow
// Room for entry number i of the n announced: twice as much as before, and at
// the end as much as announced. Asking for all of it at once would let a
// header of 24 bytes have any amount of memory.
static bool grow(void **list, uint64_t i, uint64_t n, size_t entry_bytes)
{
    size_t n_bytes;
    if (i != 0 && (i < 64 || (i & (i - 1)) != 0))
        return true;            // full after 0, 64, 128, 256 ...
    uint64_t room = i == 0 ? 64 : 2 * i;
    if (room > n)
        room = n;
    bool fits = size_mul((size_t)room, entry_bytes, &n_bytes);
    void *more = fits ? realloc(*list, n_bytes) : NULL;
    if (more != NULL)
        *list = more;
    return more != NULL;
}

static lll_status no_memory(const gguf_file *file, lll_error *err)
{
    return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory for its lists",
                    file->path);
}
// @end gguf-grow

// @begin gguf-take-lists
static lll_status take_values(gguf_reader *r, gguf_file *file, uint64_t n)
{
    void *list = NULL;
    lll_status status = LLL_OK;
    for (uint64_t i = 0; i < n && status == LLL_OK; i++) {
        if (!grow(&list, i, n, sizeof *file->values))
            return no_memory(file, r->err);
        file->values = list;
        gguf_value *value = &file->values[file->n_values++];
        status = gguf_take_value(r, value);
        if (status == LLL_OK
            && gguf_string_is(value->key, "general.alignment"))
            status = note_alignment(r, value, &file->alignment);
    }
    return status;
}

static lll_status take_tensors(gguf_reader *r, gguf_file *file, uint64_t n)
{
    void *list = NULL;
    lll_status status = LLL_OK;
    for (uint64_t i = 0; i < n && status == LLL_OK; i++) {
        if (!grow(&list, i, n, sizeof *file->tensors))
            return no_memory(file, r->err);
        file->tensors = list;
        status = gguf_take_tensor(r, &file->tensors[file->n_tensors++]);
    }
    return status;
}
// @end gguf-take-lists

// @begin gguf-place
// Point the tensors at their bytes, all of which must be in the file. The
// data begin at the first multiple of the alignment behind the lists.
static lll_status place(gguf_reader *r, gguf_file *file)
{
    // A power of two less one has the bits that a multiple has not: a mask
    // instead of a division for each tensor. The sum can not overflow: a
    // mapping never ends that close to SIZE_MAX.
    size_t rest = (size_t)file->alignment - 1;
    size_t start = (r->at + rest) & ~rest;
    size_t room = r->n_bytes > start ? r->n_bytes - start : 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        gguf_tensor *tensor = &file->tensors[i];
        uint64_t offset;
        size_t at = gguf_offset_at(r, tensor, &offset);
        r->name = tensor->name;
        if ((offset & rest) != 0)
            return gguf_fail_at(r, LLL_ERR_FORMAT, at, "its data is at "
                                "offset %" PRIu64 ", expected a multiple of "
                                "the alignment, %" PRIu32, offset,
                                file->alignment);
        if (offset > room || tensor->n_bytes > room - offset)
            return gguf_fail_at(r, LLL_ERR_FORMAT, at, "its %zu bytes begin "
                                "at offset %" PRIu64 " of the data, of which "
                                "the file holds %zu bytes; it is cut off or "
                                "damaged: fetch it again", tensor->n_bytes,
                                offset, room);
        tensor->data = r->bytes + start + (size_t)offset;
    }
    return LLL_OK;
}
// @end gguf-place

// @begin gguf-overlap
static int by_address(const void *a, const void *b)
{
    const unsigned char *x = (*(const gguf_tensor *const *)a)->data;
    const unsigned char *y = (*(const gguf_tensor *const *)b)->data;
    return (x > y) - (x < y);
}

// The first of n tensors, in this order, that begins before the one in front
// of it ends; NULL where there is none.
static const gguf_tensor *find_overlap(const gguf_tensor *const *order,
                                       size_t n, ptrdiff_t *overlap)
{
    for (size_t i = 1; i < n; i++) {
        const unsigned char *end = order[i - 1]->data;
        const unsigned char *next = order[i]->data;
        end += order[i - 1]->n_bytes;
        *overlap = end - next;
        if (next < end)
            return order[i];
    }
    return NULL;
}
// @end gguf-overlap

// @begin gguf-check-overlap
// Two tensors on the same bytes: no writer means that, and whoever changes
// one of them would change the other.
static lll_status check_overlap(gguf_reader *r, const gguf_file *file)
{
    size_t n = file->n_tensors;
    ptrdiff_t overlap = 0;
    const gguf_tensor **order = malloc((n + 1) * sizeof *order);
    lll_status status = LLL_OK;
    if (order == NULL)
        return no_memory(file, r->err);
    for (size_t i = 0; i < n; i++)
        order[i] = &file->tensors[i];
    // Most files list their tensors in the order of the data.
    const gguf_tensor *second = find_overlap(order, n, &overlap);
    if (second != NULL) {
        qsort(order, n, sizeof *order, by_address);
        second = find_overlap(order, n, &overlap);
    }
    if (second != NULL) {
        const unsigned char *data = second->data;
        r->name = second->name;
        status = gguf_fail_at(r, LLL_ERR_FORMAT, (size_t)(data - r->bytes),
                              "its data begins %td bytes before the tensor "
                              "in front of it ends", overlap);
    }
    free(order);
    return status;
}
// @end gguf-check-overlap

// @begin gguf-read-lists
static lll_status read_lists(gguf_file *file, lll_error *err)
{
    gguf_reader r = {.path = file->path, .bytes = file->map.bytes,
                     .n_bytes = file->map.n_bytes, .err = err};
    uint64_t n_values = 0, n_tensors = 0;
    file->alignment = 32;
    lll_status status = take_header(&r, file, &n_values, &n_tensors);
    if (status == LLL_OK)
        status = take_values(&r, file, n_values);
    if (status == LLL_OK)
        status = take_tensors(&r, file, n_tensors);
    file->lists_end = r.at;
    if (status == LLL_OK)
        status = place(&r, file);
    if (status == LLL_OK)
        status = check_overlap(&r, file);
    return status;
}
// @end gguf-read-lists

// @begin gguf-open-part
// One file, whatever part of a model it is.
static lll_status open_part(gguf_file *file, const char *path, lll_error *err)
{
    size_t length = strlen(path) + 1;
    memset(file, 0, sizeof *file);
    lll_status status = file_map_open(&file->map, path, err);
    if (status != LLL_OK)
        return status;
    char *copy = malloc(length);
    if (copy == NULL) {
        gguf_close(file);
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory for its name",
                        path);
    }
    file->path = memcpy(copy, path, length);
    file->n_bytes = file->map.n_bytes;
    status = read_lists(file, err);
    if (status == LLL_OK)
        status = gguf_sort_values(file, err);
    if (status != LLL_OK)
        gguf_close(file);
    return status;
}
// @end gguf-open-part

// @begin gguf-join
// Append the tensors of a part to those of the first, and keep its mapping.
static lll_status join(gguf_file *file, gguf_file *part, lll_error *err)
{
    size_t n = file->n_tensors + part->n_tensors, n_bytes;
    gguf_tensor *list = NULL;
    if (part->n_tensors > 0
        && (!size_mul(n, sizeof *list, &n_bytes)
            || (list = realloc(file->tensors, n_bytes)) == NULL))
        return no_memory(file, err);
    if (list != NULL)
        file->tensors = list;
    for (size_t i = 0; i < part->n_tensors; i++) {
        part->tensors[i].part = file->n_others + 1;
        file->tensors[file->n_tensors++] = part->tensors[i];
    }
    file->n_bytes += part->map.n_bytes;
    file->others[file->n_others++] = (gguf_part){
        part->path, part->map, part->alignment, part->lists_end};
    part->path = NULL;          // they are the whole model's now
    part->map = (file_map){0};
    return LLL_OK;
}
// @end gguf-join

// @begin gguf-open-others
static lll_status open_others(gguf_file *file, const gguf_split *split,
                              lll_error *err)
{
    lll_status status = LLL_OK;
    char *path = malloc(strlen(file->path) + 1);
    file->others = calloc((size_t)split->count - 1, sizeof *file->others);
    if (path == NULL || file->others == NULL)
        status = no_memory(file, err);
    for (uint64_t i = 1; i < split->count && status == LLL_OK; i++) {
        gguf_file part;
        gguf_split_path(file->path, i, path);
        status = open_part(&part, path, err);
        if (status == LLL_ERR_IO && err != NULL)
            lll_fail(err, status, "%s; it is part %" PRIu64 " of %" PRIu64
                     " of %s, which needs them all beside it", err->text,
                     i + 1, split->count, file->path);
        if (status != LLL_OK)
            break;
        status = gguf_split_check(file, split, i, &part, err);
        if (status == LLL_OK)
            status = join(file, &part, err);
        gguf_close(&part);
    }
    free(path);
    return status == LLL_OK ? gguf_split_check_total(file, split, err)
                            : status;
}
// @end gguf-open-others

// @begin gguf-open
// Everything that stays allocated, to the byte.
static size_t allocated(const gguf_file *file)
{
    size_t n_bytes = strlen(file->path) + 1
        + file->n_values * (sizeof *file->values + sizeof(void *))
        + file->n_tensors * (sizeof *file->tensors + sizeof(void *));
    for (size_t i = 0; i < file->n_others; i++)
        n_bytes += sizeof *file->others + strlen(file->others[i].path) + 1;
    return n_bytes;
}

lll_status gguf_open(gguf_file *file, const char *path, lll_error *err)
{
    gguf_split split;
    lll_status status = open_part(file, path, err);
    if (status != LLL_OK)
        return status;
    status = gguf_split_read(file, &split, err);
    if (status == LLL_OK)
        status = gguf_split_check_first(file, &split, err);
    if (status == LLL_OK && split.count > 1)
        status = open_others(file, &split, err);
    if (status == LLL_OK)
        status = gguf_sort_tensors(file, err);
    if (status == LLL_OK)
        file->index_bytes = allocated(file);
    else
        gguf_close(file);
    return status;
}
// @end gguf-open

// @begin gguf-close
void gguf_close(gguf_file *file)
{
    for (size_t i = 0; i < file->n_others; i++) {
        free((char *)(uintptr_t)file->others[i].path);
        file_map_close(&file->others[i].map);
    }
    free(file->others);
    free((char *)(uintptr_t)file->path);
    free(file->values);
    free(file->tensors);
    free(file->value_order);
    free(file->tensor_order);
    file_map_close(&file->map);
    memset(file, 0, sizeof *file);
}
// @end gguf-close
