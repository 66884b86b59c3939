#define KERNELS_TABLE kernels_portable
#define KERNELS_NAME "portable"
#define KERNELS_SIMD "common/kernels/simd_portable.h"
#include "common/kernels/body.h"
