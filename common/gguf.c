#include "common/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf_find.h"
#include "common/gguf_read.h"

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
    if (status != LLL_OK)
        return status;
    // The shortest entry: a length, a type and a byte; a tensor with an
    // empty name and one dimension.
    status = gguf_expect(r, *n_tensors, 8 + 4 + 8 + 4 + 8,
                         "tensors are announced");
    if (status == LLL_OK)
        status = gguf_expect(r, *n_values, 8 + 4 + 1,
                             "metadata entries are announced");
    return status;
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

// @begin gguf-survey
// Walk both lists to their end without keeping anything, so that a file
// which lies about their lengths is refused before memory is asked for.
// *data_start is the first byte of the tensors' data.
static lll_status survey(gguf_reader *r, gguf_file *file, uint64_t n_values,
                         uint64_t n_tensors, size_t *data_start)
{
    gguf_value value;
    gguf_tensor tensor;
    uint64_t offset;
    lll_status status = LLL_OK;
    file->alignment = 32;
    for (uint64_t i = 0; i < n_values && status == LLL_OK; i++) {
        status = gguf_take_value(r, &value);
        if (status == LLL_OK
            && gguf_string_is(value.key, "general.alignment"))
            status = note_alignment(r, &value, &file->alignment);
    }
    for (uint64_t i = 0; i < n_tensors && status == LLL_OK; i++)
        status = gguf_take_tensor(r, &tensor, &offset);
    // Can not overflow: a mapping never ends that close to SIZE_MAX.
    size_t padded = r->at + file->alignment - 1;
    *data_start = padded - padded % file->alignment;
    return status;
}
// @end gguf-survey

// @begin gguf-place
// Point the tensor at its bytes, all of which must be in the file.
static lll_status place(const gguf_reader *r, gguf_tensor *tensor,
                        uint64_t offset, size_t data_start,
                        uint32_t alignment)
{
    size_t room = r->n_bytes > data_start ? r->n_bytes - data_start : 0;
    size_t at = r->at - sizeof offset;
    if (offset % alignment != 0)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "its data is at offset %"
                            PRIu64 ", expected a multiple of the alignment, %"
                            PRIu32, offset, alignment);
    if (offset > room || tensor->n_bytes > room - offset)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "its %zu bytes begin at "
                            "offset %" PRIu64 " of the data, of which the "
                            "file holds %zu bytes; it is cut off or damaged: "
                            "fetch it again", tensor->n_bytes, offset, room);
    tensor->data = r->bytes + data_start + (size_t)offset;
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

// Two tensors on the same bytes: no writer means that, and whoever changes
// one of them would change the other.
static lll_status check_overlap(gguf_reader *r, const gguf_file *file)
{
    size_t n = file->n_tensors;
    const gguf_tensor **order = malloc((n + 1) * sizeof *order);
    lll_status status = LLL_OK;
    if (order == NULL)
        return lll_fail(r->err, LLL_ERR_MEMORY, "%s: no memory to sort %zu "
                        "tensors", r->path, n);
    for (size_t i = 0; i < n; i++)
        order[i] = &file->tensors[i];
    qsort(order, n, sizeof *order, by_address);
    for (size_t i = 1; i < n && status == LLL_OK; i++) {
        const unsigned char *end = order[i - 1]->data;
        const unsigned char *next = order[i]->data;
        end += order[i - 1]->n_bytes;
        r->name = order[i]->name;
        if (next < end)
            status = gguf_fail_at(r, LLL_ERR_FORMAT,
                                  (size_t)(next - r->bytes), "its data "
                                  "begins %td bytes before the tensor in "
                                  "front of it ends", end - next);
    }
    free(order);
    return status;
}
// @end gguf-overlap

// @begin gguf-fill
// The second walk keeps what it reads. The lists were sized by the first.
static lll_status fill(gguf_reader *r, gguf_file *file, size_t data_start)
{
    lll_status status = LLL_OK;
    for (size_t i = 0; i < file->n_values && status == LLL_OK; i++) {
        size_t at = r->at;
        status = gguf_take_value(r, &file->values[i]);
        if (status == LLL_OK && !gguf_index_value(file, i))
            status = gguf_fail_at(r, LLL_ERR_FORMAT, at, "the key is there a "
                                  "second time, expected once");
    }
    for (size_t i = 0; i < file->n_tensors && status == LLL_OK; i++) {
        uint64_t offset;
        size_t at = r->at;
        status = gguf_take_tensor(r, &file->tensors[i], &offset);
        if (status == LLL_OK)
            status = place(r, &file->tensors[i], offset, data_start,
                           file->alignment);
        if (status == LLL_OK && !gguf_index_tensor(file, i))
            status = gguf_fail_at(r, LLL_ERR_FORMAT, at, "the tensor is "
                                  "there a second time, expected once");
    }
    return status == LLL_OK ? check_overlap(r, file) : status;
}
// @end gguf-fill

// @begin gguf-read-lists
static lll_status read_lists(gguf_file *file, lll_error *err)
{
    gguf_reader r = {.path = file->path, .bytes = file->map.bytes,
                .n_bytes = file->map.n_bytes, .err = err};
    uint64_t n_values = 0, n_tensors = 0;
    size_t data_start = 0;
    lll_status status = take_header(&r, file, &n_values, &n_tensors);
    if (status != LLL_OK)
        return status;
    gguf_reader lists = r;
    status = survey(&r, file, n_values, n_tensors, &data_start);
    if (status == LLL_OK)
        status = gguf_index_init(file, n_values, n_tensors, err);
    if (status != LLL_OK)
        return status;
    return fill(&lists, file, data_start);
}
// @end gguf-read-lists

// @begin gguf-open
lll_status gguf_open(gguf_file *file, const char *path, lll_error *err)
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
    status = read_lists(file, err);
    if (status != LLL_OK)
        gguf_close(file);
    return status;
}

void gguf_close(gguf_file *file)
{
    free((char *)(uintptr_t)file->path);
    free(file->values);         // the one block: tensors and tables follow
    file_map_close(&file->map);
    memset(file, 0, sizeof *file);
}
// @end gguf-open
