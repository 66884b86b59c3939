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
        if (scale < 0x1p-120f)
            scale = 0.0f;
        vf inverse = f_set1(scale != 0.0f ? 1.0f / scale : 0.0f);
        vf shift = f_set1(0x1.8p23f), total = f_set1(0.0f);
        UNROLL for (int i = 0; i < QUANT_BLOCK; i += LANES) {
            vf code = f_add(f_mul(f_load(from + i), inverse), shift);
            f_store_low_bytes(x->codes + block * QUANT_BLOCK + (size_t)i,
                              code);
            // Whole numbers below 2^24: float adds them exactly.
            total = f_add(total, f_sub(code, shift));
        }
        float lane[LANES], sum = 0.0f;
        f_store(lane, total);
        UNROLL for (int i = 0; i < LANES; i++)
            sum += lane[i];
        if (isnan(sum)) {       // of NaN, or of infinity times 1 / infinity
            activations_block_nan(x, block);
            continue;
        }
        x->scales[block] = scale;
        x->code_sums[block] = (int32_t)sum;
        x->sums[block] = scale * sum;
    }
}
// @end q8-quantize

// @begin q8-lane-block
// One block of each of LANES rows. Lane r of code[k] holds codes 4k..4k+3 of
// row r, so that a product with four activation codes lands in lane r too:
// no sum over lanes is ever needed.
typedef struct {
    vi code[8];
    vf scale, minimum;
} lane_block;
static_assert(sizeof(lane_block) + LANES * 4 <= SCRATCH_BLOCK_BYTES,
              "a panel and its fields do not fit in the scratch");

// Where the blocks of LANES rows are, and the fields that stand between
// their codes: copied out first, because sixteen scales that lie a row apart
// can not be loaded as a vector. Q4_1 keeps scale and minimum side by side,
// four bytes that move as one.
typedef struct {
    const uint8_t *rows;            // the first row
    size_t row_bytes;
    uint8_t *fields;                // [n_blocks, LANES] of field_bytes()
} lane_rows;

static INLINE size_t block_bytes(dtype type)
{
    return type == DTYPE_Q8_0 ? sizeof(q8_0_block)
         : type == DTYPE_Q4_0 ? sizeof(q4_0_block) : sizeof(q4_1_block);
}
// @end q8-lane-block

// @begin q8-lane-block-2
static INLINE size_t field_bytes(dtype type)
{
    return type == DTYPE_Q4_1 ? 4 : 2;
}

static INLINE void read_fields(dtype type, const lane_rows *from,
                               int n_blocks)
{
    size_t n = field_bytes(type);
    for (size_t r = 0; r < LANES; r++) {
        const uint8_t *block = from->rows + r * from->row_bytes;
        uint8_t *field = from->fields + r * n;
        for (int b = 0; b < n_blocks; b++) {
            memcpy(field, block, n);
            block += block_bytes(type);
            field += LANES * n;
        }
    }
}
// @end q8-lane-block-2

// @begin q8-unpack
static INLINE lane_block unpack(dtype type, const lane_rows *from, int b)
{
    const uint8_t *block = from->rows + (size_t)b * block_bytes(type);
    size_t stride = from->row_bytes;
    lane_block w;
    if (type == DTYPE_Q8_0) {
        i_load_columns(block + 2, stride, w.code);
        i_load_columns(block + 18, stride, w.code + 4);
        UNROLL for (int k = 0; k < 8; k++)
            w.code[k] = i_signed_codes(w.code[k]);
    } else {
        vi column[4];
        i_load_columns(block + (type == DTYPE_Q4_1 ? 4 : 2), stride, column);
        UNROLL for (int k = 0; k < 4; k++) {
            w.code[k] = i_low_nibbles(column[k]);
            w.code[k + 4] = i_high_nibbles(column[k]);
        }
    }
    const uint8_t *fields = from->fields + (size_t)b * LANES
                                         * field_bytes(type);
    if (type == DTYPE_Q4_1)
        f_load_f16_pairs(fields, &w.scale, &w.minimum);
    else
        w.scale = w.minimum = f_load_f16(fields);
    return w;
}
// @end q8-unpack

// @begin q8-multiply
// The block against n_x rows of a bundle of x, beginning with block `at`.
// The same two operations as in dot_q8() of kernels.c, a row in each lane.
static INLINE void multiply(dtype type, const lane_block *w,
                            const activations *x, size_t at, int n_x, vf *sum)
{
    const int8_t *code = x->codes + at * QUANT_BLOCK;
    const int32_t *code_sum = x->code_sums + at;
    vi isum[TILE_X];
    if (type == DTYPE_Q8_0)
        dot_signed(w->code, code, n_x, code_sum, isum);
    else
        dot_nibbles(w->code, code, n_x, code_sum,
                    type == DTYPE_Q4_0 ? 8 : 0, isum);
    UNROLL for (int t = 0; t < n_x; t++) {
        vf scale = f_mul(w->scale, f_set1(x->scales[at + (size_t)t]));
        sum[t] = f_fma(scale, f_of_i(isum[t]), sum[t]);
        if (type == DTYPE_Q4_1)
            sum[t] = f_fma(w->minimum, f_set1(x->sums[at + (size_t)t]),
                           sum[t]);
    }
}
// @end q8-multiply

