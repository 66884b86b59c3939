// Blocks of LANES rows of a weight, turned on their side: what each type does
// between the file's bytes and the product.

// @begin unpack-lane-block
// One block of 32 of each of LANES rows. Lane r of code[k] holds codes
// 4k..4k+3 of row r, so that a product with four activation codes lands in
// lane r too: no sum over lanes is ever needed. Scale and minimum of each
// run, as in quant_open(); the codes are those of the file, 0 and up, and
// the offset is taken off after the product.
typedef struct {
    vi code[8];
    vf scale[2], minimum[2];
} lane_block;
static_assert(PANELS * sizeof(lane_block) <= SCRATCH_BLOCK_BYTES,
              "the panels do not fit in the scratch");

// What the compiler may know of a type: it folds this table away.
static const struct {
    int bytes;                  // of a block in the file
    int blocks;                 // of 32 in it
    int runs;                   // in a block of 32
    int has_minimum;
    int most;                   // the largest code
    int offset;                 // taken off each code
} layouts[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = {sizeof(q8_0_block), 1, 1, 0, 255, 0},   // with a sign
    [DTYPE_Q4_0] = {sizeof(q4_0_block), 1, 1, 0, 15, 8},
    [DTYPE_Q4_1] = {sizeof(q4_1_block), 1, 1, 1, 15, 0},
    [DTYPE_Q5_0] = {sizeof(q5_0_block), 1, 1, 0, 31, 16},
    [DTYPE_Q5_1] = {sizeof(q5_1_block), 1, 1, 1, 31, 0},
    [DTYPE_Q2_K] = {sizeof(q2_k_block), 8, 2, 1, 3, 0},
    [DTYPE_Q3_K] = {sizeof(q3_k_block), 8, 2, 0, 7, 4},
    [DTYPE_Q4_K] = {sizeof(q4_k_block), 8, 1, 1, 15, 0},
    [DTYPE_Q5_K] = {sizeof(q5_k_block), 8, 1, 1, 31, 0},
    [DTYPE_Q6_K] = {sizeof(q6_k_block), 8, 2, 0, 63, 32},
};
// @end unpack-lane-block

// @begin unpack-simple
// Sixteen bytes are loaded where only two are wanted: the other rows' scales
// lie far away, and sixteen moves of two bytes cost more.
static INLINE void unpack_8(const uint8_t *p, size_t stride, lane_block *w)
{
    vi head[4];
    i_load_columns(p, stride, head);
    f_f16_pairs(head[0], &w->scale[0], &w->minimum[0]);
    i_load_columns(p + 2, stride, w->code);
    i_load_columns(p + 18, stride, w->code + 4);
    UNROLL for (int k = 0; k < 8; k++)
        w->code[k] = i_signed_codes(w->code[k]);
}

static INLINE void low_and_high(const vi column[4], vi code[8])
{
    UNROLL for (int k = 0; k < 4; k++) {
        code[k] = i_bits(column[k], 0, 15);
        code[k + 4] = i_bits(column[k], 4, 15);
    }
}

static INLINE void unpack_4(dtype type, const uint8_t *p, size_t stride,
                            lane_block *w)
{
    vi head[4], column[4];
    i_load_columns(p, stride, head);
    f_f16_pairs(head[0], &w->scale[0], &w->minimum[0]);
    i_load_columns(p + (type == DTYPE_Q4_1 ? 4 : 2), stride, column);
    low_and_high(column, w->code);
}
// @end unpack-simple

// @begin unpack-simple-5
static INLINE void unpack_5(dtype type, const uint8_t *p, size_t stride,
                            lane_block *w)
{
    vi head[4], column[4];
    i_load_columns(p, stride, head);
    f_f16_pairs(head[0], &w->scale[0], &w->minimum[0]);
    vi high = type == DTYPE_Q5_1 ? head[1] : i_between(head[0], head[1]);
    i_load_columns(p + (type == DTYPE_Q5_1 ? 8 : 6), stride, column);
    low_and_high(column, w->code);
    UNROLL for (int k = 0; k < 8; k++)
        w->code[k] = i_or(w->code[k], i_fifth_bits(high, k));
}
// @end unpack-simple-5

