#ifndef COMMON_LINEAR_H
#define COMMON_LINEAR_H

#include "common/matmul.h"

// A linear layer: y = x W^T + b. The place where an adapter (chapter 9) or a
// shard (chapter 16) is attached; everything above multiplies through it.
// Taught in chapter 7.

typedef struct {
    const char *name;       // "attn_q": which matrix of
    int layer;              // which layer; -1 outside layers
    dtype type;
    const void *weight;     // [n_outputs, n_inputs], as stored in the file
    const float *bias;      // [n_outputs], or NULL
    int n_outputs;
    int n_inputs;
} linear;

// y[i] = x W[i]^T + b[i] for layers that read the same x, MATMUL_MAX_JOBS of
// them in one pass. Only llama_forward() calls this.
void linear_forward(matmul *m, const linear *const *layers, int n_layers,
                    const activations *x, float *const *y);

#endif
