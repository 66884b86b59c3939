// The exponential, SwiGLU and attention.

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

// @begin simd-span
// All keys or all values of the span as floats: in place where they are
// stored so, otherwise decoded into `to`.
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
// @end simd-span

// @begin simd-span-2
// Keys on their side, to[i * ATTENTION_SPAN + j] = keys[j][i]: a position in
// each lane, so that scores need no sums over lanes. Lanes without a position
// are filled with the last key.
static INLINE void turn_keys(const float *keys, size_t stride, int n, int d,
                             float *to)
{
    for (int j = 0; j < n; j += LANES)
        for (int i = 0; i < d; i += 4) {
            float *at = to + i * ATTENTION_SPAN + j;
            vi column[4];
            if (j + LANES <= n && i + 4 <= d) {
                i_load_columns((const uint8_t *)(keys + (size_t)j * stride
                                                 + i),
                               stride * sizeof(float), column);
                UNROLL for (int k = 0; k < 4; k++)
                    i_store(at + k * ATTENTION_SPAN, column[k]);
                continue;
            }
            for (int k = 0; k < 4 && i + k < d; k++)
                for (int l = 0; l < LANES; l++) {
                    int row = j + l < n ? j + l : n - 1;
                    at[k * ATTENTION_SPAN + l] =
                        keys[(size_t)row * stride + (size_t)(i + k)];
                }
        }
}
// @end simd-span-2

// @begin simd-scores
// Of the sixteen sums of dot_f32(), the one of the numbers i, i + 16, ...:
// for n_rows query rows, LANES positions each.
static INLINE void one_sum(const float *q, int n_rows, int d,
                           const float *keys, int i, vf *sum)
{
    UNROLL for (int r = 0; r < n_rows; r++)
        sum[r] = f_set1(0.0f);
    for (; i < d; i += 16) {
        vf key = f_load(keys + i * ATTENTION_SPAN);
        UNROLL for (int r = 0; r < n_rows; r++)
            sum[r] = f_fma(f_set1(q[r * d + i]), key, sum[r]);
    }
}

// The sums i, i + step, i + 2 step, ... below 16 added pairwise: those that
// lie 8 apart, then 4, then 2. Doing it depth first keeps few of them alive.
static INLINE void add_pair(const vf *other, int n_rows, vf *sum)
{
    UNROLL for (int r = 0; r < n_rows; r++)
        sum[r] = f_add(sum[r], other[r]);
}
// @end simd-scores

// @begin simd-scores-2
static INLINE void four_sums(const float *q, int n_rows, int d,
                             const float *keys, int i, vf *sum)
{
    vf other[ATTEND_ROWS], third[ATTEND_ROWS];
    one_sum(q, n_rows, d, keys, i, sum);
    one_sum(q, n_rows, d, keys, i + 8, other);
    add_pair(other, n_rows, sum);
    one_sum(q, n_rows, d, keys, i + 4, third);
    one_sum(q, n_rows, d, keys, i + 12, other);
    add_pair(other, n_rows, third);
    add_pair(third, n_rows, sum);
}

static INLINE void scores_of(const float *q, int n_rows, int d,
                             const float *keys, int n, float *scores)
{
    for (int j = 0; j < n; j += LANES) {
        vf sum[ATTEND_ROWS], odd[ATTEND_ROWS], other[ATTEND_ROWS];
        four_sums(q, n_rows, d, keys + j, 0, sum);
        four_sums(q, n_rows, d, keys + j, 2, other);
        add_pair(other, n_rows, sum);
        four_sums(q, n_rows, d, keys + j, 1, odd);
        four_sums(q, n_rows, d, keys + j, 3, other);
        add_pair(other, n_rows, odd);
        add_pair(odd, n_rows, sum);
        UNROLL for (int r = 0; r < n_rows; r++)
            f_store(scores + r * ATTENTION_SPAN + j, sum[r]);
    }
}
// @end simd-scores-2

// @begin simd-weights
enum { SCORE_ROWS = 16 };       // attention_scratch() has room for them

