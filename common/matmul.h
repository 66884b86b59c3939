#ifndef COMMON_MATMUL_H
#define COMMON_MATMUL_H

#include <stddef.h>
#include <stdint.h>

#include "common/dtype.h"
#include "common/kernels.h"
#include "common/threads.h"

// Products of stored weights with rows of activations. Taught in chapter 7.

// Which arithmetic multiplies: int8 activations against block types (fast),
// or float throughout (for comparisons).
typedef enum { MATMUL_Q8, MATMUL_F32 } matmul_mode;

// What every product of a forward pass shares.
typedef struct {
    const kernels *kernels;
    thread_team *team;
    matmul_mode mode;
    unsigned char *scratch;     // [n_threads, scratch_bytes]
    size_t scratch_bytes;       // matmul_scratch_bytes() of the widest row
    uint64_t weight_bytes;      // read so far: rows * bytes of a row for each
                                // pass over a weight. Decoding one token and
                                // prefilling 64 cost the same.
} matmul;

// Rows of one weight in a product.
typedef struct {
    dtype type;
    const void *weight;     // [n_outputs, n_inputs]
    int n_outputs;
    int n_inputs;
    float *out;             // [x->n_rows, n_outputs]
} matmul_job;

enum {
    MATMUL_MAX_JOBS = 4,        // weights multiplied in one pass
    MATMUL_PIECE_PANELS = 2     // of a weight that one thread takes at once
};

// Bytes of scratch that one thread needs for rows of n_inputs numbers, and
// bytes that hold the quantized form of n_rows rows: the numbers of plan.h.
size_t matmul_scratch_bytes(int n_inputs);
size_t activations_bytes(int n_rows, int n_columns);

// Lay out *x over `memory` (activations_bytes() of it, aligned to 64) and
// quantize `values`, unless the mode is MATMUL_F32 or the row length is not a
// multiple of 32; then only `values` is used.
void activations_set(activations *x, const matmul *m, const float *values,
                     int n_rows, int n_columns, void *memory);

// out = x W^T for up to MATMUL_MAX_JOBS weights that read the same x, in one
// pass: each thread has a share of all of them. Each output is one sum in
// the order that kernels.h defines, whatever the threads and x->n_rows.
void matmul_run(matmul *m, const activations *x, const matmul_job *jobs,
                int n_jobs);

#endif
