// The primitives of body.h for NEON: four lanes. Every AArch64 has NEON; with
// NEON_DOT its dot products are used too, which came with ARMv8.2.

#include <arm_neon.h>

#define LANES 4
#define TILE_X 8
#define F32_ROWS 2
#define F32_X 3
#define ATTEND_ROWS 4

typedef float32x4_t vf;
typedef uint8x16_t vi;

static INLINE vf f_set1(float x) { return vdupq_n_f32(x); }
static INLINE vf f_load(const float *p) { return vld1q_f32(p); }
static INLINE void f_store(float *p, vf v) { vst1q_f32(p, v); }
static INLINE vf f_add(vf a, vf b) { return vaddq_f32(a, b); }
static INLINE vf f_sub(vf a, vf b) { return vsubq_f32(a, b); }
static INLINE vf f_mul(vf a, vf b) { return vmulq_f32(a, b); }
static INLINE vf f_div(vf a, vf b) { return vdivq_f32(a, b); }
static INLINE vf f_abs(vf a) { return vabsq_f32(a); }
static INLINE vf f_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }

// b where one of them is NaN; this processor's own maximum would be NaN.
static INLINE vf f_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static INLINE vf f_min(vf a, vf b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

static INLINE vf f_of_i(vi a)
{
    return vcvtq_f32_s32(vreinterpretq_s32_u8(a));
}

static INLINE vf f_load_first(const float *p, int n)
{
    float lane[LANES] = {0.0f};
    memcpy(lane, p, (size_t)n * sizeof *p);
    return f_load(lane);
}

static INLINE vf f_fma_first(vf a, vf b, vf c, int n)
{
    static const int32_t lane[LANES] = {0, 1, 2, 3};
    return vbslq_f32(vcltq_s32(vld1q_s32(lane), vdupq_n_s32(n)),
                     f_fma(a, b, c), c);
}

static INLINE vf f_zero_where_le(vf v, vf x, vf limit)
{
    return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v),
                                           vcleq_f32(x, limit)));
}

static INLINE vf f_pow2(vf n)
{
    int32x4_t e = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
    return vreinterpretq_f32_s32(vshlq_n_s32(e, 23));
}

static INLINE vf four_halves(uint16x4_t half)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(half));
}

static INLINE vf f_load_f16(const void *p)
{
    return four_halves(vld1_u16(p));
}

static INLINE vf f_set1_f16(const void *p)
{
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return four_halves(vdup_n_u16(half));
}

static INLINE void f_store_f16(void *p, vf v)
{
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)));
}

static INLINE vf f_load_bf16(const void *p)
{
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}

static INLINE vf f_load_codes(const void *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    int16x8_t wide = vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(word)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
}

// The whole number nearest to it, ties away from zero, as roundf() has it.
static INLINE vf f_round(vf v) { return vrndaq_f32(v); }

static INLINE void f_f16_pairs(vi v, vf *first, vf *second)
{
    *first = four_halves(vmovn_u32(vreinterpretq_u32_u8(v)));
    *second = four_halves(vshrn_n_u32(vreinterpretq_u32_u8(v), 16));
}

static INLINE void f_store_low_bytes(int8_t *p, vf v)
{
    uint16x4_t half = vmovn_u32(vreinterpretq_u32_f32(v));
    uint8x8_t byte = vmovn_u16(vcombine_u16(half, half));
    uint32_t word = vget_lane_u32(vreinterpret_u32_u8(byte), 0);
    memcpy(p, &word, sizeof word);
}

static INLINE float f_largest(vf v) { return vmaxnmvq_f32(v); }
static INLINE float f_total(vf v) { return vaddvq_f32(v); }

// Lane i of the result is the sum of the lanes of a[i], added pairwise:
// (j, j + 2), (0, 1).
static INLINE vf f_sum_lanes(const vf a[4])
{
    vf h[2];
    UNROLL for (int i = 0; i < 2; i++)
        h[i] = f_add(vcombine_f32(vget_low_f32(a[2 * i]),
                                  vget_low_f32(a[2 * i + 1])),
                     vcombine_f32(vget_high_f32(a[2 * i]),
                                  vget_high_f32(a[2 * i + 1])));
    return vpaddq_f32(h[0], h[1]);
}

static INLINE vi i_load(const void *p) { return vld1q_u8(p); }
static INLINE void i_store(void *p, vi v) { vst1q_u8(p, v); }

static INLINE vi i_zero(void) { return vdupq_n_u8(0); }
static INLINE vi i_or(vi a, vi b) { return vorrq_u8(a, b); }

static INLINE vi i_bits(vi v, int n, int mask)
{
    v = vshlq_u8(v, vdupq_n_s8((int8_t)-n));
    return vandq_u8(v, vdupq_n_u8((uint8_t)mask));
}

static INLINE vi i_fifth_bits(vi v, int k)
{
    // Byte k / 2 of each lane in all four, and of each the bit that it is.
    static const uint8_t pick[4 * LANES] = {
        0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12
    };
    uint32x4_t bit = vdupq_n_u32(k % 2 ? 0x80402010 : 0x08040201);
    vi bytes = vqtbl1q_u8(v, vaddq_u8(vld1q_u8(pick),
                                      vdupq_n_u8((uint8_t)(k / 2))));
    return vandq_u8(vtstq_u8(bytes, vreinterpretq_u8_u32(bit)),
                    vdupq_n_u8(16));
}

static INLINE vi i_between(vi a, vi b)
{
    uint32x4_t low = vshrq_n_u32(vreinterpretq_u32_u8(a), 16);
    return vreinterpretq_u8_u32(vsliq_n_u32(low, vreinterpretq_u32_u8(b),
                                            16));
}

