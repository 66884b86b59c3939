#include "chapters/01-tensor-sizes/exercises/01-5-total-size/total.h"

lll_status total_size(const part *parts, size_t n_parts, size_t *n_bytes,
                      lll_error *err)
{
    size_t sum = 0;
    for (size_t i = 0; i < n_parts; i++) {
        lll_error why;          // err may be NULL, and we need the sentence
        size_t bytes;
        lll_status status = tensor_size(parts[i].type, parts[i].shape, 2,
                                        SIZE_MAX, NULL, &bytes, &why);
        if (status != LLL_OK)
            return lll_fail(err, status, "%s: %s", parts[i].name, why.text);
        if (!size_add(sum, bytes, &sum))
            return lll_fail(err, LLL_ERR_OVERFLOW, "%s: all tensors up to "
                            "this one do not fit in size_t", parts[i].name);
    }
    *n_bytes = sum;
    return LLL_OK;
}
