// The primitives of body.h for AVX2 with AVX-VNNI: those of AVX2 with other
// products. With AVX-512 VL and VNNI in place of AVX-VNNI the same text makes
// the same instruction in another encoding: the tests run that.

#define OWN_PRODUCTS
#include "common/kernels/simd_avx2.h"

// One instruction multiplies 32 pairs and adds them by fours. Two names for
// it, of which compilers know the one that their flags allow.
static INLINE vi i_dot_four(vi sum, vi codes, vi x)
{
#ifdef __AVXVNNI__
    return _mm256_dpbusd_avx_epi32(sum, codes, x);
#else
    return _mm256_dpbusd_epi32(sum, codes, x);
#endif
}

static INLINE void dot_unsigned(const vi *const *w, int n_p, int n_w,
                                int most, const int8_t *x, int n_x, vi *isum)
{
    (void)most;
    UNROLL for (int k = 0; k < n_w; k++)
        UNROLL for (int o = 0; o < n_p * n_x; o++)
            isum[o] = i_dot_four(isum[o], w[o / n_x][k],
                                 four_codes(x + 32 * (o % n_x) + 4 * k));
}

// It wants unsigned codes on one side: those of Q8_0 are kept as code + 128,
// and 128 * sum(x) is taken off again.
static INLINE vi i_signed_codes(vi v)
{
    return _mm256_xor_si256(v, _mm256_set1_epi8((char)0x80));
}

static INLINE void dot_signed(const vi *const *w, int n_p, const int8_t *x,
                              int n_x, const int16_t *half_sums, vi *isum)
{
    UNROLL for (int o = 0; o < n_p * n_x; o++)
        isum[o] = i_halves(-128, -128, half_sums + 2 * (o % n_x));
    dot_unsigned(w, n_p, 8, 255, x, n_x, isum);
}
