#ifndef COMMON_PROBE_H
#define COMMON_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

// How many bytes a second this machine reads from its memory: what the speed
// of a model that does not fit in a cache comes down to. Taught in chapter 2.

// @begin probe-api
typedef struct {
    double one_core;    // bytes a second that one thread reads
    double all_cores;   // that n_threads read together
    double in_order;    // the same, each thread reading byte after byte
    size_t n_bytes;     // of the block that was read
} memory_speed;

// Measure by reading a block again and again; the best pass counts, because
// whatever else runs can only make one slower.
//
// n_bytes    of the block, rounded down to whole mebibytes, at least 1:
//            probe_block_bytes() knows how many
// n_threads  1..1024; as many as there are cores
// seconds    to go on reading, for each of the three; at least three passes
//            are made
//
// LLL_ERR_ARGUMENT   a number out of range
// LLL_ERR_MEMORY     the block could not be had
// LLL_ERR_IO         the memory gave back something else than was written
// *speed is left alone on failure. Cost: filling the block once, and three
// times `seconds`.
lll_status probe_memory(size_t n_bytes, int n_threads, double seconds,
                        memory_speed *speed, lll_error *err);
// @end probe-api

// @begin probe-block-api
// How large a block should be: four times as large as all caches together
// and at least 512 MiB, but at most a quarter of what is free. 0 when that
// leaves less than twice the caches, which would be measured instead.
//
// available  free memory in bytes; 0 where the system does not say
// caches     machine_cache_bytes()
size_t probe_block_bytes(uint64_t available, uint64_t caches);
// @end probe-block-api

#endif
