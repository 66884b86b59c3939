#ifndef COMMON_WEIGHT_ERROR_H
#define COMMON_WEIGHT_ERROR_H

#include <stdbool.h>

#include "common/error.h"
#include "common/gguf.h"

// How far the weights of one file are from those of another, or from what
// another type would make of them. Taught in chapter 7.

// @begin weight-error-type
// Summed up over a tensor or many.
typedef struct {
    double squares;             // of the weights
    double error_squares;       // of the differences
    double largest;             // difference; NaN where one is
    double bytes, numbers;      // of the other form
} weight_error;                 // begins zeroed
// @end weight-error-type

// @begin weight-error-api
void weight_error_add(const weight_error *one, weight_error *all);

// The size of the differences as a share of that of the weights: 0.01 is a
// hundredth.
double weight_error_relative(const weight_error *e);

// Find the tensor of `other` that has the name and shape of `tensor`.
// *found: both types can be decoded; only then is *out filled to be used.
// LLL_ERR_NOT_FOUND, LLL_ERR_FORMAT   as gguf_find_tensor()
lll_status weight_error_find(const gguf_tensor *tensor,
                             const gguf_file *other, gguf_tensor *out,
                             bool *found, lll_error *err);

// Add to *sum how far `other` is from `tensor`, row by row; for NULL, how far
// it would be stored as `type`, encoded on the way.
// LLL_ERR_UNSUPPORTED   a type that cannot be decoded or encoded
// LLL_ERR_MEMORY        no room for three rows
lll_status weight_error_tensor(const gguf_tensor *tensor,
                               const gguf_tensor *other, dtype type,
                               weight_error *sum, lll_error *err);
// @end weight-error-api

#endif
