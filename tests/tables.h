#ifndef TESTS_TABLES_H
#define TESTS_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "common/kernels.h"

// For the tests that compare tables of kernels.

// Numbers between -1 and 1, the same in each run; and their raw bits.
float uniform(void);
uint32_t next(void);

// Zeroed memory, aligned to 64.
void *memory(size_t n);

// The tables to compare with the scalar one: those of kernels_names() that
// run here, and the twins.
enum { MOST_TABLES = 12 };
int tables(const kernels *found[MOST_TABLES]);

// Equal bits, or both NaN: which NaN is not part of the definition.
void assert_same(const char *name, const float *a, const float *b, int n);

#endif
