// The primitives of body.h for AVX2 with FMA and F16C: eight lanes.

#include <immintrin.h>

#define LANES 8
#define PANELS 1
#define TILE_X 4
#define F32_ROWS 2
#define F32_X 3
#define ATTEND_ROWS 3

typedef __m256 vf;
typedef __m256i vi;

static INLINE vf f_set1(float x) { return _mm256_set1_ps(x); }
static INLINE vf f_load(const float *p) { return _mm256_loadu_ps(p); }
static INLINE void f_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
static INLINE vf f_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static INLINE vf f_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static INLINE vf f_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static INLINE vf f_div(vf a, vf b) { return _mm256_div_ps(a, b); }
// b where one of them is NaN.
static INLINE vf f_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static INLINE vf f_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static INLINE vf f_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static INLINE vf f_of_i(vi a) { return _mm256_cvtepi32_ps(a); }

static INLINE vf f_abs(vf a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

static INLINE vi first_lanes(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static INLINE vf f_load_first(const float *p, int n)
{
    return _mm256_maskload_ps(p, first_lanes(n));
}

static INLINE vf f_fma_first(vf a, vf b, vf c, int n)
{
    return _mm256_blendv_ps(c, f_fma(a, b, c),
                            _mm256_castsi256_ps(first_lanes(n)));
}

static INLINE vf f_zero_where_le(vf v, vf x, vf limit)
{
    return _mm256_and_ps(_mm256_cmp_ps(x, limit, _CMP_NLE_UQ), v);
}

static INLINE vf f_pow2(vf n)
{
    __m256i e = _mm256_add_epi32(_mm256_cvtps_epi32(n),
                                 _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(e, 23));
}

static INLINE vf f_load_f16(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128(p));
}

static INLINE vf f_set1_f16(const void *p)
{
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

static INLINE void f_store_f16(void *p, vf v)
{
    _mm_storeu_si128(p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static INLINE vf f_load_codes(const void *p)
{
    return f_of_i(_mm256_cvtepi8_epi32(_mm_loadl_epi64(p)));
}

// The whole number nearest to it, ties away from zero, as roundf() has it.
static INLINE vf f_round(vf v)
{
    vf sign = _mm256_set1_ps(-0.0f), half = _mm256_set1_ps(0.5f);
    vf whole = _mm256_round_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    vf up = _mm256_cmp_ps(f_abs(f_sub(v, whole)), half, _CMP_GE_OQ);
    vf one = _mm256_or_ps(_mm256_and_ps(v, sign), _mm256_set1_ps(1.0f));
    return f_add(whole, _mm256_and_ps(up, one));
}

static INLINE void f_f16_pairs(vi v, vf *first, vf *second)
{
    // In each half of the register: first ones low, second ones high.
    __m256i pick = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
    __m256i sorted = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(v, pick),
                                              0xd8);
    *first = _mm256_cvtph_ps(_mm256_castsi256_si128(sorted));
    *second = _mm256_cvtph_ps(_mm256_extracti128_si256(sorted, 1));
}

static INLINE vf f_load_bf16(const void *p)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

static INLINE void f_store_low_bytes(int8_t *p, vf v)
{
    // The low byte of each lane of four, then both halves side by side.
    __m256i pick = _mm256_set1_epi32(0x0c080400);
    __m256i low = _mm256_shuffle_epi8(_mm256_castps_si256(v), pick);
    __m128i both = _mm_unpacklo_epi32(_mm256_castsi256_si128(low),
                                      _mm256_extracti128_si256(low, 1));
    _mm_storel_epi64((__m128i *)(void *)p, both);
}

static INLINE float f_largest(vf v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v),
                          _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

static INLINE float f_total(vf v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v),
                          _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

// Lane i of the result is the sum of the lanes of a[i], added pairwise:
// (j, j + 4), (j, j + 2), (0, 1).
static INLINE vf f_sum_lanes(const vf a[8])
{
    vf h[4], q[2];
    UNROLL for (int i = 0; i < 4; i++)
        h[i] = _mm256_add_ps(_mm256_permute2f128_ps(a[i], a[i + 4], 0x20),
                             _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    UNROLL for (int i = 0; i < 2; i++)
        q[i] = _mm256_add_ps(_mm256_unpacklo_ps(h[i], h[i + 2]),
                             _mm256_unpackhi_ps(h[i], h[i + 2]));
    return _mm256_add_ps(_mm256_unpacklo_ps(q[0], q[1]),
                         _mm256_unpackhi_ps(q[0], q[1]));
}

static INLINE vi i_load(const void *p) { return _mm256_loadu_si256(p); }
static INLINE void i_store(void *p, vi v) { _mm256_storeu_si256(p, v); }

static INLINE vi i_zero(void) { return _mm256_setzero_si256(); }
static INLINE vi i_or(vi a, vi b) { return _mm256_or_si256(a, b); }

static INLINE vi i_bits(vi v, int n, int mask)
{
    v = n < 0 ? _mm256_slli_epi16(v, -n) : _mm256_srli_epi16(v, n);
    return _mm256_and_si256(v, _mm256_set1_epi8((char)mask));
}

static INLINE vi i_fifth_bits(vi v, int k)
{
    // Byte k / 2 of each lane in all four, and of each the bit that it is.
    vi pick = _mm256_broadcastsi128_si256(_mm_setr_epi32(
        0, 0x04040404, 0x08080808, 0x0c0c0c0c));
    vi bit = _mm256_set1_epi32(k % 2 ? (int)0x80402010 : 0x08040201);
    vi bytes = _mm256_shuffle_epi8(
        v, _mm256_add_epi8(pick, _mm256_set1_epi8((char)(k / 2))));
    vi set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
    return _mm256_and_si256(set, _mm256_set1_epi8(16));
}

static INLINE vi i_between(vi a, vi b)
{
    return _mm256_or_si256(_mm256_srli_epi32(a, 16),
                           _mm256_slli_epi32(b, 16));
}

static INLINE vf f_of_byte(vi v, int k)
{
    v = _mm256_slli_epi32(v, 24 - 8 * k);
    return f_of_i(_mm256_srai_epi32(v, 24));
}

static INLINE vi i_halves(int a, int b, const int16_t *half_sums)
{
    int32_t both;
    memcpy(&both, half_sums, 4);
    return _mm256_madd_epi16(
        _mm256_set1_epi32((int32_t)((uint32_t)b << 16 | (a & 0xffff))),
        _mm256_set1_epi32(both));
}

static INLINE vi two_rows(const uint8_t *p, size_t stride)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const void *)p)),
        _mm_loadu_si128((const void *)(p + 4 * stride)), 1);
}

