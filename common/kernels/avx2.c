#define KERNELS_TABLE kernels_avx2
#define KERNELS_NAME "avx2"
#define KERNELS_SIMD "common/kernels/simd_avx2.h"
#include "common/kernels/body.h"
