#ifndef CHAPTER_03_NUMBERS_H
#define CHAPTER_03_NUMBERS_H

#include "common/gguf.h"

// The numbers of a tensor, whatever their type.

enum { NUMBERS_AT_ONCE = 1024 };    // whole blocks of every type

// Can the numbers of this type be decoded here?
bool numbers_known(dtype type);

// Decode numbers first, first + 1 ... of a tensor of such a type, at most
// NUMBERS_AT_ONCE and as many as there are; `first` is a multiple of that.
// Returns how many.
size_t numbers_take(const gguf_tensor *tensor, size_t first,
                    double numbers[NUMBERS_AT_ONCE]);

// @begin numbers-spread
typedef struct {
    double smallest, largest, sum;      // of the finite ones
    size_t n_finite, n_nan, n_infinite;
} spread;

enum { BINS = 15 };             // of a histogram, from smallest to largest
// @end numbers-spread

// How the numbers of a tensor are spread, and how many are in each bin.
spread spread_of(const gguf_tensor *tensor, size_t count[BINS]);

#endif
