#include "chapters/03-gguf/exercises/03-3-layout/layout.h"

lll_status lay_out(size_t lists_end, const size_t *n_bytes, size_t n_tensors,
                   size_t alignment, size_t *offsets, size_t *file_bytes)
{
    (void)lists_end;            // your work begins here
    (void)n_bytes;
    (void)n_tensors;
    (void)alignment;
    (void)offsets;
    (void)file_bytes;
    return LLL_OK;
}
