#define KERNELS_TABLE kernels_avxvnni
#define KERNELS_NAME "avxvnni"
#define KERNELS_SIMD "common/kernels/simd_avxvnni.h"
#include "common/kernels/body.h"
