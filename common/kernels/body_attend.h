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

// @begin simd-chunk
// Positions that are decoded at once: their floats stay in the first cache
// while the query rows pass by. Keys fill the lanes of a register; values are
// more, because every pass loads and stores the rows' sums.
enum {
    KEYS_AT_ONCE = LANES,
    VALUES_AT_ONCE = 32,
    ROWS_AHEAD = 32,            // fetched while others are computed with
    CACHE_LINE = 64
};

// Rows first..first+n-1 of keys or values as floats: in place where they are
// stored so, otherwise decoded into `to`.
static INLINE const float *chunk_floats(const attend_span *span,
                                        const void *rows, int first, int n,
                                        float *to, size_t *stride)
{
    size_t bytes = span->row_bytes;
    const uint8_t *row = (const uint8_t *)rows + (size_t)first * bytes;
    // The rows ahead may be those of the next span, or nobody's: what is
    // fetched may lie anywhere, but a pointer must not leave the cache.
    uintptr_t ahead = (uintptr_t)row + ROWS_AHEAD * bytes;
    for (size_t at = 0; at < (size_t)n * bytes; at += CACHE_LINE)
        __builtin_prefetch((const void *)(ahead + at));
    *stride = (size_t)span->head_dim;
    if (span->type == DTYPE_F32) {
        *stride = bytes / sizeof(float);
        return (const float *)(const void *)row;
    }
    for (int j = 0; j < n; j++)
        (void)row_as_floats(span->type, row + (size_t)j * bytes,
                            span->head_dim, to + (size_t)j * *stride);
    return to;
}
// @end simd-chunk

// @begin simd-turn
// Keys on their side, to[i * LANES + j] = keys[j][i]: a position in each
// lane, so that scores need no sums over lanes. Lanes without a position are
// filled with the last key.
static INLINE void turn_keys(const float *keys, size_t stride, int n, int d,
                             float *to)
{
    int i = 0;
    for (; n == LANES && i + 4 <= d; i += 4) {
        vi column[4];
        i_load_columns((const uint8_t *)(keys + i), stride * sizeof(float),
                       column);
        UNROLL for (int k = 0; k < 4; k++)
            i_store(to + (i + k) * LANES, column[k]);
    }
    for (; i < d; i++)
        for (int l = 0; l < LANES; l++) {
            int row = l < n ? l : n - 1;
            to[i * LANES + l] = keys[(size_t)row * stride + (size_t)i];
        }
}
// @end simd-turn