// @begin q8-stream
// A few rows of x, as when one token is decoded: what counts is reading the
// weight, so each block goes from memory to the sums and is forgotten.
static INLINE void stream(dtype type, const kernel_tile *tile,
                          const lane_rows *from, float *out, int n_x)
{
    int n_blocks = tile->n_inputs / QUANT_BLOCK;
    vf sum[4];
    UNROLL for (int t = 0; t < n_x; t++)
        sum[t] = f_set1(0.0f);
    // The next LANES rows follow these in memory: ask for them in the order
    // in which they lie, which is not the order in which blocks are used.
    const uint8_t *ahead = from->rows + LANES * from->row_bytes;
    for (int b = 0; b < n_blocks; b++) {
        for (size_t i = 0; i < LANES * block_bytes(type); i += 64)
            __builtin_prefetch(ahead + i);
        ahead += LANES * block_bytes(type);
        lane_block w = unpack(type, from, b);
        multiply(type, &w, tile->x, (size_t)(b * n_x), n_x, sum);
    }
    UNROLL for (int t = 0; t < n_x; t++)
        f_store(out + (size_t)t * tile->out_stride, sum[t]);
}
// @end q8-stream

// @begin q8-panel
// Many rows of x: the rows of the weight are unpacked once and stay in the
// cache, as lane_blocks one after another, while all rows of x pass by.
static INLINE void unpack_panel(dtype type, const lane_rows *from,
                                int n_blocks, lane_block *panel)
{
    for (int b = 0; b < n_blocks; b++)
        panel[b] = unpack(type, from, b);
}

// n_x rows of a bundle at once: each block is loaded once for all of them,
// and the sums stay in registers from the first block to the last.
static INLINE void multiply_panel(dtype type, const kernel_tile *tile,
                                  const lane_block *panel, float *out,
                                  int first_x, int n_x)
{
    int n_blocks = tile->n_inputs / QUANT_BLOCK;
    size_t at = activations_block(tile->x, first_x, 0);
    size_t step = (size_t)activations_bundle(tile->x, first_x);
    vf sum[TILE_X];
    UNROLL for (int t = 0; t < n_x; t++)
        sum[t] = f_set1(0.0f);
    for (int b = 0; b < n_blocks; b++) {
        lane_block w = panel[b];
        multiply(type, &w, tile->x, at, n_x, sum);
        at += step;
    }
    UNROLL for (int t = 0; t < n_x; t++)
        f_store(out + (size_t)(first_x + t) * tile->out_stride, sum[t]);
}
// @end q8-panel

// @begin q8-rows
// LANES rows of the weight against all rows of x.
static INLINE void multiply_rows(dtype type, const kernel_tile *tile, int r)
{
    int n_blocks = tile->n_inputs / QUANT_BLOCK, n_x = tile->x->n_rows;
    lane_block *panel = tile->scratch;
    float *out = tile->out + r;
    lane_rows from = {
        (const uint8_t *)tile->weight
            + (size_t)(tile->first_row + r) * tile->row_bytes,
        tile->row_bytes, (uint8_t *)(panel + n_blocks)
    };
    read_fields(type, &from, n_blocks);
    switch (n_x) {
    case 1: stream(type, tile, &from, out, 1); return;
    case 2: stream(type, tile, &from, out, 2); return;
    case 3: stream(type, tile, &from, out, 3); return;
    case 4: stream(type, tile, &from, out, 4); return;
    }
    unpack_panel(type, &from, n_blocks, panel);
    int t = 0;
    for (; t + TILE_X <= n_x; t += TILE_X)
        multiply_panel(type, tile, panel, out, t, TILE_X);
    for (; t + 2 <= n_x; t += 2)
        multiply_panel(type, tile, panel, out, t, 2);
    if (t < n_x)
        multiply_panel(type, tile, panel, out, t, 1);
}
// @end q8-rows

// @begin q8-rows-2
static void tile_f32(const kernel_tile *tile);

static void tile_q8(const kernel_tile *tile)
{
    int r = 0;
    for (; r + LANES <= tile->n_rows; r += LANES)
        switch (tile->type) {
        case DTYPE_Q4_0: multiply_rows(DTYPE_Q4_0, tile, r); break;
        case DTYPE_Q4_1: multiply_rows(DTYPE_Q4_1, tile, r); break;
        case DTYPE_Q8_0: multiply_rows(DTYPE_Q8_0, tile, r); break;
        default: tile_f32(tile); return;    // no other layout is known
        }
    if (r == tile->n_rows)
        return;
    // Fewer rows than lanes are left: the taught text gives the same bits.
    kernel_tile rest = *tile;
    rest.first_row += r;
    rest.n_rows -= r;
    rest.out += r;
    kernels_scalar.tile_q8(&rest);
}
// @end q8-rows-2
