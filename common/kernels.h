#ifndef COMMON_KERNELS_H
#define COMMON_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/attention.h"
#include "common/dtype.h"
#include "common/error.h"

// The inner loops, as a table of functions: one table for each instruction
// set, chosen once at start. The scalar table is the text of chapter 7 and 6
// and the definition: the others compute the same operations in the same
// order, lane by lane, so that every table gives the same bits. Chapter 13
// teaches the others.
//
// What the order is:
//   dot_f32 and its kind   sixteen sums, number i goes to sum i mod 16 by a
//       fused multiply-add in rising i; then the sums are added pairwise:
//       (j, j+8), (j, j+4), (j, j+2), (0, 1).
//   quantized products     one sum for each output. For each run of weights
//       that share a scale (32 of them, or 16), in rising order:
//       sum = fma(d_w * d_x, (float)isum, sum), and where the type has a
//       minimum, sum = fma(m_w, s_x, sum). isum is the exact integer sum of
//       code products, a type's offset included; d_w and m_w are those of
//       quant_open(); s_x = d_x * (float)(sum of the run's activation codes).
//   quantized activations  d = max|x| / 127, or 0 with all codes 0 where
//       that is below 2^-120; code = x * (1 / d) rounded to the nearest
//       whole number, ties to even. A block with a number that is not finite
//       has no such codes: d and s are NaN, all codes and their sum 0, and so
//       every product with it is NaN.

typedef struct kernels kernels;

// Activations as the products want them, one row for each token.
// Codes are -127..127 in blocks of 32, each block with its scale d, the
// integer sums of the codes of its two halves, and s = d * (sum of all its
// codes). The blocks do not lie row after row: ACTIVATIONS_BUNDLE rows are
// bundled, first block 0 of each, then block 1 of each, so that a product
// that takes several rows at once reads one stream; the rows that are left at
// the end make a smaller bundle.
enum { ACTIVATIONS_BUNDLE = 8 };

typedef struct {
    int n_rows;             // tokens
    int n_columns;          // numbers in a row
    const float *values;    // [n_rows, n_columns]; always there
    int8_t *codes;          // [blocks, 32]; NULL when the products use
                            // `values`
    float *scales;          // [blocks]
    float *sums;            // [blocks]: scale * sum of codes
    int16_t *half_sums;     // [blocks, 2]
} activations;

// Rows in the bundle that row t is in, and where block b of row t stands.
int activations_bundle(const activations *x, int t);
size_t activations_block(const activations *x, int t, int b);
// What the block becomes where a number in it is not finite: see above.
void activations_block_nan(const activations *x, size_t block);

// A tile of a product: some of a thread's share of a weight, rows first_row
// .. first_row + n_rows - 1, against all rows of x. The share has
// n_rows / KERNEL_PANEL panels of that many rows, and the rows that are left
// make one more; which rows are a panel is the kernels' choice. The tile is
// n_panels of them, or as many as there are. out[t * out_stride + r] for row
// first_row + r.
enum { KERNEL_PANEL = 16 };

typedef struct {
    dtype type;
    const void *weight;     // [n_outputs, n_inputs], rows as stored
    size_t row_bytes;
    int n_inputs;
    int first_row, n_rows;
    int first_panel, n_panels;
    const activations *x;
    float *out;             // [x->n_rows, out_stride]
    size_t out_stride;      // numbers
    void *scratch;          // matmul_scratch_bytes(), this worker's,
                            // aligned to 64
} kernel_tile;

struct kernels {
    const char *name;       // "scalar", "avx2", "avx512", ...

    // Quantize row t of x->values into its blocks; n_columns is a multiple
    // of 32.
    void (*quantize)(const activations *x, int t);

    // Block types against quantized activations; any supported type against
    // plain ones, which tile_q8 does too for all other types.
    void (*tile_q8)(const kernel_tile *tile);
    void (*tile_f32)(const kernel_tile *tile);

    // rmsnorm() of norm.h.
    void (*norm)(float *out, const float *x, const float *weight, int n,
                 float eps);

    // to[i] += from[i]
    void (*add)(float *to, const float *from, int n);

    // gate[i] = silu(gate[i]) * up[i]
    void (*swiglu)(float *gate, const float *up, int n);

    // A run of positions of one key-value head against a group of query
    // heads: see attention.h for the definition. Rows of Q8_0 stand for the
    // numbers that quant_decode() makes of them, exactly: a code of 8 bits
    // times a scale of 11 fits in a float.
    void (*attend)(const attend_span *span);

    // attend_merge() and attend_finish() of attention.h.
    void (*merge)(attend_state *state, float maximum, float total,
                  const float *out, int head_dim);
    void (*finish)(attend_state *state, int head_dim);

    // A row of n numbers of a cache of F32, F16 or Q8_0: the bytes that
    // quant_encode() makes.
    void (*encode)(dtype type, const float *numbers, void *row, int n);

    // Multiply-adds and nothing else, to be timed by peak.h: `rounds` times
    // twelve sums in registers, of codes with sums of 32 bits, and of floats.
    // They return how many there were; *result depends on all of them, and
    // is the same for every table.
    double (*spin_q8)(int rounds, uint32_t *result);
    double (*spin_f32)(int rounds, float *result);
};

// The taught text, which every other table falls back to and equals.
extern const kernels kernels_scalar;

// The table called `name`; "auto" or NULL gives the fastest one that this
// machine runs. The table is constant and lives for ever.
// LLL_ERR_UNSUPPORTED   unknown here: the sentence lists the names that
//                       exist, and says which this machine can not run
lll_status kernels_select(const char *name, const kernels **out,
                          lll_error *err);
// What kernels_select() knows in this program: "auto" and the names of the
// sets, separated by spaces.
const char *kernels_names(void);

#endif