// @begin simd-scores
// Of the sixteen sums of dot_f32(), the one of the numbers i, i + 16, ...:
// for n_rows query rows, LANES positions each.
static INLINE void one_sum(const float *q, int n_rows, int d,
                           const float *keys, int i, vf *sum)
{
    UNROLL for (int r = 0; r < n_rows; r++)
        sum[r] = f_set1(0.0f);
    for (; i < d; i += 16) {
        vf key = f_load(keys + i * LANES);
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
                             const float *keys, float *scores)
{
    vf sum[ATTEND_ROWS], odd[ATTEND_ROWS], other[ATTEND_ROWS];
    four_sums(q, n_rows, d, keys, 0, sum);
    four_sums(q, n_rows, d, keys, 2, other);
    add_pair(other, n_rows, sum);
    four_sums(q, n_rows, d, keys, 1, odd);
    four_sums(q, n_rows, d, keys, 3, other);
    add_pair(other, n_rows, odd);
    add_pair(odd, n_rows, sum);
    UNROLL for (int r = 0; r < n_rows; r++)
        f_store(scores + r * ATTENTION_SPAN, sum[r]);
}
// @end simd-scores-2

// @begin simd-weights
// scores[0..n) become exp(score - maximum); room for ATTENTION_SPAN.
static INLINE void weights_of(float *scores, int n, float *maximum,
                              float *total)
{
    for (int j = n; j % 16 != 0; j++)
        scores[j] = -INFINITY;          // their weight is 0
    int padded = (n + 15) / 16 * 16;
    vf largest = f_set1(-INFINITY);
    for (int j = 0; j < padded; j += LANES)     // in this order: NaN ignored
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
// out[r] += sum of weight[r][j] * value[j] over n positions, in rising j,
// for n_v vectors of the head.
static INLINE void add_values(const float *weights, int n_rows,
                              const float *values, size_t stride, int n,
                              float *out, int head_dim, int n_v)
{
    vf sum[ATTEND_ROWS * 4];
    UNROLL for (int r = 0; r < n_rows; r++)
        UNROLL for (int k = 0; k < n_v; k++)
            sum[r * n_v + k] = f_load(out + r * head_dim + k * LANES);
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
// @end simd-values

// @begin simd-values-2
static INLINE void values_of(const float *weights, int n_rows, int d,
                             const float *values, size_t stride, int n,
                             float *out)
{
    int i = 0;
    for (; i + 4 * LANES <= d; i += 4 * LANES)
        add_values(weights, n_rows, values + i, stride, n, out + i, d, 4);
    for (; i + LANES <= d; i += LANES)
        add_values(weights, n_rows, values + i, stride, n, out + i, d, 1);
    for (; i < d; i++)
        for (int r = 0; r < n_rows; r++) {
            float sum = out[r * d + i];
            for (int j = 0; j < n; j++)
                sum = fmaf(weights[r * ATTENTION_SPAN + j],
                           values[(size_t)j * stride + (size_t)i], sum);
            out[r * d + i] = sum;
        }
}
// @end simd-values-2

// @begin simd-attend
// Some query rows against a span.
typedef struct {
    const attend_span *span;
    int first, n_rows;          // of the span's rows
    int most;                   // positions that one of them sees
    float *decoded;             // [VALUES_AT_ONCE, head_dim]
    float *turned;              // [head_dim, KEYS_AT_ONCE]
    float *scores;              // [n_rows, ATTENTION_SPAN], then weights
} attend_job;

static int at_most(int n, int most)
{
    return n < most ? n : most;
}

// How many of `left` rows to take at once.
static int group_of(int left)
{
    return left >= ATTEND_ROWS ? ATTEND_ROWS : left >= 2 ? 2 : 1;
}
// @end simd-attend

// @begin simd-attend-2
static void score_group(const float *q, int n_rows, int d, const float *keys,
                        float *scores)
{
    if (n_rows == ATTEND_ROWS)
        scores_of(q, ATTEND_ROWS, d, keys, scores);
    else if (n_rows == 2)
        scores_of(q, 2, d, keys, scores);
    else
        scores_of(q, 1, d, keys, scores);
}

static void value_group(const float *weights, int n_rows, int d,
                        const float *values, size_t stride, int n, float *out)
{
    if (n_rows == ATTEND_ROWS)
        values_of(weights, ATTEND_ROWS, d, values, stride, n, out);
    else if (n_rows == 2)
        values_of(weights, 2, d, values, stride, n, out);
    else
        values_of(weights, 1, d, values, stride, n, out);
}
// @end simd-attend-2

// @begin simd-attend-3
// Of the chunk of n positions from j on, how many row r sees: below 1, none.
static int seen(const attend_job *job, int r, int j, int n)
{
    return at_most(attend_visible(job->span, job->first + r) - j, n);
}

static void score_chunk(const attend_job *job, int j, int n)
{
    const attend_span *span = job->span;
    int d = span->head_dim;
    size_t stride;
    const float *q = span->q + (size_t)job->first * (size_t)d;
    const float *keys = chunk_floats(span, span->keys, j, n, job->decoded,
                                     &stride);
    turn_keys(keys, stride, n, d, job->turned);
    for (int r = 0, rows; r < job->n_rows; r += rows) {
        rows = group_of(job->n_rows - r);
        score_group(q + r * d, rows, d, job->turned,
                    job->scores + r * ATTENTION_SPAN + j);
    }
}
// @end simd-attend-3

// @begin simd-attend-4
// Rows that see the same number of positions are summed together. The others
// go alone: the order of a row's sum is the same.
static void value_chunk(const attend_job *job, int j, int n)
{
    const attend_span *span = job->span;
    int d = span->head_dim;
    size_t stride;
    float *out = span->out + (size_t)job->first * (size_t)d;
    const float *values = chunk_floats(span, span->values, j, n,
                                       job->decoded, &stride);
    for (int r = 0, rows; r < job->n_rows; r += rows) {
        int sees = seen(job, r, j, n), same = 1;
        while (r + same < job->n_rows && same < ATTEND_ROWS
               && seen(job, r + same, j, n) == sees)
            same++;
        rows = group_of(same);
        if (sees > 0)
            value_group(job->scores + r * ATTENTION_SPAN + j, rows, d,
                        values, stride, sees, out + r * d);
    }
}
// @end simd-attend-4

// @begin simd-attend-5
static void attend_rows(const attend_job *job)
{
    const attend_span *span = job->span;
    size_t first = (size_t)job->first, d = (size_t)span->head_dim;
    int most = job->most;
    for (int j = 0; j < most; j += KEYS_AT_ONCE)
        score_chunk(job, j, at_most(most - j, KEYS_AT_ONCE));
    for (int r = 0; r < job->n_rows; r++)
        weights_of(job->scores + r * ATTENTION_SPAN, seen(job, r, 0, most),
                   &span->maximum[job->first + r],
                   &span->total[job->first + r]);
    memset(span->out + first * d, 0,
           (size_t)job->n_rows * d * sizeof *span->out);
    for (int j = 0; j < most; j += VALUES_AT_ONCE)
        value_chunk(job, j, at_most(most - j, VALUES_AT_ONCE));
}
// @end simd-attend-5

// @begin simd-attend-6
static void attend(const attend_span *span)
{
    size_t d = (size_t)span->head_dim;
    attend_job job = {.span = span, .decoded = span->scratch};
    job.turned = job.decoded + VALUES_AT_ONCE * d;
    job.scores = job.turned + KEYS_AT_ONCE * d;
    // As many rows as have room for their scores beside these: 16 or more.
    int room = (int)((attention_scratch(span->head_dim)
                      - (VALUES_AT_ONCE + KEYS_AT_ONCE) * d)
                     / ATTENTION_SPAN);
    for (; job.first < span->n_rows; job.first += room) {
        job.n_rows = at_most(span->n_rows - job.first, room);
        job.most = 0;
        for (int r = 0; r < job.n_rows; r++) {
            int n = attend_visible(span, job.first + r);
            job.most = n > job.most ? n : job.most;
        }
        attend_rows(&job);
    }
}
// @end simd-attend-6
