// The primitives of body.h for AVX-512 (F, BW, VL) with VNNI: sixteen lanes.

#include <immintrin.h>

#define LANES 16
#define PANELS 2                // of LANES rows of a weight in a tile
#define TILE_X 8                // rows of x in it, and where blocks have
#define TILE_X_RUNS 4           // two runs
#define F32_ROWS 4              // rows of weight, rows of x in a float tile
#define F32_X 4
#define ATTEND_ROWS 4           // query rows that share a pass over values

typedef __m512 vf;              // floats, one in each lane
typedef __m512i vi;             // 32 bits of whatever in each lane

static INLINE vf f_set1(float x) { return _mm512_set1_ps(x); }
static INLINE vf f_load(const float *p) { return _mm512_loadu_ps(p); }
static INLINE void f_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
static INLINE vf f_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static INLINE vf f_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static INLINE vf f_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static INLINE vf f_div(vf a, vf b) { return _mm512_div_ps(a, b); }
// b where one of them is NaN.
static INLINE vf f_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static INLINE vf f_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static INLINE vf f_abs(vf a) { return _mm512_abs_ps(a); }
static INLINE vf f_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static INLINE vf f_of_i(vi a) { return _mm512_cvtepi32_ps(a); }

// The first n lanes of memory, 0 in the others.
static INLINE vf f_load_first(const float *p, int n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

// a * b + c in the first n lanes, c in the others.
static INLINE vf f_fma_first(vf a, vf b, vf c, int n)
{
    return _mm512_mask3_fmadd_ps(a, b, c, (__mmask16)((1u << n) - 1));
}

// v, with 0 where x <= limit.
static INLINE vf f_zero_where_le(vf v, vf x, vf limit)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLE_UQ), v);
}

// 2^n for whole n, -126..127.
static INLINE vf f_pow2(vf n)
{
    __m512i e = _mm512_add_epi32(_mm512_cvtps_epi32(n),
                                 _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(e, 23));
}

static INLINE vf f_load_f16(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(p));
}

static INLINE vf f_set1_f16(const void *p)
{
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

static INLINE void f_store_f16(void *p, vf v)
{
    _mm256_storeu_si256(p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static INLINE vf f_load_codes(const void *p)
{
    return f_of_i(_mm512_cvtepi8_epi32(_mm_loadu_si128(p)));
}

// The whole number nearest to it, ties away from zero, as roundf() has it.
static INLINE vf f_round(vf v)
{
    vf whole = _mm512_roundscale_ps(v, _MM_FROUND_TO_ZERO
                                       | _MM_FROUND_NO_EXC);
    __mmask16 up = _mm512_cmp_ps_mask(f_abs(f_sub(v, whole)), f_set1(0.5f),
                                      _CMP_GE_OQ);
    __m512i sign = _mm512_and_si512(_mm512_castps_si512(v),
                                    _mm512_set1_epi32(INT32_MIN));
    vf one = _mm512_castsi512_ps(_mm512_or_si512(
        sign, _mm512_castps_si512(f_set1(1.0f))));
    return _mm512_mask_add_ps(whole, up, whole, one);
}

// Pairs of halves: the first of each lane, and the second.
static INLINE void f_f16_pairs(vi v, vf *first, vf *second)
{
    *first = _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v));
    *second = _mm512_cvtph_ps(
        _mm512_cvtepi32_epi16(_mm512_srli_epi32(v, 16)));
}

static INLINE vf f_load_bf16(const void *p)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

// The low byte of each lane's bits, packed.
static INLINE void f_store_low_bytes(int8_t *p, vf v)
{
    _mm_storeu_si128((__m128i *)(void *)p,
                     _mm512_cvtepi32_epi8(_mm512_castps_si512(v)));
}

static INLINE float f_largest(vf v) { return _mm512_reduce_max_ps(v); }

// The sum of the lanes, in whatever order.
static INLINE float f_total(vf v) { return _mm512_reduce_add_ps(v); }

// Lane i of the result is the sum of the lanes of a[i], added pairwise:
// (j, j + 8), (j, j + 4), (j, j + 2), (0, 1).
static INLINE vf f_sum_lanes(const vf a[16])
{
    vf h[8], q[4], d[2];
    // Halves: h[i] holds a[i] in its low half and a[i + 8] in its high half.
    UNROLL for (int i = 0; i < 8; i++)
        h[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a[i], a[i + 8], 0x44),
                             _mm512_shuffle_f32x4(a[i], a[i + 8], 0xee));
    // Quarters: lanes of four hold a[i], a[i + 4], a[i + 8], a[i + 12].
    UNROLL for (int i = 0; i < 4; i++)
        q[i] = _mm512_add_ps(_mm512_shuffle_f32x4(h[i], h[i + 4], 0x88),
                             _mm512_shuffle_f32x4(h[i], h[i + 4], 0xdd));
    // Now every lane of four holds one vector each of the order 0 8 4 12.
    UNROLL for (int i = 0; i < 2; i++)
        d[i] = _mm512_add_ps(_mm512_unpacklo_ps(q[i], q[i + 2]),
                             _mm512_unpackhi_ps(q[i], q[i + 2]));
    vf s = _mm512_add_ps(_mm512_unpacklo_ps(d[0], d[1]),
                         _mm512_unpackhi_ps(d[0], d[1]));
    // Lane of four number k began as a[k'] with k' = 0, 8, 4, 12.
    return _mm512_shuffle_f32x4(s, s, 0xd8);
}

static INLINE vi i_load(const void *p) { return _mm512_loadu_si512(p); }
static INLINE void i_store(void *p, vi v) { _mm512_storeu_si512(p, v); }

