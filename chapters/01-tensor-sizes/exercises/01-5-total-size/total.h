// The question of exercise 01-5.
#include "common/size.h"

typedef struct {
    const char *name;
    dtype type;
    uint64_t shape[2];
} part;

lll_status total_size(const part *parts, size_t n_parts, size_t *n_bytes,
                      lll_error *err);
