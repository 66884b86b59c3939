#include "common/quant_fit.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

// @begin fit-codes
float fit_codes(const fit_span *s, float scale, float minimum, uint8_t *codes)
{
    const float inverse = scale != 0.0f ? 1.0f / scale : 0.0f;
    const float top = (float)s->top;
    float cost = 0.0f;
    for (int i = 0; i < s->n; i++) {
        float code = (s->values[i] - minimum) * inverse + 0.5f;
        code = code > 0.0f ? code : 0.0f;       // NaN too: no cast sees it
        code = code < top ? code : top;
        codes[i] = (uint8_t)code;
        float error = s->values[i] - (scale * (float)codes[i] + minimum);
        cost += s->weights[i] * error * error;
    }
    return cost;
}
// @end fit-codes

// @begin fit-sums
// The sums of which least squares are made, over numbers x and codes c.
typedef struct {
    float w, wx, wc, wcc, wcx;
} fit_sums;

static fit_sums add_up(const fit_span *s, const uint8_t *codes, int zero)
{
    fit_sums t = {0};
    for (int i = 0; i < s->n; i++) {
        float c = (float)(codes[i] - zero), wc = s->weights[i] * c;
        t.w += s->weights[i];
        t.wx += s->weights[i] * s->values[i];
        t.wc += wc;
        t.wcc += wc * c;
        t.wcx += wc * s->values[i];
    }
    return t;
}

// @end fit-sums

// @begin fit-refit
// The codes stay: which line is best for them?
static bool refit(const fit_span *s, const uint8_t *codes, fit_line *line)
{
    int zero = s->minimum == FIT_TIED ? s->zero : 0;
    fit_sums t = add_up(s, codes, zero);
    float width = t.w * t.wcc - t.wc * t.wc;
    if (s->minimum != FIT_TIED && width > 0.0f) {
        line->scale = (t.w * t.wcx - t.wx * t.wc) / width;
        line->minimum = (t.wx * t.wcc - t.wc * t.wcx) / width;
        if (s->minimum == FIT_FREE || line->minimum <= 0.0f)
            return true;
    }
    if (!(t.wcc > 0.0f))
        return false;
    line->scale = t.wcx / t.wcc;
    line->minimum = -(float)zero * line->scale;
    return true;
}
// @end fit-refit

// @begin fit-improve
// From a line to codes, from codes to the best line for them, and again:
// neither step can make it worse, and both are done when nothing changes.
static void improve(const fit_span *s, float scale, float minimum,
                    fit_line *best, uint8_t *codes)
{
    enum { ROUNDS = 3 };
    fit_line line = {scale, minimum, 0.0f};
    uint8_t tried[FIT_MAX];
    for (int round = 0; round < ROUNDS; round++) {
        line.cost = fit_codes(s, line.scale, line.minimum, tried);
        if (line.cost < best->cost) {
            *best = line;
            memcpy(codes, tried, (size_t)s->n);
        } else if (round > 0) {
            return;
        }
        if (!refit(s, tried, &line))
            return;
    }
}
// @end fit-improve

// @begin fit-start
// Numbers below this have no F16 scale, and their squares no float.
#define FIT_TINY 0x1p-40f

// Between which ends do the numbers lie? With 0 among them where the line
// has to begin there, or below.
static void find_ends(const fit_span *s, float *low, float *high)
{
    *low = s->minimum == FIT_FREE ? s->values[0] : 0.0f;
    *high = s->minimum == FIT_TIED ? 0.0f : s->values[0];
    for (int i = 0; i < s->n; i++) {
        *low = fminf(*low, s->values[i]);
        *high = fmaxf(*high, s->values[i]);
    }
}
// @end fit-start

// @begin fit-search
fit_line fit_search(const fit_span *s, uint8_t *codes)
{
    float low, high, zero = (float)s->zero, top = (float)s->top;
    bool tied = s->minimum == FIT_TIED;
    find_ends(s, &low, &high);
    float farthest = -low > high ? low : high;
    fit_line best = {0.0f, tied ? 0.0f : low, INFINITY};
    for (int i = 0; i < s->n; i++)
        codes[i] = 0;
    if (high - low < FIT_TINY || fabsf(farthest) < FIT_TINY)
        return best;
    best.scale = tied ? -farthest / zero : (high - low) / top;
    best.minimum = tied ? -zero * best.scale : low;
    // What it costs may be infinite: then no other line is better.
    (void)fit_codes(s, best.scale, best.minimum, codes);
    // How many codes lie from end to end? As many as there are, or half a
    // code or one more or less, as cutting off may gain. Which end stays?
    for (int half = -2; half <= 2; half++) {
        float more = (float)half * 0.5f;
        if (tied) {
            float down = -farthest / (zero + more);
            float up = farthest / (top - zero + more);
            improve(s, down, -zero * down, &best, codes);
            improve(s, up, -zero * up, &best, codes);
        } else {
            float scale = (high - low) / (top + more);
            float up = high - top * scale;
            if (s->minimum == FIT_BELOW_ZERO)
                up = fminf(up, 0.0f);
            improve(s, scale, low, &best, codes);
            improve(s, scale, up, &best, codes);
        }
    }
    return best;
}
// @end fit-search
