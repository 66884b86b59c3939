#ifndef TESTS_REF_H
#define TESTS_REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reference values that reference/*.py computed in float64, and the
// comparison with them. A file is text:
//
//     # a comment
//     name 2 3                     a name and the dimensions, last fastest
//     -0x1.8p-2 0x1p+0 ...         that many hexadecimal floats

typedef struct {
    char name[64];
    int dims[4];
    int n_dims;
    size_t n;               // product of dims
    double *values;         // owned by the ref_file
} ref_array;

typedef struct {
    ref_array *arrays;
    size_t n_arrays;
} ref_file;

// What main() got: a folder to use in place of "chapters", a model in place
// of data/tiny.gguf, and a pattern of the tests to run. So that a test of
// the tests can hand over wrong values.
void ref_arguments(int argc, char **argv);
const char *ref_model(void);

// Read chapters/NAME, say "05-rmsnorm-rope/expected/norm.ref"; fails the
// running cmocka test when it is not there or not well formed.
ref_file ref_read(const char *name);
void ref_free(ref_file *file);

// The array called `name`; fails the running test when there is none.
const ref_array *ref_find(const ref_file *file, const char *name);
// The same as floats, which the caller frees; and as one number.
float *ref_floats(const ref_file *file, const char *name);
int ref_int(const ref_file *file, const char *name);

// Largest |got - want| relative to the largest |want|, at most `limit`.
// Prints a line of the table and fails the running test when it is more.
void ref_compare(const char *label, const float *got, const ref_array *want,
                 double limit);
void ref_compare_values(const char *label, const float *got,
                        const double *want, size_t n, double limit);

// n numbers in [-1, 1) from splitmix64, the same as Random(seed).uniform(n)
// in reference/models.py.
void ref_random(uint64_t seed, float *out, size_t n);

#endif