// scores[0..n) become exp(score - maximum); room for ATTENTION_SPAN.
static INLINE void weights_of(float *scores, int n, float *maximum,
                              float *total)
{
    for (int j = n; j % 16 != 0; j++)
        scores[j] = -INFINITY;          // their weight is 0
    int padded = (n + 15) / 16 * 16;
    vf largest = f_set1(-INFINITY);
    for (int j = 0; j < padded; j += LANES)     // in this order NaN is left
        largest = f_max(f_load(scores + j), largest);
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
// out[r] += sum of weight[r][j] * value[j] over the positions first..end-1,
// in rising j, for n_v vectors of the head.
static INLINE void add_values(const float *weights, int n_rows,
                              const float *values, size_t stride, int first,
                              int end, float *out, int head_dim, int n_v)
{
    vf sum[ATTEND_ROWS * 4];
    UNROLL for (int r = 0; r < n_rows; r++)
        UNROLL for (int k = 0; k < n_v; k++)
            sum[r * n_v + k] = f_load(out + r * head_dim + k * LANES);
    for (int j = first; j < end; j++) {
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
// @end simd-values

// @begin simd-values-2
static INLINE void values_of(const attend_span *span, const float *weights,
                             const float *values, size_t stride, int first,
                             int end, float *out, int n_rows)
{
    int d = span->head_dim, i = 0;
    for (; i + 4 * LANES <= d; i += 4 * LANES)
        add_values(weights, n_rows, values + i, stride, first, end, out + i,
                   d, 4);
    for (; i + LANES <= d; i += LANES)
        add_values(weights, n_rows, values + i, stride, first, end, out + i,
                   d, 1);
    for (; i < d; i++)
        for (int r = 0; r < n_rows; r++) {
            float sum = out[r * d + i];
            for (int j = first; j < end; j++)
                sum = fmaf(weights[r * ATTENTION_SPAN + j],
                           values[(size_t)j * stride + (size_t)i], sum);
            out[r * d + i] = sum;
        }
}
// @end simd-values-2

// @begin simd-attend
// A few query rows against the span. Where they see different numbers of
// positions, those that all of them see are summed together, and each row
// goes on alone: the order of its sum is the same.
static INLINE void attend_rows(const attend_span *span, const float *keys,
                               const float *values, size_t stride, int row,
                               int n_rows)
{
    float *scores = span->scratch;
    int d = span->head_dim, n[ATTEND_ROWS], least = ATTENTION_SPAN, most = 0;
    float *out = span->out + (size_t)row * (size_t)d;
    for (int r = 0; r < n_rows; r++) {
        n[r] = attend_visible(span, row + r);
        least = n[r] < least ? n[r] : least;
        most = n[r] > most ? n[r] : most;
    }
    scores_of(span->q + (size_t)row * (size_t)d, n_rows, d, keys, most,
              scores);
    for (int r = 0; r < n_rows; r++)
        weights_of(scores + r * ATTENTION_SPAN, n[r],
                   &span->maximum[row + r], &span->total[row + r]);
    memset(out, 0, (size_t)(n_rows * d) * sizeof *out);
    values_of(span, scores, values, stride, 0, least, out, n_rows);
    for (int r = 0; r < n_rows; r++)
        if (n[r] > least)
            values_of(span, scores + r * ATTENTION_SPAN, values, stride,
                      least, n[r], out + r * d, 1);
}
// @end simd-attend

// @begin simd-attend-2
static void attend(const attend_span *span)
{
    size_t d = (size_t)span->head_dim, stride;
    float *turned = span->scratch + SCORE_ROWS * ATTENTION_SPAN;
    float *decoded = turned + ATTENTION_SPAN * d;
    const float *keys = span_floats(span, span->keys, decoded, &stride);
    turn_keys(keys, stride, span->n_positions, span->head_dim, turned);
    // The keys as they were are not needed any more; values take their place.
    const float *values = span_floats(span, span->values, decoded, &stride);
    int row = 0;
    for (; row + ATTEND_ROWS <= span->n_rows; row += ATTEND_ROWS)
        attend_rows(span, turned, values, stride, row, ATTEND_ROWS);
    for (; row < span->n_rows; row++)
        attend_rows(span, turned, values, stride, row, 1);
}
// @end simd-attend-2
