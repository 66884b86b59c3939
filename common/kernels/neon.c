#define KERNELS_TABLE kernels_neon
#define KERNELS_NAME "neon"
#define KERNELS_SIMD "common/kernels/simd_neon.h"
#include "common/kernels/body.h"
