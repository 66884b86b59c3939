// The tiles of NEON, 4 lanes wide, in plain C.
#define LANES 4
#define KERNELS_TABLE twin_4
#define KERNELS_NAME "twin_4"
#include "common/kernels/portable.c"
