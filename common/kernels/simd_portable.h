// The primitives of body.h in plain C, so that its tiling is tested on every
// machine. What each one does stands here without any instruction set. The
// tests name other widths and tiles before they include this.

#include <math.h>

#ifndef LANES
#define LANES 16
#endif
#ifndef PANELS
#define PANELS 2
#endif
#ifndef TILE_X
#define TILE_X 8
#define TILE_X_RUNS 4
#endif
#ifndef F32_ROWS
#define F32_ROWS 4
#endif
#ifndef F32_X
#define F32_X 2
#endif
#ifndef ATTEND_ROWS
#define ATTEND_ROWS 4
#endif

typedef struct { float lane[LANES]; } vf;
typedef struct { uint8_t byte[LANES * 4]; } vi;

#define F_EACH(expression) \
    vf out; \
    for (int i = 0; i < LANES; i++) \
        out.lane[i] = (expression); \
    return out

static INLINE vf f_set1(float x) { F_EACH(x); }
static INLINE vf f_load(const float *p) { F_EACH(p[i]); }
static INLINE vf f_add(vf a, vf b) { F_EACH(a.lane[i] + b.lane[i]); }
static INLINE vf f_sub(vf a, vf b) { F_EACH(a.lane[i] - b.lane[i]); }
static INLINE vf f_mul(vf a, vf b) { F_EACH(a.lane[i] * b.lane[i]); }
static INLINE vf f_div(vf a, vf b) { F_EACH(a.lane[i] / b.lane[i]); }
static INLINE vf f_abs(vf a) { F_EACH(fabsf(a.lane[i])); }

// b where one of them is NaN, as x86 does. Other sets that do it otherwise
// compare and select.
static INLINE vf f_max(vf a, vf b)
{
    F_EACH(a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]);
}

static INLINE vf f_min(vf a, vf b)
{
    F_EACH(a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]);
}

static INLINE void f_store(float *p, vf v) { memcpy(p, &v, sizeof v); }

static INLINE vf f_fma(vf a, vf b, vf c)
{
    F_EACH(fmaf(a.lane[i], b.lane[i], c.lane[i]));
}

static INLINE vf f_load_first(const float *p, int n)
{
    F_EACH(i < n ? p[i] : 0.0f);
}

static INLINE vf f_fma_first(vf a, vf b, vf c, int n)
{
    F_EACH(i < n ? fmaf(a.lane[i], b.lane[i], c.lane[i]) : c.lane[i]);
}

static INLINE vf f_zero_where_le(vf v, vf x, vf limit)
{
    F_EACH(x.lane[i] <= limit.lane[i] ? 0.0f : v.lane[i]);
}

// NaN has no whole number: it stays.
static INLINE vf f_pow2(vf n)
{
    F_EACH(isnan(n.lane[i]) ? n.lane[i] : ldexpf(1.0f, (int)n.lane[i]));
}

static INLINE uint16_t half_at(const void *p, int i)
{
    uint16_t half;
    memcpy(&half, (const uint8_t *)p + 2 * i, sizeof half);
    return half;
}

static INLINE vf f_load_f16(const void *p)
{
    F_EACH(f16_to_f32(half_at(p, i)));
}

static INLINE vf f_set1_f16(const void *p)
{
    return f_set1(f16_to_f32(half_at(p, 0)));
}

static INLINE void f_store_f16(void *p, vf v)
{
    uint16_t half[LANES];
    for (int i = 0; i < LANES; i++)
        half[i] = f32_to_f16(v.lane[i]);
    memcpy(p, half, sizeof half);
}

static INLINE vf f_load_codes(const void *p)
{
    const int8_t *code = p;
    F_EACH((float)code[i]);
}

// The whole number nearest to it, ties away from zero.
static INLINE vf f_round(vf v) { F_EACH(roundf(v.lane[i])); }

// The first half of each lane, and the second.
static INLINE void f_f16_pairs(vi v, vf *first, vf *second)
{
    for (int i = 0; i < LANES; i++) {
        first->lane[i] = f16_to_f32(half_at(&v, 2 * i));
        second->lane[i] = f16_to_f32(half_at(&v, 2 * i + 1));
    }
}

static INLINE vf f_load_bf16(const void *p)
{
    F_EACH(bf16_to_f32(half_at(p, i)));
}

static INLINE void f_store_low_bytes(int8_t *p, vf v)
{
    for (int i = 0; i < LANES; i++) {
        uint32_t bits;
        memcpy(&bits, &v.lane[i], sizeof bits);
        p[i] = (int8_t)(uint8_t)(bits & 255);
    }
}

static INLINE float f_largest(vf v)
{
    for (int i = 1; i < LANES; i++)
        v.lane[0] = fmaxf(v.lane[0], v.lane[i]);
    return v.lane[0];
}

// The sum of the lanes, in whatever order.
static INLINE float f_total(vf v)
{
    for (int i = 1; i < LANES; i++)
        v.lane[0] += v.lane[i];
    return v.lane[0];
}

