// replaces gguf_item_i64() in common/gguf_find.c; caught by tests/test_gguf.c
//
// The bytes of a small number are the low bytes of a large one, so copying
// them is enough. It is for every number that is not below zero.

// @begin wrong-sign-lost
int64_t gguf_item_i64(const gguf_value *value, uint64_t i)
{
    size_t size = gguf_type_bytes(value->item_type);
    uint64_t bits = 0;
    if (i >= value->n_items)    // an empty array may end the file
        return 0;
    if (value->item_type == GGUF_F32 || value->item_type == GGUF_F64) {
        double number = gguf_item_f64(value, i);
        if (isnan(number))
            return 0;
        if (number >= 0x1p63)
            return INT64_MAX;
        return number < -0x1p63 ? INT64_MIN : (int64_t)number;
    }
    // Little-endian: these are the low bytes.
    memcpy(&bits, value->bytes + i * size, size);
    return (int64_t)bits;
}
// @end wrong-sign-lost
