#define NEON_DOT
#define KERNELS_TABLE kernels_neon_dot
#define KERNELS_NAME "neon_dot"
#define KERNELS_SIMD "common/kernels/simd_neon.h"
#include "common/kernels/body.h"
