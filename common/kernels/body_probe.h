// What the arithmetic of an instruction set allows: its multiply-adds on
// numbers that stay in registers. Nothing is loaded, nothing is waited for.

// @begin probe-spin
// So many sums that each is ready again when its turn comes: a multiply-add
// takes four or five cycles and two begin in each, on most processors.
enum { PROBE_SUMS = 12 };

// What every code is, so that results can be compared.
enum { PROBE_W = 5, PROBE_X = 3 };

static double spin_q8(int rounds, uint32_t *result)
{
    uint8_t codes[4 * LANES];
    uint32_t lane[LANES];
    vi sum[PROBE_SUMS];
    memset(codes, PROBE_W, sizeof codes);
    vi w = i_load(codes);
    memset(codes, PROBE_X, sizeof codes);
    vi x = i_load(codes);
    UNROLL for (int j = 0; j < PROBE_SUMS; j++)
        sum[j] = i_zero();
    for (int i = 0; i < rounds; i++)
        UNROLL for (int j = 0; j < PROBE_SUMS; j++) {
            // A compiler that knew it to be the same would multiply once;
            // and it would move sums from one register to another.
            w = i_hidden(w);
            sum[j] = i_hidden(i_dot_four(sum[j], w, x));
        }
    *result = 0;
    for (int j = 0; j < PROBE_SUMS; j++) {
        i_store(lane, sum[j]);
        *result += lane[0];
    }
    return (double)rounds * PROBE_SUMS * 4 * LANES;
}
// @end probe-spin

// @begin probe-spin-f32
static double spin_f32(int rounds, float *result)
{
    float lane[LANES];
    vf sum[PROBE_SUMS], half = f_set1(0.5f);
    UNROLL for (int j = 0; j < PROBE_SUMS; j++)
        sum[j] = f_set1((float)j);
    for (int i = 0; i < rounds; i++)        // towards 1 from all of them
        UNROLL for (int j = 0; j < PROBE_SUMS; j++)
            sum[j] = f_fma(sum[j], half, half);
    *result = 0.0f;
    for (int j = 0; j < PROBE_SUMS; j++) {
        f_store(lane, sum[j]);
        *result += lane[0];
    }
    return (double)rounds * PROBE_SUMS * LANES;
}
// @end probe-spin-f32