static INLINE vi i_zero(void) { return _mm512_setzero_si512(); }
static INLINE vi i_or(vi a, vi b) { return _mm512_or_si512(a, b); }

// (byte >> n) & mask in each byte; to the left where n is negative.
static INLINE vi i_bits(vi v, int n, int mask)
{
    v = n < 0 ? _mm512_slli_epi16(v, (unsigned)-n)
              : _mm512_srli_epi16(v, (unsigned)n);
    return _mm512_and_si512(v, _mm512_set1_epi8((char)mask));
}

// Bits 4k..4k+3 of each lane, as 16 or 0 in its four bytes.
static INLINE vi i_fifth_bits(vi v, int k)
{
    vi bytes = _mm512_shuffle_epi8(v, _mm512_add_epi8(
        _mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0),
        _mm512_set1_epi8((char)(k / 2))));
    __mmask64 set = _mm512_test_epi8_mask(
        bytes, _mm512_set1_epi32(k % 2 ? (int)0x80402010 : 0x08040201));
    return _mm512_maskz_set1_epi8(set, 16);
}

// The last two bytes of each lane of a, and the first two of b.
static INLINE vi i_between(vi a, vi b)
{
    return _mm512_or_si512(_mm512_srli_epi32(a, 16),
                           _mm512_slli_epi32(b, 16));
}

// Byte k of each lane, with a sign.
static INLINE vf f_of_byte(vi v, int k)
{
    v = _mm512_slli_epi32(v, (unsigned)(24 - 8 * k));
    return f_of_i(_mm512_srai_epi32(v, 24));
}

// a * half_sums[0] + b * half_sums[1] in each lane.
static INLINE vi i_halves(int a, int b, const int16_t *half_sums)
{
    int32_t both;
    memcpy(&both, half_sums, 4);
    return _mm512_madd_epi16(
        _mm512_set1_epi32((int32_t)((uint32_t)b << 16 | (a & 0xffff))),
        _mm512_set1_epi32(both));
}

static INLINE vi four_rows(const uint8_t *p, size_t stride)
{
    __m512i v = _mm512_castsi128_si512(
        _mm_loadu_si128((const void *)p));
    v = _mm512_inserti32x4(
        v, _mm_loadu_si128((const void *)(p + 4 * stride)), 1);
    v = _mm512_inserti32x4(
        v, _mm_loadu_si128((const void *)(p + 8 * stride)), 2);
    return _mm512_inserti32x4(
        v, _mm_loadu_si128((const void *)(p + 12 * stride)), 3);
}

// Sixteen bytes of each of sixteen rows, turned on their side: lane r of
// out[k] holds bytes 4k..4k+3 of row r.
static INLINE void i_load_columns(const uint8_t *p, size_t stride, vi out[4])
{
    vi a = four_rows(p, stride);
    vi b = four_rows(p + stride, stride);
    vi c = four_rows(p + 2 * stride, stride);
    vi d = four_rows(p + 3 * stride, stride);
    vi ab_low = _mm512_unpacklo_epi32(a, b);
    vi ab_high = _mm512_unpackhi_epi32(a, b);
    vi cd_low = _mm512_unpacklo_epi32(c, d);
    vi cd_high = _mm512_unpackhi_epi32(c, d);
    out[0] = _mm512_unpacklo_epi64(ab_low, cd_low);
    out[1] = _mm512_unpackhi_epi64(ab_low, cd_low);
    out[2] = _mm512_unpacklo_epi64(ab_high, cd_high);
    out[3] = _mm512_unpackhi_epi64(ab_high, cd_high);
}

static INLINE vi four_codes(const int8_t *x)
{
    int32_t word;
    memcpy(&word, x, 4);
    return _mm512_set1_epi32(word);
}

// v, in a register and unknown to the compiler.
static INLINE vi i_hidden(vi v)
{
    __asm__("" : "+v"(v));
    return v;
}

// sum + the products of four codes in each lane, 0..255 and -128..127.
static INLINE vi i_dot_four(vi sum, vi w, vi x)
{
    return _mm512_dpbusd_epi32(sum, w, x);
}

// isum[p * n_x + t] + the 4 n_w products of each row's codes, 0..255 in w[p],
// with those of row t of x. One instruction multiplies 64 pairs and adds them
// by fours. It takes five cycles, and two of them begin in one, so many sums
// advance side by side; and as no more than two loads begin in a cycle
// either, what is loaded of x serves several panels.
static INLINE void dot_unsigned(const vi *const *w, int n_p, int n_w,
                                int most, const int8_t *x, int n_x, vi *isum)
{
    (void)most;
    UNROLL for (int k = 0; k < n_w; k++)
        UNROLL for (int t = 0; t < n_x; t++) {
            vi codes = four_codes(x + 32 * t + 4 * k);
            UNROLL for (int p = 0; p < n_p; p++)
                isum[p * n_x + t] = i_dot_four(isum[p * n_x + t], w[p][k],
                                               codes);
        }
}

// The instruction wants unsigned codes on one side: those of Q8_0 are kept
// as code + 128, and 128 * sum(x) is taken off again.
static INLINE vi i_signed_codes(vi v)
{
    return _mm512_xor_si512(v, _mm512_set1_epi8((char)0x80));
}

static INLINE void dot_signed(const vi *const *w, int n_p, const int8_t *x,
                              int n_x, const int16_t *half_sums, vi *isum)
{
    UNROLL for (int t = 0; t < n_x; t++) {
        vi start = i_halves(-128, -128, half_sums + 2 * t);
        UNROLL for (int p = 0; p < n_p; p++)
            isum[p * n_x + t] = start;
    }
    dot_unsigned(w, n_p, 8, 255, x, n_x, isum);
}
