// Quantized products: a row of the weight in each lane.

// @begin q8-quantize
// Codes of sixteen numbers; their sum.
static INLINE float quantize_half(const float *from, vf inverse,
                                  int8_t *codes)
{
    vf shift = f_set1(0x1.8p23f), sum = f_set1(0.0f);
    UNROLL for (int i = 0; i < 16; i += LANES) {
        vf code = f_add(f_mul(f_load(from + i), inverse), shift);
        f_store_low_bytes(codes + i, code);
        sum = f_add(sum, f_sub(code, shift));
    }
    return f_total(sum);        // of whole numbers: exact in any order
}
// @end q8-quantize

// @begin q8-quantize-2
static void quantize(const activations *x, int t)
{
    const float *row = x->values + (size_t)t * (size_t)x->n_columns;
    size_t step = (size_t)activations_bundle(x, t);
    size_t block = activations_block(x, t, 0);
    for (int b = 0; b < x->n_columns / QUANT_BLOCK; b++, block += step) {
        const float *from = row + b * QUANT_BLOCK;
        vf largest = f_abs(f_load(from));
        UNROLL for (int i = LANES; i < QUANT_BLOCK; i += LANES)
            largest = f_max(largest, f_abs(f_load(from + i)));

        float scale = f_largest(largest) / 127.0f;
        if (scale <= QUANT_TINY)
            scale = 0.0f;
        vf inverse = f_set1(scale != 0.0f ? 1.0f / scale : 0.0f);
        float half[2];
        UNROLL for (int k = 0; k < 2; k++)
            half[k] = quantize_half(from + 16 * k, inverse,
                                    x->codes + block * QUANT_BLOCK + 16 * k);
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
// @end q8-quantize-2

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

// isum[p * n_x + t], a row of panel p in each lane: the products of run `run`
// with row t of x, of which `code` is the block's first row.
static INLINE void dot_run(dtype type, const lane_block *const *w, int n_p,
                           int run, const int8_t *code,
                           const int16_t *half_sums, int n_x, vi *isum)
{
    int n_w = 8 / layouts[type].runs;
    const vi *codes[PANELS];
    UNROLL for (int p = 0; p < n_p; p++)
        codes[p] = w[p]->code + n_w * run;
    if (type == DTYPE_Q8_0) {
        dot_signed(codes, n_p, code, n_x, half_sums, isum);
        return;
    }
    UNROLL for (int t = 0; t < n_x; t++) {
        vi start = layouts[type].offset == 0 ? i_zero()
                 : run_sums(type, run, -layouts[type].offset,
                            half_sums + 2 * t);
        UNROLL for (int p = 0; p < n_p; p++)
            isum[p * n_x + t] = start;
    }
    dot_unsigned(codes, n_p, n_w, layouts[type].most, code + 16 * run, n_x,
                 isum);
}
// @end q8-dot-run

// @begin q8-multiply
// A block of n_p panels of LANES rows against n_x rows of a bundle of x,
// beginning with block `at`: sum[p * n_x + t] is that of panel p and row t.
// The same operations as in add_run() of kernels.c, a row in each lane.
static INLINE void multiply(dtype type, const lane_block *const *w, int n_p,
                            const activations *x, size_t at, int n_x, vf *sum)
{
    const int16_t *half = x->half_sums + 2 * at;
    vi isum[PANELS * TILE_X];
    UNROLL for (int run = 0; run < layouts[type].runs; run++) {
        dot_run(type, w, n_p, run, x->codes + at * QUANT_BLOCK, half, n_x,
                isum);
        UNROLL for (int o = 0; o < n_p * n_x; o++) {
            const lane_block *block = w[o / n_x];
            int t = o % n_x;
            vf scale = f_set1(x->scales[at + (size_t)t]);
            sum[o] = f_fma(f_mul(block->scale[run], scale), f_of_i(isum[o]),
                           sum[o]);
            if (!layouts[type].has_minimum)
                continue;
            vf s = layouts[type].runs == 1 ? f_set1(x->sums[at + (size_t)t])
                 : f_mul(scale, f_of_i(run_sums(type, run, 1, half + 2 * t)));
            sum[o] = f_fma(block->minimum[run], s, sum[o]);
        }
    }
}
// @end q8-multiply

// @begin q8-lane-rows
// LANES rows of a weight: where they begin, how far apart they are, and
// where what becomes of them goes.
typedef struct {
    const uint8_t *rows;
    size_t stride;              // bytes from a lane's row to the next lane's
    float *out;
    int apart;                  // numbers
} lane_rows;

// The outputs of row t of x.
static INLINE void store_lanes(const kernel_tile *tile, const lane_rows *to,
                               int t, vf v)
{
    float *out = to->out + (size_t)t * tile->out_stride, lane[LANES];
    if (to->apart == 1) {
        f_store(out, v);
        return;
    }
    f_store(lane, v);
    UNROLL for (int i = 0; i < LANES; i++)
        out[i * to->apart] = lane[i];
}
// @end q8-lane-rows

// @begin q8-stream
// A few rows of x, as when one token is decoded: what counts is reading the
// weight, so each block goes from memory to the sums and is forgotten. A
// super-block is eight, which wait for their turn in the scratch.
static INLINE void stream(dtype type, const kernel_tile *tile,
                          const lane_rows *from, int n_x)
{
    int n_blocks = tile->n_inputs / QUANT_BLOCK, step = layouts[type].blocks;
    const uint8_t *block = from->rows;
    lane_block one, *w = step == 1 ? &one : tile->scratch;
    vf sum[4];
    UNROLL for (int t = 0; t < n_x; t++)
        sum[t] = f_set1(0.0f);
    for (int b = 0; b < n_blocks; b += step, block += layouts[type].bytes) {
        unpack(type, block, from->stride, w);
        for (int k = 0; k < step; k++) {
            const lane_block *const panels[] = {&w[k]};
            multiply(type, panels, 1, tile->x, (size_t)((b + k) * n_x), n_x,
                     sum);
        }
    }
    UNROLL for (int t = 0; t < n_x; t++)
        store_lanes(tile, from, t, sum[t]);
}
// @end q8-stream

// @begin q8-panel
// Many rows of x: the rows of the weight are unpacked once and stay in the
// cache, as lane_blocks one after another, while all rows of x pass by: n_x
// rows of a bundle at once. Each block is loaded once for all of them, and
// each code of x once for all panels; the sums stay in registers from the
// first block to the last.
static INLINE void multiply_panel(dtype type, const kernel_tile *tile,
                                  const lane_rows *from, int first_x,
                                  int n_x)
{
    const lane_block *w[PANELS];
    int n_blocks = tile->n_inputs / QUANT_BLOCK;
    size_t step = (size_t)activations_bundle(tile->x, first_x);
    size_t at = activations_block(tile->x, first_x, 0);
    vf sum[PANELS * TILE_X];
    UNROLL for (int p = 0; p < PANELS; p++)
        w[p] = (const lane_block *)tile->scratch + p * n_blocks;
    UNROLL for (int o = 0; o < PANELS * n_x; o++)
        sum[o] = f_set1(0.0f);
    for (int b = 0; b < n_blocks; b++, at += step) {
        multiply(type, w, PANELS, tile->x, at, n_x, sum);
        UNROLL for (int p = 0; p < PANELS; p++)
            w[p]++;
    }
    UNROLL for (int o = 0; o < PANELS * n_x; o++)
        store_lanes(tile, &from[o / n_x], first_x + o % n_x, sum[o]);
}
// @end q8-panel

// @begin q8-panels
// Ask for n bytes of each of LANES neighbours, in the order in which they
// lie, which is not the order in which blocks are used. They may lie behind
// the weight, where an address may point and a pointer may not.
static INLINE uintptr_t ask_for(uintptr_t ahead, size_t n)
{
    for (size_t i = 0; i < LANES * n; i += 64)
        __builtin_prefetch((const void *)(ahead + i));
    return ahead + LANES * n;
}

static INLINE void multiply_panels(dtype type, const kernel_tile *tile,
                                   const lane_rows *from)
{
    int n_blocks = tile->n_inputs / QUANT_BLOCK, n_x = tile->x->n_rows;
    int step = layouts[type].blocks, t = 0;
    int tile_x = layouts[type].runs == 1 ? TILE_X : TILE_X_RUNS;
    lane_block *blocks = tile->scratch;
    size_t bytes = (size_t)layouts[type].bytes, offset = 0;
    uintptr_t ahead = (uintptr_t)from[PANELS - 1].rows
                      + LANES * tile->row_bytes;
    for (int b = 0; b < n_blocks; b += step, offset += bytes)
        for (int p = 0; p < PANELS; p++) {
            if (from->apart == 1)
                ahead = ask_for(ahead, bytes);
            unpack(type, from[p].rows + offset, from[p].stride,
                   blocks + p * n_blocks + b);
        }
    for (; t + tile_x <= n_x; t += tile_x)
        multiply_panel(type, tile, from, t, tile_x);
    for (; t + 2 <= n_x; t += 2)
        multiply_panel(type, tile, from, t, 2);
    if (t < n_x)
        multiply_panel(type, tile, from, t, 1);
}
// @end q8-panels

// @begin q8-rows
static lane_rows lane_rows_of(const kernel_tile *tile, row_group group)
{
    return (lane_rows){
        (const uint8_t *)tile->weight
            + (size_t)(tile->first_row + group.first) * tile->row_bytes,
        (size_t)group.apart * tile->row_bytes, tile->out + group.first,
        group.apart
    };
}

// The first n of PANELS times LANES rows of the weight against all rows of x.
static INLINE void multiply_rows(dtype type, const kernel_tile *tile,
                                 const lane_rows *from, int n)
{
    if (STREAM_X == 0 || tile->x->n_rows > STREAM_X) {
        multiply_panels(type, tile, from);
        return;
    }
    for (int p = 0; p < n; p++)
        switch (tile->x->n_rows) {
        case 1: stream(type, tile, &from[p], 1); break;
        case 2: stream(type, tile, &from[p], 2); break;
        case 3: stream(type, tile, &from[p], 3); break;
        default: stream(type, tile, &from[p], 4);
        }
}
// @end q8-rows

// @begin q8-rows-2
// The same for each type, as functions of their own: compilers take long for
// one that holds them all.
#define ROWS_OF(type) \
    static __attribute__((noinline)) void rows_of_##type( \
        const kernel_tile *tile, const lane_rows *from, int n) \
    { \
        multiply_rows(DTYPE_##type, tile, from, n); \
    }
ROWS_OF(Q8_0) ROWS_OF(Q4_0) ROWS_OF(Q4_1) ROWS_OF(Q5_0) ROWS_OF(Q5_1)
ROWS_OF(Q2_K) ROWS_OF(Q3_K) ROWS_OF(Q4_K) ROWS_OF(Q5_K) ROWS_OF(Q6_K)

static void (*const rows_of[DTYPE_COUNT])(const kernel_tile *,
                                          const lane_rows *, int) = {
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
    int i = tile->first_panel * (KERNEL_PANEL / LANES);
    int end = groups_end(tile, LANES);
    for (; i < end; i += PANELS) {
        lane_rows from[PANELS];
        int n = end - i < PANELS ? end - i : PANELS;
        // Where there are too few, many rows of x meet the last ones twice.
        for (int p = 0; p < PANELS; p++)
            from[p] = lane_rows_of(tile, rows_of_group(
                tile, p < n ? i + p : end - 1, LANES));
        rows_of[tile->type](tile, from, n);
    }
    kernel_tile rest;
    if (tile_of_rest(tile, &rest))
        kernels_scalar.tile_q8(&rest);
}
// @end q8-tile
