#define KERNELS_TABLE kernels_avx512
#define KERNELS_NAME "avx512"
#define KERNELS_SIMD "common/kernels/simd_avx512.h"
#include "common/kernels/body.h"
