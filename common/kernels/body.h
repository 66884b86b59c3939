// The kernels of every instruction set, written once over the primitives of
// a simd_*.h and compiled once for each: see README.md in this folder. Each
// file includes this one after naming its table, KERNELS_TABLE and
// KERNELS_NAME, and its primitives, KERNELS_SIMD; and KERNELS_OTHERS, the
// table of another set, if it has only products of many rows of its own.

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/kernels.h"
#include "common/matmul.h"
#include "common/quant_k.h"

#ifndef INLINE
#define INLINE inline __attribute__((always_inline))
#endif
// Arrays of vectors live in registers only when their loops are unrolled. A
// sanitizer multiplies the text and wants no speed.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNROLL
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(UNROLL)
#define UNROLL
#elif defined(UNROLL)
#elif defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#include KERNELS_SIMD

// A tile of quantized products has PANELS panels of LANES rows of a weight,
// and TILE_X rows of x, or TILE_X_RUNS where a block has two runs: as many as
// keep their sums in registers.
#ifndef PANELS
#define PANELS 1
#endif
#ifndef TILE_X_RUNS
#define TILE_X_RUNS TILE_X
#endif
// So many rows of x, four at most, meet the weight as it comes from memory.
#ifndef STREAM_X
#define STREAM_X 4
#endif

enum {
    PARTS = 16 / LANES,         // vectors that hold the sixteen sums
    // What plan_matmul_scratch() gives for each 32 columns of a weight.
    SCRATCH_BLOCK_BYTES = 48 * QUANT_BLOCK
};

#include "common/kernels/body_rows.h"
#include "common/kernels/body_unpack.h"
#include "common/kernels/body_q8.h"
#ifdef KERNELS_OTHERS
#include "common/kernels/body_others.h"
#else
#include "common/kernels/body_f32.h"
#include "common/kernels/body_vector.h"
#include "common/kernels/body_attend.h"
#include "common/kernels/body_attend_few.h"
#include "common/kernels/body_attend_tile.h"
#include "common/kernels/body_encode.h"
#include "common/kernels/body_probe.h"
#endif

// A set that prepares the processor for its tiles does that around tile_q8().
#ifndef TILE_Q8
#define TILE_Q8 tile_q8
#endif

extern const kernels KERNELS_TABLE;
const kernels KERNELS_TABLE = {
    KERNELS_NAME, quantize, TILE_Q8, tile_f32, norm, add,
    swiglu, attend, merge, finish, encode, spin_q8, spin_f32
};
