// The tiles of AVX2, 8 lanes wide, in plain C.
#define LANES 8
#define KERNELS_TABLE twin_8
#define KERNELS_NAME "twin_8"
#include "common/kernels/portable.c"
