// AVX-VNNI's text with the same instruction as AVX-512 VL and VNNI encode it,
// which more machines run: see tests/tables.c.
#ifdef HAVE_KERNELS_AVX512
#define KERNELS_TABLE twin_avxvnni
#define KERNELS_NAME "twin_avxvnni"
#define KERNELS_SIMD "common/kernels/simd_avxvnni.h"
#include "common/kernels/body.h"
#else
enum { NO_TWIN_HERE };
#endif
