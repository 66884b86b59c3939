// Attention of many query rows, as when a prompt is read.

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
// @end simd-attend

// @begin simd-attend-2
// The same for each number of rows that are taken at once, as text in which
// the compiler knows that number.
static void score_group(const float *q, int n_rows, int d, const float *keys,
                        float *scores)
{
    switch (n_rows) {
    case 1: scores_of(q, 1, d, keys, scores); break;
    case 2: scores_of(q, 2, d, keys, scores); break;
    case ATTEND_ROWS: scores_of(q, ATTEND_ROWS, d, keys, scores); break;
    default: scores_of(q, ATTEND_ROWS - 1, d, keys, scores);
    }
}

static void value_group(const value_rows *values, const float *weights,
                        int n_rows, float *out)
{
    switch (n_rows) {
    case 1: values_of(DTYPE_F32, values, weights, 1, out); break;
    case 2: values_of(DTYPE_F32, values, weights, 2, out); break;
    case ATTEND_ROWS:
        values_of(DTYPE_F32, values, weights, ATTEND_ROWS, out);
        break;
    default: values_of(DTYPE_F32, values, weights, ATTEND_ROWS - 1, out);
    }
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
    int d = span->head_dim, n_rows = job->n_rows;
    const float *q = span->q + (size_t)job->first * (size_t)d;
    const float *keys = chunk_floats(span, span->keys, j, n, job->decoded);
    float *scores = job->scores + j;
    turn_keys(keys, n, d, job->turned);
    for (int r = 0, rows; r < n_rows; r += rows) {
        rows = at_most(n_rows - r, ATTEND_ROWS);
        score_group(q + r * d, rows, d, job->turned,
                    scores + r * ATTENTION_SPAN);
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
    float *out = span->out + (size_t)job->first * (size_t)d;
    const float *floats = chunk_floats(span, span->values, j, n,
                                       job->decoded);
    for (int r = 0, rows; r < job->n_rows; r += rows) {
        int sees = seen(job, r, j, n);
        for (rows = 1; r + rows < job->n_rows && rows < ATTEND_ROWS
                       && seen(job, r + rows, j, n) == sees; rows++)
            ;
        if (sees > 0)
            value_group(&(value_rows){(const void *)floats,
                                      (size_t)d * sizeof *floats, sees, d},
                        job->scores + r * ATTENTION_SPAN + j, rows,
                        out + r * d);
    }
}
// @end simd-attend-4

// @begin simd-attend-5
static void attend_rows(const attend_job *job)
{
    const attend_span *span = job->span;
    size_t first = (size_t)job->first, d = (size_t)span->head_dim;
    int most = job->most;
    // While keys are computed with, the values are on their way, and then
    // the keys of the next span.
    for (int j = 0; j < most; j += KEYS_AT_ONCE) {
        fetch_rows(span, span->values, 0, j, KEYS_AT_ONCE);
        score_chunk(job, j, at_most(most - j, KEYS_AT_ONCE));
    }
    for (int r = 0; r < job->n_rows; r++)
        weights_of(job->scores + r * ATTENTION_SPAN, seen(job, r, 0, most),
                   &span->maximum[job->first + r],
                   &span->total[job->first + r]);
    memset(span->out + first * d, 0,
           (size_t)job->n_rows * d * sizeof *span->out);
    for (int j = 0; j < most; j += VALUES_AT_ONCE) {
        fetch_rows(span, span->keys, ATTENTION_SPAN, j, VALUES_AT_ONCE);
        value_chunk(job, j, at_most(most - j, VALUES_AT_ONCE));
    }
}
// @end simd-attend-5

// @begin simd-attend-6
static void attend(const attend_span *span)
{
    if (are_few(span)) {
        attend_groups(span);
        return;
    }
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
