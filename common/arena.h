#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

#include "common/error.h"

// @begin arena-use
// One block of memory from the system, handed out front to back and given
// back whole. The size is known before the first byte is used, because the
// planner of chapter 2 computed it; a piece can not be freed alone.
//
//     arena memory;
//     lll_status status = arena_init(&memory, plan.model, &err);
//     float *x = arena_take(&memory, plan.bytes[PLAN_RESIDUAL]);
//     arena_free(&memory);
// @end arena-use
//
// Taught in chapter 1.

enum { ARENA_ALIGNMENT = 64 };     // a cache line; also the widest vector

// @begin arena-type
typedef struct {
    void *block;            // what the system gave, for free()
    unsigned char *base;    // its first aligned byte
    size_t capacity;        // bytes
    size_t used;            // bytes handed out, padding included
} arena;
// @end arena-type

// @begin arena-promise
// Get `capacity` bytes, zeroed, from the system; the block asked for is
// ARENA_ALIGNMENT bytes larger. Pages that are never touched cost no physical
// memory. On failure *memory is zeroed.
// LLL_ERR_OVERFLOW   capacity is within ARENA_ALIGNMENT of SIZE_MAX
// LLL_ERR_MEMORY     "the system refused 16.00 GiB of memory (...)"
lll_status arena_init(arena *memory, size_t capacity, lll_error *err);

// The next `bytes` bytes, aligned to ARENA_ALIGNMENT and zeroed; NULL when
// they do not fit in what is left. Valid until arena_free(). A piece of 0
// bytes is a valid pointer that may not be read.
void *arena_take(arena *memory, size_t bytes);

// Bytes that a piece of `bytes` occupies: rounded up to the alignment, or
// SIZE_MAX when that overflows.
size_t arena_round(size_t bytes);

// Give everything back. Accepts a zeroed arena, and may be called twice.
void arena_free(arena *memory);
// @end arena-promise

#endif
