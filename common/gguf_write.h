#ifndef COMMON_GGUF_WRITE_H
#define COMMON_GGUF_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dtype.h"
#include "common/error.h"
#include "common/file.h"
#include "common/gguf.h"

// Writing GGUF version 3, little-endian. Collect metadata and tensors, then
// write them; the file appears whole or not at all.
//
//     gguf_writer out;
//     gguf_writer_init(&out);
//     gguf_set_string(&out, "general.architecture", "llama", 5);
//     gguf_add_tensor(&out, "token_embd.weight", DTYPE_F32, dims, 2, data);
//     lll_status s = gguf_write(&out, "model.gguf", &err);
//     gguf_writer_free(&out);
//
// Numbers that are still to be made, or too many to hold at once, are handed
// over piece by piece. Sizes follow from shapes, so the lists are written
// before the first number is there:
//
//     gguf_add_tensor(&out, "token_embd.weight", DTYPE_Q8_0, dims, 2, NULL);
//     lll_status s = gguf_write_begin(&out, "model.gguf", &err);
//     for (i = 0; i < n_rows && s == LLL_OK; i++)
//         s = gguf_write_data(&out, make_row(i), row_bytes, &err);
//     if (s == LLL_OK)
//         s = gguf_write_end(&out, &err);
//     gguf_writer_free(&out);
//
// Adding remembers its first failure, and gguf_write() reports it: a caller
// checks once. What adding may fail with:
// LLL_ERR_ARGUMENT   an empty or long key, a general.alignment that is not
//                    U32, an array of texts among numbers, a name of more
//                    than GGUF_NAME_WRITTEN bytes, no or more than 4
//                    dimensions
// LLL_ERR_FORMAT, LLL_ERR_OVERFLOW   the shape, as tensor_size() says
// LLL_ERR_MEMORY     no room for the lists
// Taught in chapter 3.

typedef struct gguf_pending_tensor gguf_pending_tensor;

typedef struct {
    unsigned char *values;          // owned: the entries as they will be
    size_t values_bytes, values_capacity;
    uint64_t n_values;
    gguf_pending_tensor *tensors;   // owned
    size_t n_tensors, tensors_capacity;
    uint32_t alignment;             // 32
    lll_error failure;              // code LLL_OK until something failed
    file_writer file;               // from gguf_write_begin() to the end
    size_t n_written;               // tensors whose data is there
    size_t filled;                  // bytes of the next one that are there
} gguf_writer;

void gguf_writer_init(gguf_writer *out);
// Also gives up a file that is not finished. Accepts a zeroed struct.
void gguf_writer_free(gguf_writer *out);

// Room for entries of so many bytes and so many tensors at once, in a writer
// that has none yet: adding them asks for no more.
void gguf_writer_reserve(gguf_writer *out, size_t values_bytes,
                         size_t n_tensors);
// What a writer then holds while the lists are filled and, with a path, the
// most that it holds until the end, if there are fewer entries than tensors.
size_t gguf_writer_bytes(size_t values_bytes, size_t n_tensors,
                         const char *path);

void gguf_set_u32(gguf_writer *out, const char *key, uint32_t value);
void gguf_set_u64(gguf_writer *out, const char *key, uint64_t value);
void gguf_set_f32(gguf_writer *out, const char *key, float value);
void gguf_set_bool(gguf_writer *out, const char *key, bool value);
void gguf_set_string(gguf_writer *out, const char *key, const char *bytes,
                     size_t n_bytes);
// An array of numbers: n_items of `type` (not GGUF_STRING, not GGUF_ARRAY),
// little-endian and packed as in memory on every machine we run on.
void gguf_set_array(gguf_writer *out, const char *key, gguf_type type,
                    const void *items, uint64_t n_items);
void gguf_set_strings(gguf_writer *out, const char *key,
                      const gguf_string *items, uint64_t n_items);
// An entry of another file, as it is.
void gguf_copy_value(gguf_writer *out, const gguf_value *value);

// dims in file order, fastest first. `data` is borrowed until gguf_write();
// NULL when gguf_write_data() will bring it.
void gguf_add_tensor(gguf_writer *out, const char *name, dtype type,
                     const uint64_t *dims, int n_dims, const void *data);
// The same with a name of any bytes, NUL among them: a tensor's of another
// file.
void gguf_add_named(gguf_writer *out, gguf_string name, dtype type,
                    const uint64_t *dims, int n_dims, const void *data);

// Write everything to a temporary name beside `path`, sync, rename.
// The first failure of adding, or
// LLL_ERR_ARGUMENT   a key or a tensor is there twice; a tensor has no data;
//                    more than GGUF_MAX_LIST of either, or GGUF_MAX_ENTRIES
//                    with the texts in arrays; an alignment that is no power
//                    of two from 8 to GGUF_MAX_ALIGNMENT
// LLL_ERR_OVERFLOW   all tensors together are longer than any file can be
// LLL_ERR_MEMORY     no room to sort the names, or for a buffer
// LLL_ERR_IO         file_create(), file_write() or file_commit() failed;
//                    what was at `path` is untouched
lll_status gguf_write(gguf_writer *out, const char *path, lll_error *err);

// The same in three steps, with the same errors: the header and the lists;
// then the data of all tensors in the order in which they were added, each in
// as many pieces as the caller likes; then sync and rename. Memory: one
// buffer of FILE_BUFFER_BYTES, however large the model is.
//
// LLL_ERR_ARGUMENT   also a piece that runs over the end of its tensor, an
//                    end before all data is there, a step out of turn
// After a failure the partial file is gone, `path` is untouched, and only
// gguf_writer_free() or another gguf_write_begin() may follow. A caller that
// has to give up in the middle calls gguf_writer_free().
lll_status gguf_write_begin(gguf_writer *out, const char *path,
                            lll_error *err);
lll_status gguf_write_data(gguf_writer *out, const void *bytes,
                           size_t n_bytes, lll_error *err);
lll_status gguf_write_end(gguf_writer *out, lll_error *err);

#endif
