#ifndef COMMON_GGUF_SPLIT_H
#define COMMON_GGUF_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/gguf.h"

// Models in several files: what the parts say of themselves, and what they
// must agree on, which gguf.c alone asks. Part 1 of 3 is called
// "NAME-00001-of-00003.gguf" and holds all metadata; each part says in its
// metadata which one it is, counted from 0. Taught in chapter 3.
// Source: the keys split.no, split.count and split.tensors.count as they are
// written by llama.cpp's tool gguf-split.

// @begin gguf-split-type
typedef struct {
    uint64_t no;            // 0 for the first part
    uint64_t count;         // 1 for a model in one file
    uint64_t n_tensors;     // of all parts; UINT64_MAX where it is not said
} gguf_split;
// @end gguf-split-type

enum { GGUF_MAX_PARTS = 99999 };    // five digits in the name

// Is it one of the keys that say so? Whoever writes a model in one file
// leaves them out.
bool gguf_split_is_key(gguf_string key);

// What one file says of itself. Keys that are missing: it is a whole model.
// LLL_ERR_FORMAT   a key is no number, or out of range
lll_status gguf_split_read(const gguf_file *part, gguf_split *split,
                           lll_error *err);

// Is a file that was opened by its name the first part, and does its name
// tell what the others are called? Whole models pass.
// LLL_ERR_FORMAT   it is not, or does not; the sentence names the first part
lll_status gguf_split_check_first(const gguf_file *first,
                                  const gguf_split *split, lll_error *err);

// The name of part i, counted from 0, of the model whose first part is
// `first`, a name that passed gguf_split_check_first(); as long as that.
void gguf_split_path(const char *first, uint64_t i, char *path);

// Does `part` belong to the model at `first` as number i?
// LLL_ERR_FORMAT   it is another part, or of another model
lll_status gguf_split_check(const gguf_file *first, const gguf_split *split,
                            uint64_t i, const gguf_file *part,
                            lll_error *err);

// Are the tensors of all parts, joined in `file`, as many as they should be?
// LLL_ERR_FORMAT   they are not
lll_status gguf_split_check_total(const gguf_file *file,
                                  const gguf_split *split, lll_error *err);

#endif
