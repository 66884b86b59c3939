// The tiles of AVX2, 8 lanes wide, in plain C.
#define LANES 8
#define PANELS 1
#define TILE_X 4
#define F32_ROWS 2
#define F32_X 3
#define ATTEND_ROWS 3
#define KERNELS_TABLE twin_8
#define KERNELS_NAME "twin_8"
#include "common/kernels/portable.c"
