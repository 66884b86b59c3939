// Lanes that are arrays lie in memory anyway; inlined and unrolled into one
// function they would only keep the compiler busy for minutes.
#define INLINE __attribute__((noinline, unused))
#define UNROLL
#ifndef KERNELS_TABLE           // the tests include this for other LANES
#define KERNELS_TABLE kernels_portable
#define KERNELS_NAME "portable"
#endif
#define KERNELS_SIMD "common/kernels/simd_portable.h"
#include "common/kernels/body.h"
