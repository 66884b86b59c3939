// Attention of a few query rows, as when a token is decoded.

enum {
    FEW_QUERIES = 8,            // with more, turning the keys pays
    FEW_KEYS = 4 / PARTS        // at once: the sums stay in registers
};

// @begin simd-few
// Sixteen sums for each of n_rows query rows and FEW_KEYS keys, added up to
// vectors that are still to be added over their lanes: [n_rows, LANES], in
// which these keys are the first of each row.
static INLINE void few_sums(dtype type, const float *q, int n_rows, int d,
                            const uint8_t *const *key, vf *sums)
{
    vf sum[ATTEND_ROWS * FEW_KEYS][PARTS];
    int step = type == DTYPE_Q8_0 ? QUANT_BLOCK : 16;
    UNROLL for (int o = 0; o < n_rows * FEW_KEYS; o++)
        UNROLL for (int p = 0; p < PARTS; p++)
            sum[o][p] = f_set1(0.0f);
    for (int i = 0; i < d; i += step)
        UNROLL for (int p = 0; p < step / LANES; p++) {
            vf k[FEW_KEYS];
            UNROLL for (int j = 0; j < FEW_KEYS; j++)
                k[j] = stored_floats(type, key[j], i, p * LANES);
            UNROLL for (int r = 0; r < n_rows; r++) {
                vf x = f_load(q + r * d + i + p * LANES);
                UNROLL for (int j = 0; j < FEW_KEYS; j++)
                    sum[r * FEW_KEYS + j][p % PARTS] =
                        f_fma(x, k[j], sum[r * FEW_KEYS + j][p % PARTS]);
            }
        }
    UNROLL for (int o = 0; o < n_rows * FEW_KEYS; o++) {
        UNROLL for (int width = PARTS / 2; width > 0; width /= 2)
            UNROLL for (int p = 0; p < width; p++)
                sum[o][p] = f_add(sum[o][p], sum[o][p + width]);
        sums[o / FEW_KEYS * LANES + o % FEW_KEYS] = sum[o][0];
    }
}
// @end simd-few

// @begin simd-few-2
// Scores of LANES keys. Behind the last of n it takes that one again.
static INLINE void few_scores(dtype type, const attend_span *span,
                              int n_rows, int first, int n, float *scores)
{
    vf sums[ATTEND_ROWS * LANES];
    const uint8_t *rows = (const uint8_t *)span->keys
                          + (size_t)first * span->row_bytes;
    for (int j = 0; j < LANES; j += FEW_KEYS) {
        const uint8_t *key[FEW_KEYS];
        UNROLL for (int k = 0; k < FEW_KEYS; k++)
            key[k] = rows + (size_t)(j + k < n ? j + k : n - 1)
                            * span->row_bytes;
        few_sums(type, span->q, n_rows, span->head_dim, key, sums + j);
    }
    UNROLL for (int r = 0; r < n_rows; r++)
        f_store(scores + r * ATTENTION_SPAN + first,
                f_sum_lanes(sums + r * LANES));
}

// @end simd-few-2

// @begin simd-few-3
// A few rows that look at the same positions, as when a token is decoded:
// keys and values go from memory to the sums and are forgotten.
static INLINE void attend_few(dtype type, const attend_span *span,
                              int n_rows)
{
    float *scores = span->scratch;
    int n = attend_visible(span, 0), d = span->head_dim;
    for (int j = 0; j < n; j += LANES) {
        fetch_rows(span, span->values, 0, j, LANES);
        few_scores(type, span, n_rows, j, n - j, scores);
    }
    for (int r = 0; r < n_rows; r++)
        weights_of(scores + r * ATTENTION_SPAN, n, &span->maximum[r],
                   &span->total[r]);
    memset(span->out, 0, (size_t)(n_rows * d) * sizeof *span->out);
    for (int j = 0; j < n; j += VALUES_AT_ONCE) {
        value_rows values = {(const uint8_t *)span->values
                                 + (size_t)j * span->row_bytes,
                             span->row_bytes,
                             at_most(n - j, VALUES_AT_ONCE), d};
        fetch_rows(span, span->keys, ATTENTION_SPAN, j, VALUES_AT_ONCE);
        values_of(type, &values, scores + j, n_rows, span->out);
    }
}
// @end simd-few-3

// @begin simd-few-4
#define FEW_OF(type) \
    static __attribute__((noinline)) void few_of_##type( \
        const attend_span *span) \
    { \
        switch (span->n_rows) { \
        case 1: attend_few(DTYPE_##type, span, 1); break; \
        case 2: attend_few(DTYPE_##type, span, 2); break; \
        case 3: attend_few(DTYPE_##type, span, 3); break; \
        default: attend_few(DTYPE_##type, span, ATTEND_ROWS); \
        } \
    }
FEW_OF(F32) FEW_OF(F16) FEW_OF(Q8_0)

static void (*const few_of[DTYPE_COUNT])(const attend_span *) = {
    [DTYPE_F32] = few_of_F32, [DTYPE_F16] = few_of_F16,
    [DTYPE_Q8_0] = few_of_Q8_0
};

static bool are_few(const attend_span *span)
{
    if (span->n_rows > FEW_QUERIES || span->head_dim % 16 != 0)
        return false;
    for (int r = 1; r < span->n_rows; r++)
        if (attend_visible(span, r) != attend_visible(span, 0))
            return false;
    return true;
}
// @end simd-few-4

// @begin simd-few-5
// Groups of rows, each of which finds the span in the cache after the first.
static void attend_groups(const attend_span *span)
{
    attend_span part = *span;
    for (int r = 0; r < span->n_rows; r += ATTEND_ROWS) {
        size_t numbers = (size_t)r * (size_t)span->head_dim;
        part.n_rows = at_most(span->n_rows - r, ATTEND_ROWS);
        part.q = span->q + numbers;
        part.out = span->out + numbers;
        part.maximum = span->maximum + r;
        part.total = span->total + r;
        few_of[span->type](&part);
    }
}
// @end simd-few-5