// @begin unpack-k
// Thirty-two bytes of each row.
static INLINE void load_32(const uint8_t *p, size_t stride, vi out[8])
{
    i_load_columns(p, stride, out);
    i_load_columns(p + 16, stride, out + 4);
}

// The first sixteen bytes of Q4_K and Q5_K: scale, minimum, and twelve that
// hold eight of each, as quant_scales_q4_k() has it, four at a time.
static INLINE void scales_4(const uint8_t *p, size_t stride, lane_block *w)
{
    vi head[4], s[2], m[2];
    vf scale, minimum;
    i_load_columns(p, stride, head);
    f_f16_pairs(head[0], &scale, &minimum);
    minimum = f_mul(minimum, f_set1(-1.0f));
    s[0] = i_bits(head[1], 0, 63);
    m[0] = i_bits(head[2], 0, 63);
    s[1] = i_or(i_bits(head[3], 0, 15), i_bits(head[1], 2, 48));
    m[1] = i_or(i_bits(head[3], 4, 15), i_bits(head[2], 2, 48));
    UNROLL for (int b = 0; b < 8; b++) {
        w[b].scale[0] = f_mul(scale, f_of_byte(s[b / 4], b % 4));
        w[b].minimum[0] = f_mul(minimum, f_of_byte(m[b / 4], b % 4));
    }
}
// @end unpack-k

// @begin unpack-k-4
static void unpack_4_k(const uint8_t *p, size_t stride, lane_block *w)
{
    scales_4(p, stride, w);
    for (int b = 0; b < 8; b += 2) {
        vi raw[8];
        load_32(p + 16 + 16 * b, stride, raw);
        UNROLL for (int k = 0; k < 8; k++) {
            w[b].code[k] = i_bits(raw[k], 0, 15);
            w[b + 1].code[k] = i_bits(raw[k], 4, 15);
        }
    }
}
// @end unpack-k-4

// @begin unpack-k-5-6
static void unpack_5_k(const uint8_t *p, size_t stride, lane_block *w)
{
    vi high[8];
    scales_4(p, stride, w);
    load_32(p + 16, stride, high);
    UNROLL for (int b = 0; b < 8; b += 2) {
        vi raw[8];
        load_32(p + 48 + 16 * b, stride, raw);
        UNROLL for (int k = 0; k < 8; k++) {
            w[b].code[k] = i_or(i_bits(raw[k], 0, 15),
                                i_bits(high[k], b - 4, 16));
            w[b + 1].code[k] = i_or(i_bits(raw[k], 4, 15),
                                    i_bits(high[k], b - 3, 16));
        }
    }
}

// A half of the super-block: blocks 0 and 2 share a load of nibbles, as do 1
// and 3, and all four one of the high bits.
static INLINE void codes_6(const uint8_t *nibbles, const uint8_t *high,
                           size_t stride, lane_block *w)
{
    vi above[8];
    load_32(high, stride, above);
    UNROLL for (int b = 0; b < 2; b++) {
        vi raw[8];
        load_32(nibbles + 32 * b, stride, raw);
        UNROLL for (int k = 0; k < 8; k++) {
            w[b].code[k] = i_or(i_bits(raw[k], 0, 15),
                                i_bits(above[k], 2 * b - 4, 48));
            w[b + 2].code[k] = i_or(i_bits(raw[k], 4, 15),
                                    i_bits(above[k], 2 * b, 48));
        }
    }
}
// @end unpack-k-5-6

// @begin unpack-k-6
// Sixteen scales, four in each s, for a super-block in runs of sixteen.
static INLINE void scales_of_runs(vf scale, const vi s[4], lane_block *w)
{
    UNROLL for (int h = 0; h < 16; h++)
        w[h / 2].scale[h % 2] = f_mul(scale, f_of_byte(s[h / 4], h % 4));
}

static void unpack_6_k(const uint8_t *p, size_t stride, lane_block *w)
{
    vi s[4], tail[4];
    vf scale, unused;
    i_load_columns(p + 192, stride, s);
    i_load_columns(p + 194, stride, tail);      // its last two bytes
    f_f16_pairs(tail[3], &unused, &scale);
    scales_of_runs(scale, s, w);
    codes_6(p, p + 128, stride, w);
    codes_6(p + 64, p + 160, stride, w + 4);
}
// @end unpack-k-6

