// What a row of activations goes through alone: RMSNorm, the addition to the
// residual, SwiGLU.

// @begin simd-norm
// The sixteen sums, added pairwise.
static INLINE float sixteen_sums(const vf *sum)
{
    float lane[16];
    UNROLL for (int p = 0; p < PARTS; p++)
        f_store(lane + p * LANES, sum[p]);
    for (int width = 8; width > 0; width /= 2)
        for (int j = 0; j < width; j++)
            lane[j] += lane[j + width];
    return lane[0];
}

// rmsnorm() of norm.c, step by step.
static void norm(float *out, const float *x, const float *weight, int n,
                 float eps)
{
    vf sum[PARTS];
    UNROLL for (int p = 0; p < PARTS; p++)
        sum[p] = f_set1(0.0f);
    for (int i = 0; i < n; i += 16)
        UNROLL for (int p = 0; p < PARTS; p++) {
            int left = n - i - p * LANES;       // what is not there adds 0
            vf v = left >= LANES ? f_load(x + i + p * LANES)
                 : left > 0 ? f_load_first(x + i + p * LANES, left)
                 : f_set1(0.0f);
            sum[p] = f_add(sum[p], f_mul(v, v));
        }
    float scale = 1.0f / sqrtf(sixteen_sums(sum) / (float)n + eps);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        f_store(out + i, f_mul(f_mul(f_load(x + i), f_set1(scale)),
                               f_load(weight + i)));
    for (; i < n; i++)
        out[i] = x[i] * scale * weight[i];
}
// @end simd-norm

// @begin simd-add
static void add(float *to, const float *from, int n)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        f_store(to + i, f_add(f_load(to + i), f_load(from + i)));
    for (; i < n; i++)
        to[i] += from[i];
}
// @end simd-add

// @begin simd-exp
// exp_f32() of attention.c, step by step.
static INLINE vf f_exp(vf x)
{
    const vf shift = f_set1(0x1.8p23f);
    vf low = f_set1(-87.0f), from = x;
    x = f_min(f_set1(88.0f), x);        // in this order NaN stays NaN
    x = f_max(low, x);
    vf n = f_sub(f_fma(x, f_set1(1.44269504f), shift), shift);
    vf r = f_fma(n, f_set1(-0.693359375f), x);
    r = f_fma(n, f_set1(2.12194440e-4f), r);

    vf sum = f_set1(1.0f / 5040);
    sum = f_fma(sum, r, f_set1(1.0f / 720));
    sum = f_fma(sum, r, f_set1(1.0f / 120));
    sum = f_fma(sum, r, f_set1(1.0f / 24));
    sum = f_fma(sum, r, f_set1(1.0f / 6));
    sum = f_fma(sum, r, f_set1(0.5f));
    sum = f_fma(sum, r, f_set1(1.0f));
    sum = f_fma(sum, r, f_set1(1.0f));
    return f_zero_where_le(f_mul(sum, f_pow2(n)), from, low);
}
// @end simd-exp

// @begin simd-swiglu
static void swiglu(float *gate, const float *up, int n)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        vf g = f_load(gate + i);
        vf e = f_exp(f_mul(g, f_set1(-1.0f)));
        vf s = f_div(g, f_add(f_set1(1.0f), e));
        f_store(gate + i, f_mul(s, f_load(up + i)));
    }
    kernels_scalar.swiglu(gate + i, up + i, n - i);
}
// @end simd-swiglu
