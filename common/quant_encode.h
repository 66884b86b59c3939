#ifndef COMMON_QUANT_ENCODE_H
#define COMMON_QUANT_ENCODE_H

#include <stddef.h>

#include "common/dtype.h"
#include "common/error.h"

// Rows into blocks of any type, with as little error as a search finds.
// Taught in chapter 7.

// Encode n numbers of a row, of any type that quant_is_supported().
//
// importance   [n], finite and not negative: how much the square of each
//              number's error counts, in any unit; NULL: all alike. To
//              each a ten-thousandth of the block's mean is added, so that
//              zeros are not given up; zeros alone count as all alike
//
// Without importance the types of 32 numbers are made by quant_encode(), and
// no search, so that files come out as everybody else's. A block whose scale
// exceeds 65504 becomes infinite, as there.
// LLL_ERR_UNSUPPORTED   there is no encoder for the type; blocks untouched
lll_status quant_encode_row(dtype type, const float *values,
                            const float *importance, void *blocks, size_t n,
                            lll_error *err);

#endif
