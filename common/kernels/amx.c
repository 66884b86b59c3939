#define KERNELS_TABLE kernels_amx
#define KERNELS_NAME "amx"
#define KERNELS_OTHERS kernels_avx512
#define KERNELS_SIMD "common/kernels/simd_amx.h"
#include "common/kernels/body.h"
