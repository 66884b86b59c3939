#ifndef COMMON_SIZE_H
#define COMMON_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dtype.h"
#include "common/error.h"

// Sizes that are computed from numbers we did not choose.
// Taught in chapter 1.

enum { TENSOR_MAX_DIMS = 8 };      // more than any file format allows

// @begin size-promises
// *product = a * b, *sum = a + b. False when the result does not fit in
// size_t, and then the output is left as it was.
bool size_mul(size_t a, size_t b, size_t *product);
bool size_add(size_t a, size_t b, size_t *sum);

// The same for a chain of them that is checked once, at its end: what does
// not fit becomes SIZE_MAX, and SIZE_MAX times or plus anything stays it, but
// for 0 times it, which is 0, as it would be without a limit.
size_t size_times(size_t a, size_t b);
size_t size_plus(size_t a, size_t b);
// @end size-promises

// @begin tensor-size-promise
// Elements and bytes of a tensor.
//
// type     how its numbers are stored; a number that names no type is
//          refused
// shape    n_dims dimensions, 1..TENSOR_MAX_DIMS of them, each at least 1,
//          [rows, columns]: the last varies fastest and is the row length
// limit    the largest value of the type that elements are counted with:
//          INT32_MAX for a program that counts with int, SIZE_MAX for what
//          this machine can count. Bytes are always compared with SIZE_MAX
// n_elements, n_bytes   filled only on LLL_OK; either may be NULL
//
// LLL_ERR_ARGUMENT   no type, no dimensions, too many, or one that is zero
// LLL_ERR_OVERFLOW   "tensor size overflow: 32 x 131072 x 1024 ..."
// LLL_ERR_FORMAT     the row length is not a multiple of the type's block
lll_status tensor_size(dtype type, const uint64_t *shape, int n_dims,
                       size_t limit, size_t *n_elements, size_t *n_bytes,
                       lll_error *err);
// @end tensor-size-promise

// @begin size-text-promise
// Write "32 x 131072 x 1024" into text, cut with "..." where it does not fit.
void shape_text(const uint64_t *shape, int n_dims, char *text,
                size_t capacity);

// Write "16.00 GiB", "512 B" into text.
void size_text(uint64_t n_bytes, char *text, size_t capacity);
// @end size-text-promise

#endif
