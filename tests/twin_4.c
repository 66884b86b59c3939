// The tiles of NEON, 4 lanes wide, in plain C.
#define LANES 4
#define PANELS 1
#define TILE_X 8
#define F32_ROWS 2
#define F32_X 3
#define ATTEND_ROWS 4
#define KERNELS_TABLE twin_4
#define KERNELS_NAME "twin_4"
#include "common/kernels/portable.c"
