// replaces plan_kv_row() in common/plan.c; caught by tests/test_plan.c
//
// Eight bits are a byte, so a head of 64 numbers takes 64 bytes. Plain types
// come out right.

// @begin wrong-row-scales
size_t plan_kv_row(dtype type, int head_dim)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    size_t bytes = (size_t)(info->block_bytes / info->block_size);
    return size_times((size_t)head_dim, bytes);
}
// @end wrong-row-scales
