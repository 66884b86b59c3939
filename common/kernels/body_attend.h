// What attention is made of.

// @begin simd-chunk
// Positions that are decoded at once: their floats stay in the first cache
// while the query rows pass by. Keys fill the lanes of a register; values are
// more, because every pass loads and stores the rows' sums.
enum {
    KEYS_AT_ONCE = LANES,
    VALUES_AT_ONCE = 32,
    PLACES = 4,                 // of a span that are fetched side by side
    CACHE_LINE = 64
};

static int at_most(int n, int most)
{
    return n < most ? n : most;
}

// Rows first..first+n-1 of keys or values as floats: in place where they are
// stored so, otherwise decoded into `to`. No gap lies between rows, so n of
// them are one long row.
static INLINE const float *chunk_floats(const attend_span *span,
                                        const void *rows, int first, int n,
                                        float *to)
{
    const uint8_t *row = (const uint8_t *)rows
                         + (size_t)first * span->row_bytes;
    return row_as_floats(span->type, row, n * span->head_dim, to);
}
// @end simd-chunk

// @begin simd-fetch
// Ask for n rows of a span of keys or values that are wanted later, which
// begins skip rows behind `rows`. Not n rows one after another, but a part of
// n / PLACES at each quarter of the span: memory serves several pages at
// once faster than one. `first` says how many were asked for before. The span
// may be nobody's: what is fetched may lie anywhere, but a pointer must not
// leave the cache.
static INLINE void fetch_rows(const attend_span *span, const void *rows,
                              int skip, int first, int n)
{
    size_t bytes = span->row_bytes;
    size_t part = (size_t)n * bytes / PLACES;
    size_t quarter = ATTENTION_SPAN * bytes / PLACES;
    uintptr_t from = (uintptr_t)rows + (size_t)skip * bytes
                     + (size_t)first * bytes / PLACES;
    for (size_t at = 0; at < part; at += CACHE_LINE)
        UNROLL for (size_t place = 0; place < PLACES; place++)
            __builtin_prefetch((const void *)(from + place * quarter + at));
}
// @end simd-fetch

// @begin simd-stored
// LANES numbers of a row as it is stored, from number i + more on. Of
// blocks, more is what is known when this is compiled: then their scale is
// read once.
static INLINE vf stored_floats(dtype type, const uint8_t *row, int i,
                               int more)
{
    if (type == DTYPE_F32)
        return f_load((const float *)(const void *)row + i + more);
    if (type == DTYPE_F16)
        return f_load_f16(row + 2 * (i + more));
    const uint8_t *block = row + (size_t)(i / QUANT_BLOCK
                                          + more / QUANT_BLOCK)
                                 * sizeof(q8_0_block);
    return f_mul(f_set1_f16(block),
                 f_load_codes(block + 2 + i % QUANT_BLOCK
                              + more % QUANT_BLOCK));
}
// @end simd-stored

// @begin simd-turn
// Keys on their side, to[i * LANES + j] = keys[j][i]: a position in each
// lane, so that scores need no sums over lanes. Lanes without a position are
// filled with the last key.
static INLINE void turn_keys(const float *keys, int n, int d, float *to)
{
    int i = 0;
    for (; n == LANES && i + 4 <= d; i += 4) {
        vi column[4];
        i_load_columns((const uint8_t *)(keys + i),
                       (size_t)d * sizeof(float), column);
        UNROLL for (int k = 0; k < 4; k++)
            i_store(to + (i + k) * LANES, column[k]);
    }
    for (; i < d; i++)
        for (int l = 0; l < LANES; l++) {
            int row = l < n ? l : n - 1;
            to[i * LANES + l] = keys[row * d + i];
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
    *total = sixteen_sums(sum);
}
// @end simd-weights

// @begin simd-merge
// attend_merge() and attend_finish() of attention.c, step by step.
static void merge(attend_state *state, float maximum, float total,
                  const float *out, int head_dim)
{
    float largest = maximum > state->maximum ? maximum : state->maximum;
    float a[LANES], b[LANES];
    vf ours = f_exp(f_set1(state->maximum - largest));
    vf theirs = f_exp(f_set1(maximum - largest));
    f_store(a, ours);
    f_store(b, theirs);
    state->maximum = largest;
    state->total = state->total * a[0] + total * b[0];
    int i = 0;
    for (; i + LANES <= head_dim; i += LANES)
        f_store(state->out + i, f_add(f_mul(f_load(state->out + i), ours),
                                      f_mul(f_load(out + i), theirs)));
    for (; i < head_dim; i++)
        state->out[i] = state->out[i] * a[0] + out[i] * b[0];
}

static void finish(attend_state *state, int head_dim)
{
    int i = 0;
    for (; i + LANES <= head_dim; i += LANES)
        f_store(state->out + i, f_div(f_load(state->out + i),
                                      f_set1(state->total)));
    for (; i < head_dim; i++)
        state->out[i] /= state->total;
}
// @end simd-merge

// @begin simd-values
// Values of n positions, of heads of d numbers.
typedef struct {
    const uint8_t *rows;
    size_t row_bytes;
    int n, d;
} value_rows;

// out[r] += sum of weight[r][j] * value[j], in rising j, for n_v vectors from
// number i on.
static INLINE void add_values(dtype type, const value_rows *values,
                              const float *weights, int n_rows, int i,
                              float *out, int n_v)
{
    vf sum[ATTEND_ROWS * 4];
    int d = values->d;
    UNROLL for (int r = 0; r < n_rows; r++)
        UNROLL for (int k = 0; k < n_v; k++)
            sum[r * n_v + k] = f_load(out + r * d + i + k * LANES);
    const uint8_t *row = values->rows;
    for (int j = 0; j < values->n; j++, row += values->row_bytes) {
        vf v[4];
        UNROLL for (int k = 0; k < n_v; k++)
            v[k] = stored_floats(type, row, i, k * LANES);
        UNROLL for (int r = 0; r < n_rows; r++) {
            vf weight = f_set1(weights[r * ATTENTION_SPAN + j]);
            UNROLL for (int k = 0; k < n_v; k++)
                sum[r * n_v + k] = f_fma(weight, v[k], sum[r * n_v + k]);
        }
    }
    UNROLL for (int r = 0; r < n_rows; r++)
        UNROLL for (int k = 0; k < n_v; k++)
            f_store(out + r * d + i + k * LANES, sum[r * n_v + k]);
}
// @end simd-values

// @begin simd-values-2
static INLINE void values_of(dtype type, const value_rows *values,
                             const float *weights, int n_rows, float *out)
{
    int i = 0, d = values->d;
    for (; i + 4 * LANES <= d; i += 4 * LANES)
        add_values(type, values, weights, n_rows, i, out, 4);
    for (; i + LANES <= d; i += LANES)
        add_values(type, values, weights, n_rows, i, out, 1);
    for (; i < d; i++)          // only floats have such rows
        for (int r = 0; r < n_rows; r++) {
            const float *value = (const float *)(const void *)values->rows;
            float sum = out[r * d + i];
            for (int j = 0; j < values->n; j++)
                sum = fmaf(weights[r * ATTENTION_SPAN + j], value[j * d + i],
                           sum);
            out[r * d + i] = sum;
        }
}
// @end simd-values-2
