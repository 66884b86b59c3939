#include "chapters/01-tensor-sizes/exercises/01-5-total-size/total.h"

lll_status total_size(const part *parts, size_t n_parts, size_t *n_bytes,
                      lll_error *err)
{
    (void)parts;                // your work begins here
    (void)n_parts;
    (void)n_bytes;
    (void)err;
    return LLL_OK;
}
