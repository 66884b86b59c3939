#ifndef COMMON_GGUF_FIND_H
#define COMMON_GGUF_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/gguf.h"

// The hash tables of an open GGUF file, for gguf.c alone: everybody else
// asks through gguf.h. Taught in chapter 3.

// Get the block of gguf_index_size() bytes and set the counts, the lists
// (still empty) and the tables of `file`.
lll_status gguf_index_init(gguf_file *file, uint64_t n_values,
                           uint64_t n_tensors, lll_error *err);

// Enter values[i] or tensors[i] under its name; false when that name is
// taken by an earlier one.
bool gguf_index_value(gguf_file *file, size_t i);
bool gguf_index_tensor(gguf_file *file, size_t i);

#endif
