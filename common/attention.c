#include "common/attention.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/plan.h"

enum { LANES = 16 };

// @begin attention-exp
// e^x = 2^n * e^r, where n is the whole number nearest to x / ln 2 and what
// is left, r, is at most 0.35 in size: there eight terms of the series for
// e^r are enough for every bit of a float.
float exp_f32(float x)
{
    if (!(x > -87.0f))                  // also where x is NaN
        return x <= -87.0f ? 0.0f : x;
    if (x > 88.0f)
        x = 88.0f;
    // Adding 1.5 * 2^23 leaves no room for a fraction: the sum is rounded to
    // a whole number, and subtracting gives that number back.
    const float shift = 0x1.8p23f;
    float n = fmaf(x, 1.44269504f, shift) - shift;
    // ln 2 in two pieces: n times the first is exact, so nothing of x is
    // lost when the two nearly cancel.
    float r = fmaf(n, -0.693359375f, x);
    r = fmaf(n, 2.12194440e-4f, r);

    float sum = 1.0f / 5040;
    sum = fmaf(sum, r, 1.0f / 720);
    sum = fmaf(sum, r, 1.0f / 120);
    sum = fmaf(sum, r, 1.0f / 24);
    sum = fmaf(sum, r, 1.0f / 6);
    sum = fmaf(sum, r, 0.5f);
    sum = fmaf(sum, r, 1.0f);
    sum = fmaf(sum, r, 1.0f);

    uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;    // 2^n as a float
    float power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}
// @end attention-exp

// @begin attention-dot
static float add_lanes(float *sum)
{
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int j = 0; j < width; j++)
            sum[j] += sum[j + width];
    return sum[0];
}

float dot_f32(const float *a, const float *b, int n)
{
    float sum[LANES] = {0};
    for (int i = 0; i < n; i++)
        sum[i % LANES] = fmaf(a[i], b[i], sum[i % LANES]);
    return add_lanes(sum);
}
// @end attention-dot

// @begin attention-softmax
void softmax(float *scores, int n)
{
    float maximum = scores[0];
    for (int i = 1; i < n; i++)
        if (scores[i] > maximum)
            maximum = scores[i];

    // Subtracting the same number from every score changes nothing in the
    // result, and makes the largest exponential e^0 = 1: none overflows.
    float total = 0.0f;
    for (int i = 0; i < n; i++) {
        scores[i] = exp_f32(scores[i] - maximum);
        total += scores[i];
    }
    for (int i = 0; i < n; i++)
        scores[i] /= total;
}
// @end attention-softmax

size_t attention_scratch(int head_dim)
{
    return plan_attend_scratch(head_dim) / sizeof(float);
}

// @begin attention-row
// Row `position` of keys or values as floats: in place where the cache holds
// floats, decoded into `decoded` where it holds halves.
static const float *row_f32(const attend_span *span, const void *rows,
                            int position, float *decoded)
{
    const unsigned char *row = (const unsigned char *)rows
                               + (size_t)position * span->row_bytes;
    if (span->type == DTYPE_F32)
        return (const float *)(const void *)row;
    const uint16_t *half = (const uint16_t *)(const void *)row;
    for (int i = 0; i < span->head_dim; i++)
        decoded[i] = f16_to_f32(half[i]);
    return decoded;
}
// @end attention-row

// @begin attention-visible
int attend_visible(const attend_span *span, int row)
{
    return span->visible != NULL ? span->visible[row] : span->n_positions;
}
// @end attention-visible

// @begin attention-span
static void attend_row(const attend_span *span, int row)
{
    int n = attend_visible(span, row), head_dim = span->head_dim;
    const float *q = span->q + (size_t)row * (size_t)head_dim;
    float *out = span->out + (size_t)row * (size_t)head_dim;
    float *score = span->scratch, *decoded = score + ATTENTION_SPAN;

    float maximum = -INFINITY;
    for (int j = 0; j < n; j++) {
        const float *key = row_f32(span, span->keys, j, decoded);
        score[j] = dot_f32(q, key, head_dim);
        if (score[j] > maximum)
            maximum = score[j];
    }

    float sum[LANES] = {0};
    memset(out, 0, (size_t)head_dim * sizeof *out);
    for (int j = 0; j < n; j++) {
        float weight = exp_f32(score[j] - maximum);
        sum[j % LANES] += weight;
        const float *value = row_f32(span, span->values, j, decoded);
        for (int i = 0; i < head_dim; i++)
            out[i] = fmaf(weight, value[i], out[i]);
    }
    span->maximum[row] = maximum;
    span->total[row] = add_lanes(sum);
}

void attend_span_scalar(const attend_span *span)
{
    for (int row = 0; row < span->n_rows; row++)
        attend_row(span, row);
}
// @end attention-span

// @begin attention-merge
void attend_merge(attend_state *state, float maximum, float total,
                  const float *out, int head_dim)
{
    // Both sides are relative to their own largest score. Bring them to the
    // larger of the two; before the first span ours is -infinity, and
    // e^-infinity = 0 removes it.
    float largest = maximum > state->maximum ? maximum : state->maximum;
    float ours = exp_f32(state->maximum - largest);
    float theirs = exp_f32(maximum - largest);
    state->maximum = largest;
    state->total = state->total * ours + total * theirs;
    for (int i = 0; i < head_dim; i++)
        state->out[i] = state->out[i] * ours + out[i] * theirs;
}

void attend_finish(attend_state *state, int head_dim)
{
    for (int i = 0; i < head_dim; i++)
        state->out[i] /= state->total;
}
// @end attention-merge
