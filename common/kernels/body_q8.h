// Quantized products: a row of the weight in each lane.

// @begin q8-quantize
static void quantize(const activations *x, int t)
{
    const float *row = x->values + (size_t)t * (size_t)x->n_columns;
    for (int b = 0; b < x->n_columns / QUANT_BLOCK; b++) {
        const float *from = row + b * QUANT_BLOCK;
        size_t block = activations_block(x, t, b);
        vf largest = f_abs(f_load(from));
        UNROLL for (int i = LANES; i < QUANT_BLOCK; i += LANES)
            largest = f_max(largest, f_abs(f_load(from + i)));

        float scale = f_largest(largest) / 127.0f;
        if (scale <= QUANT_TINY)
            scale = 0.0f;
        vf inverse = f_set1(scale != 0.0f ? 1.0f / scale : 0.0f);
        vf shift = f_set1(0x1.8p23f);
        float rounded[QUANT_BLOCK], half[2] = {0.0f, 0.0f};
        UNROLL for (int i = 0; i < QUANT_BLOCK; i += LANES) {
            vf code = f_add(f_mul(f_load(from + i), inverse), shift);
            f_store_low_bytes(x->codes + block * QUANT_BLOCK + (size_t)i,
                              code);
            f_store(rounded + i, f_sub(code, shift));
        }
        // Whole numbers below 2^24: float adds them exactly.
        UNROLL for (int i = 0; i < QUANT_BLOCK; i++)
            half[i / 16] += rounded[i];
        if (isnan(half[0] + half[1])) { // NaN, or infinity times 1 / infinity
            activations_block_nan(x, block);
            continue;
        }
        x->scales[block] = scale;
        x->sums[block] = scale * (half[0] + half[1]);
        x->half_sums[2 * block] = (int16_t)half[0];
        x->half_sums[2 * block + 1] = (int16_t)half[1];
    }
}
// @end q8-quantize

// @begin q8-dot-run
// factor * the sum of a run's activation codes, in each lane: what the
// offset comes to.
static INLINE vi run_sums(dtype type, int run, int factor,
                          const int16_t *half_sums)
{
    int both = layouts[type].runs == 1;
    return i_halves(both || run == 0 ? factor : 0,
                    both || run == 1 ? factor : 0, half_sums);
}

// isum[t], a row of the weight in each lane: the products of run `run` with
// row t of x, of which `code` is the block's first row.
static INLINE void dot_run(dtype type, const lane_block *w, int run,
                           const int8_t *code, const int16_t *half_sums,
                           int n_x, vi *isum)
{
    int n_w = 8 / layouts[type].runs;
    if (type == DTYPE_Q8_0) {
        dot_signed(w->code, code, n_x, half_sums, isum);
        return;
    }
    UNROLL for (int t = 0; t < n_x; t++)
        isum[t] = layouts[type].offset == 0 ? i_zero()
                : run_sums(type, run, -layouts[type].offset,
                           half_sums + 2 * t);
    dot_unsigned(w->code + n_w * run, n_w, layouts[type].most,
                 code + 16 * run, n_x, isum);
}
// @end q8-dot-run

// @begin q8-multiply
// The block against n_x rows of a bundle of x, beginning with block `at`.
// The same operations as in add_run() of kernels.c, a row in each lane.
static INLINE void multiply(dtype type, const lane_block *w,
                            const activations *x, size_t at, int n_x, vf *sum)
{
    const int16_t *half = x->half_sums + 2 * at;
    vi isum[TILE_X];
    UNROLL for (int run = 0; run < layouts[type].runs; run++) {
        dot_run(type, w, run, x->codes + at * QUANT_BLOCK, half, n_x, isum);
        UNROLL for (int t = 0; t < n_x; t++) {
            vf scale = f_set1(x->scales[at + (size_t)t]);
            sum[t] = f_fma(f_mul(w->scale[run], scale), f_of_i(isum[t]),
                           sum[t]);
            if (!layouts[type].has_minimum)
                continue;
            vf s = layouts[type].runs == 1 ? f_set1(x->sums[at + (size_t)t])
                 : f_mul(scale, f_of_i(run_sums(type, run, 1, half + 2 * t)));
            sum[t] = f_fma(w->minimum[run], s, sum[t]);
        }
    }
}
// @end q8-multiply

// @begin q8-lane-rows
// LANES rows of a weight: the first one, and how far apart they are.
typedef struct {
    const uint8_t *rows;
    size_t row_bytes;
} lane_rows;

// Ask for n bytes of each of LANES rows, in the order in which they lie,
// which is not the order in which blocks are used.
static INLINE const uint8_t *ask_for(const uint8_t *ahead, size_t n)
{
    for (size_t i = 0; i < LANES * n; i += 64)
        __builtin_prefetch(ahead + i);
    return ahead + LANES * n;
}
// @end q8-lane-rows

// @begin q8-stream
// A few rows of x, as when one token is decoded: what counts is reading the
// weight, so each block goes from memory to the sums and is forgotten.
static INLINE void stream(dtype type, const kernel_tile *tile,
                          const lane_rows *from, float *out, int n_x)
{
    int n_blocks = tile->n_inputs / QUANT_BLOCK;
    size_t bytes = (size_t)layouts[type].bytes;
    const uint8_t *block = from->rows;
    const uint8_t *ahead = block + LANES * from->row_bytes;     // the next
    vf sum[4];
    UNROLL for (int t = 0; t < n_x; t++)
        sum[t] = f_set1(0.0f);
    for (int b = 0; b < n_blocks; b++, block += bytes) {
        lane_block w;
        ahead = ask_for(ahead, bytes);
        unpack(type, block, from->row_bytes, &w);
        multiply(type, &w, tile->x, (size_t)(b * n_x), n_x, sum);
    }
    UNROLL for (int t = 0; t < n_x; t++)
        f_store(out + (size_t)t * tile->out_stride, sum[t]);
}
// @end q8-stream

