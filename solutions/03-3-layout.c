#include "chapters/03-gguf/exercises/03-3-layout/layout.h"
#include "common/size.h"

static bool round_up(size_t n, size_t alignment, size_t *rounded)
{
    size_t missing = (alignment - n % alignment) % alignment;
    return size_add(n, missing, rounded);
}

// Walks over all tensors; the second time it is known that nothing fails.
static bool walk(size_t start, const size_t *n_bytes, size_t n_tensors,
                 size_t alignment, size_t *offsets, size_t *end)
{
    size_t at = start;
    for (size_t i = 0; i < n_tensors; i++) {
        size_t behind;
        if (offsets != NULL)
            offsets[i] = at - start;
        if (!size_add(at, n_bytes[i], &behind)
            || !round_up(behind, alignment, &at))
            return false;
    }
    *end = at;
    return true;
}

lll_status lay_out(size_t lists_end, const size_t *n_bytes, size_t n_tensors,
                   size_t alignment, size_t *offsets, size_t *file_bytes)
{
    size_t start, end;
    if (alignment == 0 || alignment % 8 != 0)
        return LLL_ERR_ARGUMENT;
    if (n_tensors == 0) {
        *file_bytes = lists_end;
        return LLL_OK;
    }
    if (!round_up(lists_end, alignment, &start)
        || !walk(start, n_bytes, n_tensors, alignment, NULL, &end))
        return LLL_ERR_OVERFLOW;
    walk(start, n_bytes, n_tensors, alignment, offsets, file_bytes);
    return LLL_OK;
}
