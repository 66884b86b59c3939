#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/file.h"
#include "common/gguf_split.h"
#include "common/gguf_write.h"
#include "common/quant.h"
#include "common/size.h"

#include "show.h"

// @begin convert-which
bool is_convertible(const gguf_tensor *tensor, dtype type)
{
    // Norms and biases are one-dimensional: a thousandth of the bytes, and
    // every activation passes through them.
    uint64_t block = (uint64_t)dtype_find((uint32_t)type)->block_size;
    return tensor->n_dims >= 2 && tensor->dims[0] % block == 0
           && quant_is_supported(tensor->type);
}

// Bytes of the tensor stored as `type`.
static lll_status stored_bytes(const gguf_tensor *tensor, dtype type,
                               size_t *bytes, lll_error *err)
{
    uint64_t shape[] = {tensor->n_elements / tensor->dims[0],
                        tensor->dims[0]};
    return tensor_size(type, shape, 2, SIZE_MAX, NULL, bytes, err);
}
// @end convert-which

// @begin convert-finite
// A NaN or an infinity says something about its model, and four bits do not
// repeat it. `moment` is when it was found.
static lll_status check_row(const gguf_tensor *tensor, size_t r,
                            const float *row, size_t n, const char *moment,
                            lll_error *err)
{
    size_t i = 0;
    while (i < n && isfinite(row[i]))
        i++;
    if (i == n)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT, "%.*s: row %zu, number %zu is %g "
                    "%s, expected a finite one; nothing was written",
                    (int)tensor->name.n_bytes, tensor->name.bytes, r, i,
                    (double)row[i], moment);
}
// @end convert-finite

// @begin convert-room
// A row of floats and the same row encoded: all that is ever held, however
// large the model.
typedef struct {
    arena memory;
    float *row;
    unsigned char *codes;
} row_room;

static lll_status room_init(row_room *r, const gguf_file *file, dtype type,
                            lll_error *err)
{
    uint64_t widest = (uint64_t)dtype_find((uint32_t)type)->block_size;
    size_t row_bytes, code_bytes, total;
    for (size_t i = 0; i < file->n_tensors; i++)
        if (is_convertible(&file->tensors[i], type)
            && file->tensors[i].dims[0] > widest)
            widest = file->tensors[i].dims[0];
    lll_status status = tensor_size(type, &widest, 1, SIZE_MAX, NULL,
                                    &code_bytes, err);
    if (status != LLL_OK)
        return status;
    if (!size_mul((size_t)widest, sizeof(float), &row_bytes)
        || !size_add(arena_round(row_bytes), arena_round(code_bytes), &total))
        return lll_fail(err, LLL_ERR_OVERFLOW, "%s: a row of %llu numbers "
                        "does not fit in memory", file->path,
                        (unsigned long long)widest);
    status = arena_init(&r->memory, total, err);
    if (status == LLL_OK) {
        r->row = arena_take(&r->memory, row_bytes);
        r->codes = arena_take(&r->memory, code_bytes);
    }
    return status;
}
// @end convert-room

// @begin convert-tensor
// Decode, encode and write, row by row.
static lll_status convert_tensor(const gguf_tensor *tensor, dtype type,
                                 const row_room *room, gguf_writer *out,
                                 lll_error *err)
{
    size_t n = (size_t)tensor->dims[0];
    size_t n_rows = tensor->n_elements / n, to_bytes;
    size_t from_bytes = tensor->n_bytes / n_rows;
    lll_status status = stored_bytes(tensor, type, &to_bytes, err);
    to_bytes /= n_rows;
    for (size_t r = 0; r < n_rows && status == LLL_OK; r++) {
        const unsigned char *from = tensor->data;
        status = quant_decode(tensor->type, from + r * from_bytes, room->row,
                              n, err);
        if (status == LLL_OK)
            status = check_row(tensor, r, room->row, n, "in the file", err);
        if (status == LLL_OK)
            status = quant_encode(type, room->row, room->codes, n, err);
        // Back again: a scale or a half beyond 65504 became infinite.
        if (status == LLL_OK)
            status = quant_decode(type, room->codes, room->row, n, err);
        if (status == LLL_OK)
            status = check_row(tensor, r, room->row, n, "once encoded", err);
        if (status == LLL_OK)
            status = gguf_write_data(out, room->codes, to_bytes, err);
    }
    return status;
}
// @end convert-tensor

