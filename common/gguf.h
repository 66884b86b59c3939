#ifndef COMMON_GGUF_H
#define COMMON_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dtype.h"
#include "common/error.h"
#include "common/file.h"

// Reading GGUF, the file format of llama.cpp and most models for CPUs: a
// list of metadata, a list of tensors, then the tensors' bytes. The file is
// mapped and checked once; nothing is copied, so opening a large model costs
// no more than walking its lists. A model that came in several files is
// opened by naming the first.
//
//     gguf_file file;
//     gguf_tensor embedding;
//     lll_status s = gguf_open(&file, "model.gguf", &err);
//     if (s == LLL_OK)
//         s = gguf_find_tensor(&file, "token_embd.weight", NULL, 0,
//                              &embedding, &err);
//     gguf_close(&file);
//
// This header is the one place that lists a shape in file order, fastest
// dimension first; everything above it writes [rows, columns].
// Taught in chapter 3. Source: docs/gguf.md in ggml-org/ggml.

// @begin gguf-value-types
typedef enum {
    GGUF_U8 = 0, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32,
    GGUF_F32, GGUF_BOOL, GGUF_STRING, GGUF_ARRAY, GGUF_U64, GGUF_I64,
    GGUF_F64, GGUF_TYPE_COUNT
} gguf_type;
// @end gguf-value-types

// Text in the file: not NUL-terminated, any bytes. Valid until gguf_close().
typedef struct {
    const char *bytes;
    size_t n_bytes;
} gguf_string;

// One metadata entry. `bytes` is where its value starts in the file, which
// need not be aligned: read it through the getters below.
typedef struct {
    gguf_string key;            // at the beginning: see value_order below
    gguf_type type;
    gguf_type item_type;        // of an array; else the same as type
    uint64_t n_items;           // of an array; else 1
    const unsigned char *bytes;
} gguf_value;

// One tensor. Valid until gguf_close().
typedef struct {
    gguf_string name;           // at the beginning: see tensor_order below
    dtype type;                 // a number that dtype_find() knows
    int n_dims;                 // 1..4
    uint64_t dims[4];           // dims[0] varies fastest; unused ones are 1
    const void *data;           // n_bytes bytes, aligned as the file says
    size_t n_bytes;
    size_t n_elements;
    size_t part;                // which file it is in: 0 is the first
} gguf_tensor;

// @begin gguf-file
// One of the files in which a model came.
typedef struct {
    const char *path;
    file_map map;
    uint32_t alignment;         // bytes, a power of two
    size_t lists_end;           // the byte behind its lists
} gguf_part;

typedef struct {
    const char *path;           // owned copy, for sentences
    file_map map;
    gguf_part *others;          // owned: the parts after this, the first one
    size_t n_others;            // 0 for a model in one file
    size_t n_bytes;             // mapped, all parts together
    uint32_t version;           // 2 or 3
    uint32_t alignment;         // bytes, a power of two
    size_t lists_end;           // the byte behind the first part's lists
    size_t n_values;
    gguf_value *values;         // owned, in file order
    size_t n_tensors;
    gguf_tensor *tensors;       // owned, of all parts, in file order
    const gguf_string **value_order;    // owned: their names, sorted, each of
    const gguf_string **tensor_order;   // them the beginning of its struct
    size_t index_bytes;         // of all that opening has allocated
} gguf_file;
// @end gguf-file

enum {
    GGUF_MAX_NESTING = 8,           // arrays in arrays in arrays ...
    GGUF_MAX_KEY = 65535,           // bytes
    GGUF_MAX_NAME = 64,             // bytes of a tensor's name that we read
    GGUF_NAME_WRITTEN = 63,         // and that we write: the specification
                                    // allows 64, llama.cpp refuses them
    GGUF_MAX_LIST = 1 << 16,        // tensors, and metadata entries: those
                                    // that we need memory for
    GGUF_MAX_ENTRIES = 1 << 21,     // keys, tensors, texts in arrays ...: all
                                    // that has to be walked one by one
    GGUF_MAX_ALIGNMENT = 65536      // and a power of two, as llama.cpp wants
                                    // it; the specification: a multiple of 8
};

