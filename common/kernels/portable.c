// Lanes that are arrays lie in memory anyway; inlined and unrolled into one
// function they would only keep the compiler busy for minutes.
#define INLINE __attribute__((noinline, unused))
#define UNROLL
#define KERNELS_TABLE kernels_portable
#define KERNELS_NAME "portable"
#define KERNELS_SIMD "common/kernels/simd_portable.h"
#include "common/kernels/body.h"