// Lane i of the result is the sum of the lanes of a[i], added pairwise, the
// upper half to the lower until one is left.
static INLINE vf f_sum_lanes(const vf *a)
{
    vf out;
    for (int i = 0; i < LANES; i++) {
        vf v = a[i];
        for (int width = LANES / 2; width > 0; width /= 2)
            for (int j = 0; j < width; j++)
                v.lane[j] += v.lane[j + width];
        out.lane[i] = v.lane[0];
    }
    return out;
}

static INLINE vi i_load(const void *p)
{
    vi v;
    memcpy(&v, p, sizeof v);
    return v;
}

static INLINE void i_store(void *p, vi v) { memcpy(p, &v, sizeof v); }

static INLINE vf f_of_i(vi v)
{
    int32_t number[LANES];
    memcpy(number, &v, sizeof v);
    F_EACH((float)number[i]);
}

#define I_EACH(i, expression) \
    vi out; \
    for (int i = 0; i < 4 * LANES; i++) \
        out.byte[i] = (uint8_t)(expression); \
    return out

static INLINE vi i_zero(void) { I_EACH(i, 0); }
static INLINE vi i_or(vi a, vi b) { I_EACH(i, a.byte[i] | b.byte[i]); }

// (byte >> n) & mask in each byte; to the left where n is negative.
static INLINE vi i_bits(vi v, int n, int mask)
{
    I_EACH(i, (n < 0 ? v.byte[i] << -n : v.byte[i] >> n) & mask);
}

// Bits 4k..4k+3 of each lane, as 16 or 0 in its four bytes.
static INLINE vi i_fifth_bits(vi v, int k)
{
    I_EACH(i, (v.byte[i / 4 * 4 + k / 2] >> (4 * (k % 2) + i % 4) & 1) << 4);
}

// The last two bytes of each lane of a, and the first two of b.
static INLINE vi i_between(vi a, vi b)
{
    I_EACH(i, i % 4 < 2 ? a.byte[i + 2] : b.byte[i - 2]);
}

// Byte k of each lane, with a sign.
static INLINE vf f_of_byte(vi v, int k)
{
    F_EACH((float)(int8_t)v.byte[4 * i + k]);
}

// a * half_sums[0] + b * half_sums[1] in each lane.
static INLINE vi i_halves(int a, int b, const int16_t *half_sums)
{
    int32_t sum[LANES];
    vi out;
    for (int i = 0; i < LANES; i++)
        sum[i] = a * half_sums[0] + b * half_sums[1];
    memcpy(&out, sum, sizeof out);
    return out;
}

// Sixteen bytes of each of LANES rows, turned on their side: lane r of
// out[k] holds bytes 4k..4k+3 of row r.
static INLINE void i_load_columns(const uint8_t *p, size_t stride, vi out[4])
{
    for (size_t r = 0; r < LANES; r++)
        for (size_t k = 0; k < 4; k++)
            memcpy(&out[k].byte[4 * r], p + r * stride + 4 * k, 4);
}

// v, in a register and unknown to the compiler.
static INLINE vi i_hidden(vi v) { return v; }

// sum + the products of four codes in each lane, 0..127 and -128..127; some
// sets take larger ones too, and use this for their own products.
static INLINE vi i_dot_four(vi sum, vi w, vi x)
{
    uint32_t lane[LANES];
    memcpy(lane, &sum, sizeof lane);
    for (int i = 0; i < 4 * LANES; i++)
        lane[i / 4] += (uint32_t)(w.byte[i] * (int8_t)x.byte[i]);
    memcpy(&sum, lane, sizeof sum);
    return sum;
}

static INLINE vi dot_codes(const vi *w, int n_w, const int8_t *x,
                           int is_signed, vi isum)
{
    int32_t sum[LANES];
    memcpy(sum, &isum, sizeof sum);
    for (int r = 0; r < LANES; r++)
        for (int i = 0; i < 4 * n_w; i++) {
            uint8_t code = w[i / 4].byte[4 * r + i % 4];
            sum[r] += x[i] * (is_signed ? (int8_t)code : (int)code);
        }
    memcpy(&isum, sum, sizeof isum);
    return isum;
}

// isum[p * n_x + t] + the 4 n_w products of each row's codes, 0..most in
// w[p], with those of row t of x.
static INLINE void dot_unsigned(const vi *const *w, int n_p, int n_w,
                                int most, const int8_t *x, int n_x, vi *isum)
{
    (void)most;
    for (int o = 0; o < n_p * n_x; o++)
        isum[o] = dot_codes(w[o / n_x], n_w, x + 32 * (o % n_x), 0, isum[o]);
}

// How codes -128..127 are kept, and the products of 32 of them.
static INLINE vi i_signed_codes(vi v) { return v; }
static INLINE void dot_signed(const vi *const *w, int n_p, const int8_t *x,
                              int n_x, const int16_t *half_sums, vi *isum)
{
    (void)half_sums;
    for (int o = 0; o < n_p * n_x; o++)
        isum[o] = dot_codes(w[o / n_x], 8, x + 32 * (o % n_x), 1, i_zero());
}