// @begin convert-file-2
// The format's number for "most matrices are of this type".
static uint32_t file_type(dtype type)
{
    return type == DTYPE_F32 ? 0 : type == DTYPE_F16 ? 1
         : type == DTYPE_Q4_0 ? 2 : type == DTYPE_Q4_1 ? 3
         : type == DTYPE_Q8_0 ? 7 : 32;
}

// Keys that are of the file's own: said anew, or not said. The result is in
// one file, and must not call itself a part.
static bool is_own(gguf_string key)
{
    return gguf_split_is_key(key) || gguf_string_is(key, "general.file_type")
           || gguf_string_is(key, "general.quantization_version");
}

// What the file will hold, in the order in which it is written below.
static void announce(gguf_writer *out, const gguf_file *from, dtype type)
{
    for (size_t i = 0; i < from->n_values; i++)
        if (!is_own(from->values[i].key))
            gguf_copy_value(out, &from->values[i]);
    gguf_set_u32(out, "general.file_type", file_type(type));
    // Of all quantized types there is one version, 2, since 2023.
    gguf_set_u32(out, "general.quantization_version", 2);
    for (size_t i = 0; i < from->n_tensors; i++) {
        const gguf_tensor *tensor = &from->tensors[i];
        gguf_add_named(out, tensor->name, is_convertible(tensor, type)
                       ? type : tensor->type, tensor->dims, tensor->n_dims,
                       NULL);
    }
}
// @end convert-file-2

// @begin convert-write
static lll_status write_converted(const gguf_file *from, const char *path,
                                  dtype type, const row_room *room,
                                  lll_error *err)
{
    gguf_writer out;
    gguf_writer_init(&out);
    announce(&out, from, type);
    lll_status status = gguf_write_begin(&out, path, err);
    for (size_t i = 0; i < from->n_tensors && status == LLL_OK; i++) {
        const gguf_tensor *tensor = &from->tensors[i];
        if (is_convertible(tensor, type))
            status = convert_tensor(tensor, type, room, &out, err);
        else
            status = gguf_write_data(&out, tensor->data, tensor->n_bytes,
                                     err);
    }
    if (status == LLL_OK)
        status = gguf_write_end(&out, err);
    gguf_writer_free(&out);
    return status;
}
// @end convert-write

// @begin convert-summary
// Why some tensors stay, a line for each reason, and what it all came to.
static void summarize(const gguf_file *file, dtype type, FILE *out)
{
    static const char *const why[] = {
        "one dimension, as norms and biases have",
        "rows that its blocks do not divide", "a type we cannot decode"};
    size_t n_stay[3] = {0}, before = 0, after = 0;
    char sizes[2][32];
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        size_t bytes = tensor->n_bytes;
        if (is_convertible(tensor, type))
            (void)stored_bytes(tensor, type, &bytes, NULL);
        else
            n_stay[tensor->n_dims < 2 ? 0
                   : quant_is_supported(tensor->type) ? 1 : 2]++;
        before += tensor->n_bytes;
        after += bytes;
    }
    for (int i = 0; i < 3; i++)
        if (n_stay[i] > 0)
            fprintf(out, "%zu tensor%s as %s: %s\n", n_stay[i],
                    n_stay[i] == 1 ? " stays" : "s stay",
                    n_stay[i] == 1 ? "it is" : "they are", why[i]);
    size_text(before, sizes[0], sizeof sizes[0]);
    size_text(after, sizes[1], sizeof sizes[1]);
    fprintf(out, "%zu tensor%s as %s: %s before, %s after\n",
            file->n_tensors, file->n_tensors == 1 ? "" : "s",
            dtype_name((uint32_t)type), sizes[0],
            sizes[1]);
}
// @end convert-summary

// @begin convert-file-3
lll_status convert_file(const gguf_file *from, const char *path, dtype type,
                        lll_error *err)
{
    row_room room;
    bool same = file_is_same(from->path, path);
    for (size_t i = 0; i < from->n_others; i++)
        same = same || file_is_same(from->others[i].path, path);
    if (same)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: is the file that is "
                        "converted; choose another name for the result",
                        path);
    lll_status status = room_init(&room, from, type, err);
    if (status != LLL_OK)
        return status;
    status = write_converted(from, path, type, &room, err);
    arena_free(&room.memory);
    if (status == LLL_OK)
        summarize(from, type, stderr);
    return status;
}
// @end convert-file-3
