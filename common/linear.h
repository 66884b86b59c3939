#ifndef COMMON_LINEAR_H
#define COMMON_LINEAR_H

#include "common/matmul.h"

// A linear layer: y = x W^T + b. The place where an adapter (chapter 9) or a
// shard (chapter 16) is attached; everything above multiplies through it.
// Taught in chapter 7.

typedef struct {
    const char *name;       // "blk.0.attn_q", for traces and sentences
    dtype type;
    const void *weight;     // [n_outputs, n_inputs], as stored in the file
    const float *bias;      // [n_outputs], or NULL
    int n_outputs;
    int n_inputs;
} linear;

// y[i] = x W[i]^T + b[i] for up to MATMUL_MAX_JOBS layers that read the same
// x. Only llama_forward() calls this.
void linear_forward(matmul *m, const linear *const *layers, int n_layers,
                    const activations *x, float *const *y);

#endif
