#ifndef COMMON_PEAK_H
#define COMMON_PEAK_H

#include "common/error.h"
#include "common/kernels.h"

// How many multiply-adds a second this machine does in an instruction set:
// what the speed of a long prompt comes down to, as probe.h's bytes a second
// are what writing comes down to. Taught in chapter 13.

// @begin peak-api
// Multiply-adds a second, one multiplication with its addition, on numbers
// that stay in registers: of 8-bit codes with sums of 32 bits, and of floats.
typedef struct {
    double q8_one_core, q8_all_cores;
    double f32_one_core, f32_all_cores;
} arithmetic_speed;

// Measure what the dot product of `table` in vector registers allows; AMX's
// tiles, which have another one, may pass it. The best pass counts, because
// whatever else runs can only make one slower.
//
// n_threads  1..1024; as many as there are cores
// seconds    to go on, 0..60, for each of the four; three passes are made at
//            least, each of a few milliseconds on an idle machine
//
// LLL_ERR_ARGUMENT   a number out of range
// LLL_ERR_MEMORY, LLL_ERR_UNSUPPORTED   threads_start()'s
// *speed is left alone on failure.
lll_status peak_measure(const kernels *table, int n_threads, double seconds,
                        arithmetic_speed *speed, lll_error *err);
// @end peak-api

#endif
