// Rows of keys and values as the cache stores them.

// @begin simd-encode-q8
// encode_q8_0() of quant.c, step by step.
static INLINE void encode_block(const float *from, q8_0_block *to)
{
    vf largest = f_abs(f_load(from)), total = f_set1(0.0f);
    UNROLL for (int i = LANES; i < QUANT_BLOCK; i += LANES)
        largest = f_max(largest, f_abs(f_load(from + i)));

    float scale = f_largest(largest) / 127.0f;
    vf inverse = f_set1(scale > QUANT_TINY ? 1.0f / scale : 0.0f);
    UNROLL for (int i = 0; i < QUANT_BLOCK; i += LANES) {
        vf code = f_round(f_mul(f_load(from + i), inverse));
        f_store_low_bytes(to->code + i, f_add(code, f_set1(0x1.8p23f)));
        total = f_add(total, code);
    }
    float lane[LANES], sum = 0.0f;
    f_store(lane, total);
    UNROLL for (int i = 0; i < LANES; i++)
        sum += lane[i];
    to->scale = f32_to_f16(scale);
    if (isnan(sum))             // of NaN, or of infinity times 1 / infinity
        quant_nan_q8_0(to);
}
// @end simd-encode-q8

// @begin simd-encode
static void encode(dtype type, const float *numbers, void *row, int n)
{
    q8_0_block *block = row;
    uint16_t *half = row;
    int i = 0;
    for (; type == DTYPE_F16 && i + LANES <= n; i += LANES)
        f_store_f16(half + i, f_load(numbers + i));
    for (; type == DTYPE_Q8_0 && i < n; i += QUANT_BLOCK)
        encode_block(numbers + i, block++);
    if (i < n)      // floats, or the last halves
        kernels_scalar.encode(type, numbers + i, half + i, n - i);
}
// @end simd-encode