// Map and check a file, and the other parts of its model where it came in
// several: every length against the bytes that remain, every tensor against
// the data, names unique. Reads no tensor data. Costs O(n log n) for n
// entries, whatever their names.
//
// LLL_ERR_IO            file_map_open() failed
// LLL_ERR_FORMAT        the bytes break a rule of the format: file, byte
//                       offset, found, expected; or it is not the first
//                       part of a model, or a part does not belong to it
// LLL_ERR_UNSUPPORTED   a version, byte order or tensor type we do not know
// LLL_ERR_MEMORY        no room for the lists
// On failure *file is zeroed and nothing stays open.
lll_status gguf_open(gguf_file *file, const char *path, lll_error *err);
void gguf_close(gguf_file *file);   // accepts a zeroed struct

// Part i of the model, counted from 0; the part that holds a tensor, and at
// which of its bytes the tensor's data begin.
gguf_part gguf_part_at(const gguf_file *file, size_t i);
gguf_part gguf_part_of(const gguf_file *file, const gguf_tensor *tensor);
size_t gguf_data_at(const gguf_file *file, const gguf_tensor *tensor);

// The entry called `key`, or NULL. O(log n), as is finding a tensor.
const gguf_value *gguf_find_value(const gguf_file *file, const char *key);

// Read a number, a truth or a text. The getters convert between the number
// types where no digit is lost (5 may be stored as U8, I64 or F32), and leave
// *out alone on failure:
// LLL_ERR_NOT_FOUND   no such key
// LLL_ERR_FORMAT      it has another type, or does not fit
lll_status gguf_get_u64(const gguf_file *file, const char *key,
                        uint64_t *out, lll_error *err);
lll_status gguf_get_f64(const gguf_file *file, const char *key, double *out,
                        lll_error *err);
lll_status gguf_get_bool(const gguf_file *file, const char *key, bool *out,
                         lll_error *err);
lll_status gguf_get_string(const gguf_file *file, const char *key,
                           gguf_string *out, lll_error *err);

// Item i of an array of numbers or truths (or, for i = 0, a single one), as
// double or as a 64-bit integer: what lies outside is moved to the nearest
// end. NaN, texts and i >= value->n_items give 0.
double   gguf_item_f64(const gguf_value *value, uint64_t i);
int64_t  gguf_item_i64(const gguf_value *value, uint64_t i);
uint64_t gguf_item_u64(const gguf_value *value, uint64_t i);

// Walk an array of strings: start with cursor = value->bytes, call n_items
// times. The lengths were checked by gguf_open().
gguf_string gguf_next_string(const unsigned char **cursor);

// The same for an array of arrays: each comes as a value of its own, with an
// empty key. GGUF_MAX_NESTING bounds how deep that can go.
gguf_value gguf_next_array(const unsigned char **cursor);

// The first byte behind the value: of an array, behind its last item.
const unsigned char *gguf_value_end(const gguf_value *value);

// Find the tensor called `name`, and check its shape before anyone uses it.
//
// dims     what the caller is about to index, fastest dimension first: a
//          weight the book writes as W[d_ff, d_model] is {d_model, d_ff}
// n_dims   length of dims, 1..4; 0 accepts any shape
// out      filled only on LLL_OK
//
// LLL_ERR_NOT_FOUND   no such name
// LLL_ERR_FORMAT      the shape differs: "blk.0.attn_k.weight: expected
//                     [64, 32], found [64, 64]"
// No allocation.
lll_status gguf_find_tensor(const gguf_file *file, const char *name,
                            const uint64_t *dims, int n_dims,
                            gguf_tensor *out, lll_error *err);

// "U32", "STRING": the format's own names, shortened.
const char *gguf_type_name(gguf_type type);

// Bytes of one number or truth; 0 for texts, arrays and unknown types.
size_t gguf_type_bytes(gguf_type type);

// Compare text in the file with a C string.
bool gguf_string_is(gguf_string text, const char *expected);
// Compare two texts byte by byte: below, equal to or above 0, as strcmp().
int gguf_string_order(gguf_string a, gguf_string b);

#endif
