// The primitives of body.h for AVX-512 with AMX. A processor with AMX has
// tiles, registers of up to 16 rows of 64 bytes, and multiplies one by
// another: eight rows of x by a lane_block, both as they lie in memory.
// Blocks of two runs are multiplied as AVX-512 does it. Fewer rows of x, and
// all else, are left to the table of AVX-512: see amx.c.
//
// Compiled without AMX this is its twin in plain C, of the same shape.

#define dot_unsigned few_unsigned
#define dot_signed few_signed
#ifdef __AMX_INT8__
#include "common/kernels/simd_avx512.h"
#else
#define i_signed_codes plain_codes
#include "common/kernels/simd_portable.h"
#undef i_signed_codes
#endif
#undef dot_unsigned
#undef dot_signed

#define STREAM_X 0              // few rows of x never come here

// A bundle of x is a tile, and the two panels are two.
static_assert(TILE_X == ACTIVATIONS_BUNDLE && PANELS == 2, "tiles");
enum { TILE_SUMS = TILE_X * LANES };

extern const kernels KERNELS_OTHERS;
static void tile_q8(const kernel_tile *tile);
#define TILE_Q8 tile_q8_prepared
static void tile_q8_prepared(const kernel_tile *tile);

#ifdef __AMX_INT8__

// What the processor wants to know of each tile: 0 and 1 hold sums, 2 the
// codes of x, 3 and 4 those of the panels.
typedef struct {
    uint8_t palette, first_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

static const tile_shapes shapes = {
    1, 0, {0}, {64, 64, 32, 64, 64}, {TILE_X, TILE_X, TILE_X, 8, 8}
};
static INLINE void tiles_begin(void) { _tile_loadconfig(&shapes); }
// Or they are saved at each switch of threads.
static INLINE void tiles_end(void) { _tile_release(); }

// sums[p][t][r] = the 32 products of row t of x with row r of panel p.
static INLINE void tile_products(const vi *const *w, const int8_t *x,
                                 int32_t *sums)
{
    // Not every compiler knows that tiles are loaded from memory.
    __asm__ volatile("" ::: "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_loadd(2, x, QUANT_BLOCK);
    _tile_loadd(3, w[0], sizeof(vi));
    _tile_loadd(4, w[1], sizeof(vi));
    _tile_dpbsud(0, 2, 3);
    _tile_dpbsud(1, 2, 4);
    _tile_stored(0, sums, sizeof(vi));
    _tile_stored(1, sums + TILE_SUMS, sizeof(vi));
    __asm__ volatile("" ::: "memory");
}

static INLINE vi i_add(vi a, vi b) { return _mm512_add_epi32(a, b); }

#else

static INLINE void tiles_begin(void) {}
static INLINE void tiles_end(void) {}

static INLINE void tile_products(const vi *const *w, const int8_t *x,
                                 int32_t *sums)
{
    for (int p = 0; p < PANELS; p++)
        for (int t = 0; t < TILE_X; t++)
            for (int r = 0; r < LANES; r++, sums++) {
                *sums = 0;
                for (int i = 0; i < QUANT_BLOCK; i++)
                    *sums += x[t * QUANT_BLOCK + i]
                             * w[p][i / 4].byte[4 * r + i % 4];
            }
}

static INLINE vi i_signed_codes(vi v) { I_EACH(i, v.byte[i] ^ 0x80); }

static INLINE vi i_add(vi a, vi b)
{
    uint32_t sum[2][LANES];
    i_store(sum[0], a);
    i_store(sum[1], b);
    for (int i = 0; i < LANES; i++)
        sum[0][i] += sum[1][i];
    return i_load(sum[0]);
}

#endif

static INLINE void dot_unsigned(const vi *const *w, int n_p, int n_w,
                                int most, const int8_t *x, int n_x, vi *isum)
{
    if (n_x < TILE_X || n_w < QUANT_BLOCK / 4) {
        few_unsigned(w, n_p, n_w, most, x, n_x, isum);
        return;
    }
    int32_t sums[PANELS * TILE_SUMS];
    tile_products(w, x, sums);
    UNROLL for (int o = 0; o < PANELS * TILE_X; o++)
        isum[o] = i_add(isum[o], i_load(sums + o * LANES));
}

static INLINE void dot_signed(const vi *const *w, int n_p, const int8_t *x,
                              int n_x, const int16_t *half_sums, vi *isum)
{
    UNROLL for (int o = 0; o < n_p * n_x; o++)
        isum[o] = i_halves(-128, -128, half_sums + 2 * (o % n_x));
    dot_unsigned(w, n_p, 8, 255, x, n_x, isum);
}

static void tile_q8_prepared(const kernel_tile *tile)
{
    if (tile->x->n_rows < TILE_X) {
        KERNELS_OTHERS.tile_q8(tile);
        return;
    }
    tiles_begin();
    tile_q8(tile);
    tiles_end();
}