static INLINE vf f_of_byte(vi v, int k)
{
    int32x4_t top = vshlq_s32(vreinterpretq_s32_u8(v),
                              vdupq_n_s32(24 - 8 * k));
    return vcvtq_f32_s32(vshrq_n_s32(top, 24));
}

static INLINE vi i_halves(int a, int b, const int16_t *half_sums)
{
    return vreinterpretq_u8_s32(vdupq_n_s32(a * half_sums[0]
                                            + b * half_sums[1]));
}

static INLINE void i_load_columns(const uint8_t *p, size_t stride, vi out[4])
{
    uint32x4_t a = vreinterpretq_u32_u8(vld1q_u8(p));
    uint32x4_t b = vreinterpretq_u32_u8(vld1q_u8(p + stride));
    uint32x4_t c = vreinterpretq_u32_u8(vld1q_u8(p + 2 * stride));
    uint32x4_t d = vreinterpretq_u32_u8(vld1q_u8(p + 3 * stride));
    uint64x2_t ab_even = vreinterpretq_u64_u32(vtrn1q_u32(a, b));
    uint64x2_t ab_odd = vreinterpretq_u64_u32(vtrn2q_u32(a, b));
    uint64x2_t cd_even = vreinterpretq_u64_u32(vtrn1q_u32(c, d));
    uint64x2_t cd_odd = vreinterpretq_u64_u32(vtrn2q_u32(c, d));
    out[0] = vreinterpretq_u8_u64(vtrn1q_u64(ab_even, cd_even));
    out[1] = vreinterpretq_u8_u64(vtrn1q_u64(ab_odd, cd_odd));
    out[2] = vreinterpretq_u8_u64(vtrn2q_u64(ab_even, cd_even));
    out[3] = vreinterpretq_u8_u64(vtrn2q_u64(ab_odd, cd_odd));
}

static INLINE vi i_hidden(vi v)
{
    __asm__("" : "+w"(v));
    return v;
}

static INLINE int8x16_t codes_of(vi w) { return vreinterpretq_s8_u8(w); }

#ifdef NEON_DOT
// sum + the 16 products of each row's codes, -128..127 in w, with those of x.
// The instruction takes four codes of x for all rows from where they lie.
static INLINE int32x4_t dot_16(const vi *w, int most, const int8_t *x,
                               int32x4_t sum)
{
    (void)most;
    int8x16_t codes = vld1q_s8(x);
    sum = vdotq_laneq_s32(sum, codes_of(w[0]), codes, 0);
    sum = vdotq_laneq_s32(sum, codes_of(w[1]), codes, 1);
    sum = vdotq_laneq_s32(sum, codes_of(w[2]), codes, 2);
    return vdotq_laneq_s32(sum, codes_of(w[3]), codes, 3);
}

// sum + the products of four codes in each lane, 0..127 and -128..127.
static INLINE vi i_dot_four(vi sum, vi w, vi x)
{
    return vreinterpretq_u8_s32(vdotq_s32(vreinterpretq_s32_u8(sum),
                                          codes_of(w), codes_of(x)));
}
#else
static INLINE int8x8_t four_codes(const int8_t *x)
{
    int32_t word;
    memcpy(&word, x, sizeof word);
    return vreinterpret_s8_s32(vdup_n_s32(word));
}

static INLINE int32x4_t add_rows(int16x8_t low, int16x8_t high, int32x4_t sum)
{
    return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}

// Products are added in 16 bits where there is room: four of codes up to 63
// reach 4 * 63 * 127 = 32004, two of any 2 * 128 * 127 = 32512.
static INLINE int32x4_t dot_16(const vi *w, int most, const int8_t *x,
                               int32x4_t sum)
{
    int room = most <= 63 ? 4 : 2;
    UNROLL for (int k = 0; k < 4; k += room) {
        int16x8_t low = vdupq_n_s16(0), high = low;
        UNROLL for (int i = k; i < k + room; i++) {
            int8x8_t codes = four_codes(x + 4 * i);
            low = vmlal_s8(low, vget_low_s8(codes_of(w[i])), codes);
            high = vmlal_s8(high, vget_high_s8(codes_of(w[i])), codes);
        }
        sum = add_rows(low, high, sum);
    }
    return sum;
}

// sum + the products of four codes in each lane, 0..127 and -128..127.
static INLINE vi i_dot_four(vi sum, vi w, vi x)
{
    int16x8_t low = vmull_s8(vget_low_s8(codes_of(w)),
                             vget_low_s8(codes_of(x)));
    int16x8_t high = vmull_s8(vget_high_s8(codes_of(w)),
                              vget_high_s8(codes_of(x)));
    return vreinterpretq_u8_s32(add_rows(low, high,
                                         vreinterpretq_s32_u8(sum)));
}
#endif

// Codes 0..most, which is 63 at most: a sign bit does not hurt them.
static INLINE void dot_unsigned(const vi *const *w, int n_p, int n_w,
                                int most, const int8_t *x, int n_x, vi *isum)
{
    UNROLL for (int o = 0; o < n_p * n_x; o++) {
        int32x4_t sum = vreinterpretq_s32_u8(isum[o]);
        UNROLL for (int k = 0; k < n_w; k += 4)
            sum = dot_16(w[o / n_x] + k, most, x + 32 * (o % n_x) + 4 * k,
                         sum);
        isum[o] = vreinterpretq_u8_s32(sum);
    }
}

static INLINE vi i_signed_codes(vi v) { return v; }
static INLINE void dot_signed(const vi *const *w, int n_p, const int8_t *x,
                              int n_x, const int16_t *half_sums, vi *isum)
{
    (void)half_sums;
    UNROLL for (int o = 0; o < n_p * n_x; o++)
        isum[o] = i_zero();
    dot_unsigned(w, n_p, 8, 128, x, n_x, isum);
}
