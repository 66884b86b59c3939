// replaces common/size.c; caught by tests/test_size.c
//
// Asks whether the tensor is whole blocks, not whether each of its rows is.
// 32 rows of 33 numbers are 33 blocks of 32, and no row begins with one.
#include "common/size.h"

#define tensor_size right_tensor_size
#include "common/size.c"
#undef tensor_size

lll_status tensor_size(dtype type, const uint64_t *shape, int n_dims,
                       size_t limit, size_t *n_elements, size_t *n_bytes,
                       lll_error *err)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    size_t count;
    lll_status status = right_tensor_size(info != NULL ? DTYPE_I8 : type,
                                          shape, n_dims, limit, &count, NULL,
                                          err);
    if (status != LLL_OK)
        return status;
    // @begin wrong-whole-tensor-in-blocks
    if (count % (size_t)info->block_size != 0)
        return odd_rows(info, shape, n_dims, err);
    // @end wrong-whole-tensor-in-blocks
    if (count / (size_t)info->block_size > SIZE_MAX
                                           / (size_t)info->block_bytes)
        return overflow(shape, n_dims, " in bytes", SIZE_MAX, err);
    if (n_elements != NULL)
        *n_elements = count;
    if (n_bytes != NULL)
        *n_bytes = count / (size_t)info->block_size
                   * (size_t)info->block_bytes;
    return LLL_OK;
}
