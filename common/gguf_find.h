#ifndef COMMON_GGUF_FIND_H
#define COMMON_GGUF_FIND_H

#include "common/gguf.h"

// Making the lists of an open GGUF file searchable, for gguf.c alone:
// everybody else asks through gguf.h. Taught in chapter 3.

// Sort the entries, or the tensors of all parts, by name into
// file->value_order or file->tensor_order, which must be NULL.
// LLL_ERR_FORMAT   two have one name
// LLL_ERR_MEMORY   no room
lll_status gguf_sort_values(gguf_file *file, lll_error *err);
lll_status gguf_sort_tensors(gguf_file *file, lll_error *err);

#endif
