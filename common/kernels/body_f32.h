// Float products: the sixteen sums of one output in PARTS vectors.

// @begin f32-decode-row
// A row of the weight as floats: in place where it is stored so, otherwise
// decoded into `to`.
static INLINE const float *row_as_floats(dtype type, const void *row, int n,
                                         float *to)
{
    const uint8_t *bytes = row;
    int i = 0;
    if (type == DTYPE_F32)
        return row;
    if (type == DTYPE_Q8_0) {
        for (; i < n; i += QUANT_BLOCK, bytes += sizeof(q8_0_block)) {
            vf scale = f_set1_f16(bytes);
            UNROLL for (int k = 0; k < QUANT_BLOCK; k += LANES)
                f_store(to + i + k, f_mul(scale, f_load_codes(bytes + 2
                                                              + k)));
        }
        return to;
    }
    if (quant_is_blocked(type)) {
        (void)quant_decode(type, row, to, (size_t)n, NULL);
        return to;
    }
    // Two loops, or the compiler converts both ways and picks one.
    for (; type == DTYPE_F16 && i + LANES <= n; i += LANES)
        f_store(to + i, f_load_f16(bytes + 2 * i));
    for (; type == DTYPE_BF16 && i + LANES <= n; i += LANES)
        f_store(to + i, f_load_bf16(bytes + 2 * i));
    if (i < n)
        (void)quant_decode(type, bytes + 2 * i, to + i, (size_t)(n - i),
                           NULL);
    return to;
}
// @end f32-decode-row

// @begin f32-tile
// n_w rows of the weight against n_x rows of x: every load of either serves
// several products. sum[w * n_x + t] are the sixteen sums of one output.
static INLINE void multiply_floats(const float *const *w, int n_w,
                                   const float *x, size_t x_stride, int n_x,
                                   int n, vf *result)
{
    vf sum[F32_ROWS * F32_X][PARTS], b[F32_X];
    UNROLL for (int o = 0; o < n_w * n_x; o++)
        UNROLL for (int p = 0; p < PARTS; p++)
            sum[o][p] = f_set1(0.0f);
    int i = 0;
    for (; i + 16 <= n; i += 16)
        UNROLL for (int p = 0; p < PARTS; p++) {
            UNROLL for (int t = 0; t < n_x; t++)
                b[t] = f_load(x + (size_t)t * x_stride + i + p * LANES);
            UNROLL for (int r = 0; r < n_w; r++) {
                vf a = f_load(w[r] + i + p * LANES);
                UNROLL for (int t = 0; t < n_x; t++)
                    sum[r * n_x + t][p] = f_fma(a, b[t],
                                                sum[r * n_x + t][p]);
            }
        }
    // @end f32-tile
    // @begin f32-tile-2
    UNROLL for (int p = 0; p < PARTS; p++) {
        int left = n - i - p * LANES < LANES ? n - i - p * LANES : LANES;
        if (left <= 0)
            continue;
        UNROLL for (int o = 0; o < n_w * n_x; o++)
            sum[o][p] = f_fma_first(
                f_load_first(w[o / n_x] + i + p * LANES, left),
                f_load_first(x + (size_t)(o % n_x) * x_stride + i
                             + p * LANES, left), sum[o][p], left);
    }
    UNROLL for (int o = 0; o < n_w * n_x; o++) {
        // (j, j + 8) and then (j, j + 4), down to one vector.
        UNROLL for (int width = PARTS / 2; width > 0; width /= 2)
            UNROLL for (int p = 0; p < width; p++)
                sum[o][p] = f_add(sum[o][p], sum[o][p + width]);
        result[o] = sum[o][0];
    }
}
// @end f32-tile-2

// @begin f32-outputs
static INLINE void float_tile(const kernel_tile *tile,
                              const float *const *w, row_group rows,
                              int first_x, int n_x)
{
    size_t n = (size_t)tile->n_inputs;
    vf sum[16];
    float value[16];
    multiply_floats(w, F32_ROWS, tile->x->values + (size_t)first_x * n, n,
                    n_x, tile->n_inputs, sum);
    UNROLL for (int o = F32_ROWS * n_x; o < 16; o++)
        sum[o] = f_set1(0.0f);
    UNROLL for (int i = 0; i < 16; i += LANES)
        f_store(value + i, f_sum_lanes(sum + i));
    for (int r = 0; r < F32_ROWS; r++)
        for (int t = 0; t < n_x; t++)
            tile->out[(size_t)(first_x + t) * tile->out_stride
                      + (size_t)(rows.first + r * rows.apart)] =
                value[r * n_x + t];
}
// @end f32-outputs

// @begin f32-outputs-2
// Against many rows of x, so many groups of F32_ROWS rows go together as the
// scratch holds: rows of x that come from far away then serve them all.
enum {
    F32_GROUPS = SCRATCH_BLOCK_BYTES
                 / (F32_ROWS * QUANT_BLOCK * (int)sizeof(float))
};

typedef struct {
    row_group rows;
    const float *w[F32_ROWS];
} float_group;

// Group i of the tile, decoded into `to` where it is not stored as floats.
static float_group open_group(const kernel_tile *tile, int i, float *to)
{
    float_group g = {.rows = rows_of_group(tile, i, F32_ROWS)};
    for (int r = 0; r < F32_ROWS; r++) {
        int row = tile->first_row + g.rows.first + r * g.rows.apart;
        g.w[r] = row_as_floats(tile->type,
                               (const uint8_t *)tile->weight
                                   + (size_t)row * tile->row_bytes,
                               tile->n_inputs,
                               to + (size_t)(r * tile->n_inputs));
    }
    return g;
}
// @end f32-outputs-2

// @begin f32-groups
// n groups, the first of which is i.
static void float_groups(const kernel_tile *tile, int i, int n)
{
    float_group group[F32_GROUPS];
    float *decoded = tile->scratch;
    int t = 0, n_x = tile->x->n_rows;
    for (int g = 0; g < n; g++)
        group[g] = open_group(tile, i + g, decoded + (size_t)(
                                  g * F32_ROWS * tile->n_inputs));
    for (; t + F32_X <= n_x; t += F32_X)
        for (int g = 0; g < n; g++)
            float_tile(tile, group[g].w, group[g].rows, t, F32_X);
    for (; t < n_x; t++)
        for (int g = 0; g < n; g++)
            float_tile(tile, group[g].w, group[g].rows, t, 1);
}

static void tile_f32(const kernel_tile *tile)
{
    int i = tile->first_panel * (KERNEL_PANEL / F32_ROWS);
    int end = groups_end(tile, F32_ROWS);
    int most = tile->x->n_rows > FEW_ROWS ? F32_GROUPS : 1;
    for (int n = most; i < end; i += n) {
        n = end - i < most ? end - i : most;
        float_groups(tile, i, n);
    }
    kernel_tile rest;
    if (tile_of_rest(tile, &rest))
        kernels_scalar.tile_f32(&rest);
}
// @end f32-groups