static INLINE void i_load_columns(const uint8_t *p, size_t stride, vi out[4])
{
    vi a = two_rows(p, stride);
    vi b = two_rows(p + stride, stride);
    vi c = two_rows(p + 2 * stride, stride);
    vi d = two_rows(p + 3 * stride, stride);
    vi ab_low = _mm256_unpacklo_epi32(a, b);
    vi ab_high = _mm256_unpackhi_epi32(a, b);
    vi cd_low = _mm256_unpacklo_epi32(c, d);
    vi cd_high = _mm256_unpackhi_epi32(c, d);
    out[0] = _mm256_unpacklo_epi64(ab_low, cd_low);
    out[1] = _mm256_unpackhi_epi64(ab_low, cd_low);
    out[2] = _mm256_unpacklo_epi64(ab_high, cd_high);
    out[3] = _mm256_unpackhi_epi64(ab_high, cd_high);
}

static INLINE vi four_codes(const int8_t *x)
{
    int32_t word;
    memcpy(&word, x, 4);
    return _mm256_set1_epi32(word);
}

// v, in a register and unknown to the compiler.
static INLINE vi i_hidden(vi v)
{
    __asm__("" : "+x"(v));
    return v;
}

#ifndef OWN_PRODUCTS
// sum + the products of four codes in each lane, 0..255 and -128..127, while
// no two of them leave 16 bits.
static INLINE vi i_dot_four(vi sum, vi w, vi x)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(
        _mm256_maddubs_epi16(w, x), _mm256_set1_epi16(1)));
}

// Pairs of products are added in 16 bits where there is room: of codes up to
// 31 a pair reaches 2 * 31 * 127 = 7874, and four of those 31496. Then they
// are widened to 32 bits. Smaller codes would leave room for more than four,
// but then the sums wait for one another longer.
static INLINE void dot_unsigned(const vi *const *w, int n_p, int n_w,
                                int most, const int8_t *x, int n_x, vi *isum)
{
    int room = most <= 31 ? 4 : 2;          // of pairs; most is 63 at most
    vi pairs[PANELS * TILE_X];
    UNROLL for (int k = 0; k < n_w; k++)
        UNROLL for (int o = 0; o < n_p * n_x; o++) {
            vi pair = _mm256_maddubs_epi16(
                w[o / n_x][k], four_codes(x + 32 * (o % n_x) + 4 * k));
            pairs[o] = k % room == 0 ? pair
                     : _mm256_add_epi16(pairs[o], pair);
            if (k % room == room - 1)
                isum[o] = _mm256_add_epi32(isum[o], _mm256_madd_epi16(
                    pairs[o], _mm256_set1_epi16(1)));
        }
}

static INLINE vi i_signed_codes(vi v) { return v; }

// The instruction wants unsigned codes on one side: |w|, and x with w's sign.
// 2 * 128 * 127 = 32512 fits in 16 bits, two of them do not.
static INLINE void dot_signed(const vi *const *w, int n_p, const int8_t *x,
                              int n_x, const int16_t *half_sums, vi *isum)
{
    (void)half_sums;
    UNROLL for (int o = 0; o < n_p * n_x; o++)
        isum[o] = _mm256_setzero_si256();
    UNROLL for (int k = 0; k < 8; k++)
        UNROLL for (int o = 0; o < n_p * n_x; o++) {
            vi code = w[o / n_x][k];
            vi signed_x = _mm256_sign_epi8(
                four_codes(x + 32 * (o % n_x) + 4 * k), code);
            isum[o] = _mm256_add_epi32(
                isum[o], _mm256_madd_epi16(
                    _mm256_maddubs_epi16(_mm256_abs_epi8(code), signed_x),
                    _mm256_set1_epi16(1)));
        }
}
#endif
