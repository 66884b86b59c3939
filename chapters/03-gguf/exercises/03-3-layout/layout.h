// The question of exercise 03-3.
#include <stddef.h>

#include "common/error.h"

lll_status lay_out(size_t lists_end, const size_t *n_bytes, size_t n_tensors,
                   size_t alignment, size_t *offsets, size_t *file_bytes);