// @begin q8-panel
// Many rows of x: the rows of the weight are unpacked once and stay in the
// cache, as lane_blocks one after another, while all rows of x pass by. A
// super-block is unpacked so for few rows, too: eight blocks at a time.
typedef struct {
    const lane_block *blocks;
    int first, n;               // of the row's blocks of 32
} lane_panel;

// n_x rows of a bundle at once: each block is loaded once for all of them,
// and the sums stay in registers from the first block to the last.
static INLINE void multiply_panel(dtype type, const kernel_tile *tile,
                                  const lane_panel *panel, float *out,
                                  int first_x, int n_x)
{
    size_t step = (size_t)activations_bundle(tile->x, first_x);
    size_t at = activations_block(tile->x, first_x, panel->first);
    vf sum[TILE_X];
    out += (size_t)first_x * tile->out_stride;
    UNROLL for (int t = 0; t < n_x; t++)
        sum[t] = panel->first == 0 ? f_set1(0.0f)
               : f_load(out + (size_t)t * tile->out_stride);
    for (int b = 0; b < panel->n; b++) {
        multiply(type, &panel->blocks[b], tile->x, at, n_x, sum);
        at += step;
    }
    UNROLL for (int t = 0; t < n_x; t++)
        f_store(out + (size_t)t * tile->out_stride, sum[t]);
}
// @end q8-panel

// @begin q8-panels
static INLINE void multiply_panels(dtype type, const kernel_tile *tile,
                                   const lane_rows *from, float *out)
{
    int n_blocks = tile->n_inputs / QUANT_BLOCK, n_x = tile->x->n_rows;
    int step = layouts[type].blocks;
    lane_block *blocks = tile->scratch;
    size_t bytes = (size_t)layouts[type].bytes;
    const uint8_t *block = from->rows;
    const uint8_t *ahead = block + LANES * from->row_bytes;
    lane_panel panel = {blocks, 0, n_x <= 4 ? step : n_blocks};
    for (; panel.first < n_blocks; panel.first += panel.n) {
        for (int b = 0; b < panel.n; b += step, block += bytes) {
            ahead = ask_for(ahead, bytes);
            unpack(type, block, from->row_bytes, blocks + b);
        }
        int t = 0;
        for (; t + TILE_X <= n_x; t += TILE_X)
            multiply_panel(type, tile, &panel, out, t, TILE_X);
        for (; t + 2 <= n_x; t += 2)
            multiply_panel(type, tile, &panel, out, t, 2);
        if (t < n_x)
            multiply_panel(type, tile, &panel, out, t, 1);
    }
}
// @end q8-panels

// @begin q8-rows
// LANES rows of the weight against all rows of x.
static INLINE void multiply_rows(dtype type, const kernel_tile *tile, int r)
{
    float *out = tile->out + r;
    lane_rows from = {
        (const uint8_t *)tile->weight
            + (size_t)(tile->first_row + r) * tile->row_bytes,
        tile->row_bytes
    };
    if (layouts[type].blocks > 1) {
        multiply_panels(type, tile, &from, out);
        return;
    }
    switch (tile->x->n_rows) {
    case 1: stream(type, tile, &from, out, 1); break;
    case 2: stream(type, tile, &from, out, 2); break;
    case 3: stream(type, tile, &from, out, 3); break;
    case 4: stream(type, tile, &from, out, 4); break;
    default: multiply_panels(type, tile, &from, out);
    }
}
// @end q8-rows

// @begin q8-rows-2
// The same for each type, as functions of their own: compilers take long for
// one that holds them all.
#define ROWS_OF(type) \
    static __attribute__((noinline)) void rows_of_##type( \
        const kernel_tile *tile, int r) \
    { \
        multiply_rows(DTYPE_##type, tile, r); \
    }
ROWS_OF(Q8_0) ROWS_OF(Q4_0) ROWS_OF(Q4_1) ROWS_OF(Q5_0) ROWS_OF(Q5_1)
ROWS_OF(Q2_K) ROWS_OF(Q3_K) ROWS_OF(Q4_K) ROWS_OF(Q5_K) ROWS_OF(Q6_K)

static void (*const rows_of[DTYPE_COUNT])(const kernel_tile *, int) = {
    [DTYPE_Q8_0] = rows_of_Q8_0, [DTYPE_Q4_0] = rows_of_Q4_0,
    [DTYPE_Q4_1] = rows_of_Q4_1, [DTYPE_Q5_0] = rows_of_Q5_0,
    [DTYPE_Q5_1] = rows_of_Q5_1, [DTYPE_Q2_K] = rows_of_Q2_K,
    [DTYPE_Q3_K] = rows_of_Q3_K, [DTYPE_Q4_K] = rows_of_Q4_K,
    [DTYPE_Q5_K] = rows_of_Q5_K, [DTYPE_Q6_K] = rows_of_Q6_K
};
// @end q8-rows-2

// @begin q8-tile
static void tile_f32(const kernel_tile *tile);

static void tile_q8(const kernel_tile *tile)
{
    if (rows_of[tile->type] == NULL) {      // no blocks
        tile_f32(tile);
        return;
    }
    int r = 0;
    for (; r + LANES <= tile->n_rows; r += LANES)
        rows_of[tile->type](tile, r);
    if (r == tile->n_rows)
        return;
    // Fewer rows than lanes are left: the taught text gives the same bits.
    kernel_tile rest = *tile;
    rest.first_row += r;
    rest.n_rows -= r;
    rest.out += r;
    kernels_scalar.tile_q8(&rest);
}
// @end q8-tile
