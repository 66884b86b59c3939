// AMX's tiles in plain C: the same text, compiled without AMX.
#define INLINE __attribute__((noinline, unused))
#define UNROLL
#define KERNELS_TABLE twin_amx
#define KERNELS_NAME "twin_amx"
#define KERNELS_OTHERS kernels_portable
#define KERNELS_SIMD "common/kernels/simd_amx.h"
#include "common/kernels/body.h"
