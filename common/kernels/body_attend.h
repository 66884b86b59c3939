// The exponential, SwiGLU and attention.

// @begin simd-exp
// exp_f32() of attention.c, step by step.
static INLINE vf f_exp(vf x)
{
    const vf shift = f_set1(0x1.8p23f);
    vf low = f_set1(-87.0f), from = x;
    x = f_min(x, f_set1(88.0f));
    x = f_max(x, low);
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

// @begin simd-scores
// All keys or all values of the span as floats, in scratch unless they are
// stored so.
static INLINE const float *span_floats(const attend_span *span,
                                       const void *rows, float *to,
                                       size_t *stride)
{
    const uint8_t *row = rows;
    *stride = (size_t)span->head_dim;
    if (span->type == DTYPE_F32) {
        *stride = span->row_bytes / sizeof(float);
        return rows;
    }
    for (int j = 0; j < span->n_positions; j++)
        (void)row_as_floats(span->type, row + (size_t)j * span->row_bytes,
                            span->head_dim, to + (size_t)j * *stride);
    return to;
}

// Scores of one query row with LANES positions, a position in each lane.
// Where fewer are left the last key is taken again.
static INLINE vf scores_of(const attend_span *span, const float *q,
                           const float *keys, size_t stride, int first)
{
    int d = span->head_dim, last = span->n_positions - 1;
    vf sum[LANES];
    UNROLL for (int l = 0; l < LANES; l++) {
        int j = first + l < last ? first + l : last;
        const float *key = keys + (size_t)j * stride;
        multiply_floats(&key, 1, q, 0, 1, d, &sum[l]);
    }
    return f_sum_lanes(sum);
}
// @end simd-scores

// @begin simd-weights
enum { SCORE_ROWS = 16 };       // attention_scratch() has room for them

// scores[0..n) become exp(score - maximum); room for ATTENTION_SPAN.
static INLINE void weights_of(float *scores, int n, float *maximum,
                              float *total)
{
    for (int j = n; j % 16 != 0; j++)
        scores[j] = -INFINITY;          // their weight is 0
    int padded = (n + 15) / 16 * 16;
    vf largest = f_load(scores);
    for (int j = LANES; j < padded; j += LANES)
        largest = f_max(largest, f_load(scores + j));
    *maximum = f_largest(largest);

    vf sum[PARTS], m = f_set1(*maximum);
    UNROLL for (int p = 0; p < PARTS; p++)
        sum[p] = f_set1(0.0f);
    for (int j = 0; j < padded; j += 16)
        UNROLL for (int p = 0; p < PARTS; p++) {
            float *at = scores + j + p * LANES;
            vf weight = f_exp(f_sub(f_load(at), m));
            f_store(at, weight);
            sum[p] = f_add(sum[p], weight);
        }
    float lane[16];
    UNROLL for (int p = 0; p < PARTS; p++)
        f_store(lane + p * LANES, sum[p]);
    for (int width = 8; width > 0; width /= 2)
        for (int j = 0; j < width; j++)
            lane[j] += lane[j + width];
    *total = lane[0];
}
// @end simd-weights

// @begin simd-values
// out[r] = sum over positions of weight[r][j] * value[j], in rising j, for
// n_v vectors of the head beginning at `column`.
static INLINE void add_values(const float *weights, int n_rows,
                              const float *values, size_t stride, int n,
                              float *out, int head_dim, int n_v)
{
    vf sum[ATTEND_ROWS * 4];
    UNROLL for (int o = 0; o < n_rows * n_v; o++)
        sum[o] = f_set1(0.0f);
    for (int j = 0; j < n; j++) {
        const float *value = values + (size_t)j * stride;
        vf v[4];
        UNROLL for (int k = 0; k < n_v; k++)
            v[k] = f_load(value + k * LANES);
        UNROLL for (int r = 0; r < n_rows; r++) {
            vf weight = f_set1(weights[r * ATTENTION_SPAN + j]);
            UNROLL for (int k = 0; k < n_v; k++)
                sum[r * n_v + k] = f_fma(weight, v[k], sum[r * n_v + k]);
        }
    }
    UNROLL for (int r = 0; r < n_rows; r++)
        UNROLL for (int k = 0; k < n_v; k++)
            f_store(out + r * head_dim + k * LANES, sum[r * n_v + k]);
}

static INLINE void values_of(const attend_span *span, const float *weights,
                             const float *values, size_t stride, int row,
                             int n_rows)
{
    int d = span->head_dim, n = span->n_positions, i = 0;
    float *out = span->out + (size_t)row * (size_t)d;
    for (; i + 4 * LANES <= d; i += 4 * LANES)
        add_values(weights, n_rows, values + i, stride, n, out + i, d, 4);
    for (; i + LANES <= d; i += LANES)
        add_values(weights, n_rows, values + i, stride, n, out + i, d, 1);
    for (; i < d; i++)
        for (int r = 0; r < n_rows; r++) {
            float sum = 0.0f;
            for (int j = 0; j < n; j++)
                sum = fmaf(weights[r * ATTENTION_SPAN + j],
                           values[(size_t)j * stride + (size_t)i], sum);
            out[r * d + i] = sum;
        }
}
// @end simd-values

// @begin simd-attend
// SCORE_ROWS query rows at a time: their scores with all keys, then their
// sums of all values, so that keys and values take turns in the cache.
static void attend(const attend_span *span)
{
    float *scores = span->scratch, *decoded = scores + SCORE_ROWS
                                              * ATTENTION_SPAN;
    size_t d = (size_t)span->head_dim, key_stride, value_stride;
    const float *keys = span_floats(span, span->keys, decoded, &key_stride);
    const float *values = span_floats(span, span->values,
                                      decoded + ATTENTION_SPAN * d,
                                      &value_stride);
    for (int first = 0; first < span->n_rows; first += SCORE_ROWS) {
        int n = span->n_rows - first, r = 0;
        n = n < SCORE_ROWS ? n : SCORE_ROWS;
        for (r = 0; r < n; r++) {
            const float *q = span->q + (size_t)(first + r) * d;
            float *row = scores + r * ATTENTION_SPAN;
            for (int j = 0; j < span->n_positions; j += LANES)
                f_store(row + j, scores_of(span, q, keys, key_stride, j));
            weights_of(row, span->n_positions, &span->maximum[first + r],
                       &span->total[first + r]);
        }
        for (r = 0; r + ATTEND_ROWS <= n; r += ATTEND_ROWS)
            values_of(span, scores + r * ATTENTION_SPAN, values,
                      value_stride, first + r, ATTEND_ROWS);
        for (; r < n; r++)
            values_of(span, scores + r * ATTENTION_SPAN, values,
                      value_stride, first + r, 1);
    }
}
// @end simd-attend