// @begin unpack-k-2
static void unpack_2_k(const uint8_t *p, size_t stride, lane_block *w)
{
    vi both[4], tail[4];
    vf scale, minimum;
    i_load_columns(p, stride, both);
    i_load_columns(p + 68, stride, tail);       // its last four bytes
    f_f16_pairs(tail[3], &scale, &minimum);
    minimum = f_mul(minimum, f_set1(-1.0f));
    UNROLL for (int h = 0; h < 16; h++) {
        vi s = i_bits(both[h / 4], 0, 15), m = i_bits(both[h / 4], 4, 15);
        w[h / 2].scale[h % 2] = f_mul(scale, f_of_byte(s, h % 4));
        w[h / 2].minimum[h % 2] = f_mul(minimum, f_of_byte(m, h % 4));
    }
    for (int b = 0; b < 8; b += 4) {
        vi raw[8];
        load_32(p + 16 + 8 * b, stride, raw);
        UNROLL for (int i = 0; i < 4; i++)
            UNROLL for (int k = 0; k < 8; k++)
                w[b + i].code[k] = i_bits(raw[k], 2 * i, 3);
    }
}
// @end unpack-k-2

// @begin unpack-k-3
// quant_scale_q3_k(), four at a time. The twelve bytes of scales and the two
// of the shared one end the block, so they are loaded from two bytes before
// them.
static INLINE void scales_3(const uint8_t *p, size_t stride, lane_block *w)
{
    vi tail[4], s[4];
    vf scale, unused;
    i_load_columns(p + 94, stride, tail);
    f_f16_pairs(tail[3], &unused, &scale);
    vi first = i_between(tail[0], tail[1]);
    vi second = i_between(tail[1], tail[2]);
    vi high = i_between(tail[2], tail[3]);
    s[0] = i_or(i_bits(first, 0, 15), i_bits(high, -4, 48));
    s[1] = i_or(i_bits(second, 0, 15), i_bits(high, -2, 48));
    s[2] = i_or(i_bits(first, 4, 15), i_bits(high, 0, 48));
    s[3] = i_or(i_bits(second, 4, 15), i_bits(high, 2, 48));
    UNROLL for (int h = 0; h < 16; h++)
        w[h / 2].scale[h % 2] = f_mul(scale, f_sub(f_of_byte(s[h / 4], h % 4),
                                                   f_set1(32.0f)));
}
// @end unpack-k-3

// @begin unpack-k-3-2
static void unpack_3_k(const uint8_t *p, size_t stride, lane_block *w)
{
    vi high[8];
    scales_3(p, stride, w);
    load_32(p, stride, high);
    UNROLL for (int b = 0; b < 8; b += 4) {
        vi raw[8];
        load_32(p + 32 + 8 * b, stride, raw);
        UNROLL for (int i = 0; i < 4; i++)
            UNROLL for (int k = 0; k < 8; k++)
                w[b + i].code[k] = i_or(i_bits(raw[k], 2 * i, 3),
                                        i_bits(high[k], b + i - 2, 4));
    }
}

// The block of the file at p: one lane_block, or eight.
static INLINE void unpack(dtype type, const uint8_t *p, size_t stride,
                          lane_block *w)
{
    switch (type) {
    case DTYPE_Q8_0: unpack_8(p, stride, w); break;
    case DTYPE_Q5_0: case DTYPE_Q5_1: unpack_5(type, p, stride, w); break;
    case DTYPE_Q2_K: unpack_2_k(p, stride, w); break;
    case DTYPE_Q3_K: unpack_3_k(p, stride, w); break;
    case DTYPE_Q4_K: unpack_4_k(p, stride, w); break;
    case DTYPE_Q5_K: unpack_5_k(p, stride, w); break;
    case DTYPE_Q6_K: unpack_6_k(p, stride, w); break;
    default: unpack_4(type, p, stride, w);      // Q4_0 and Q4_1
    }
}
// @end unpack-k-3-2
