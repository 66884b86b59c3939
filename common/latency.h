#ifndef COMMON_LATENCY_H
#define COMMON_LATENCY_H

#include <stdint.h>

// @begin latency-api
// How long many things took, each of them, without a number for each: counts
// in buckets. A bucket is 1/32 of the way from one power of two to the next,
// so its bounds are about 3 % apart, from a microsecond to an hour. Taught
// in chapter 8.

enum { LATENCY_STEPS = 32, LATENCY_POWERS = 32 };

typedef struct {
    uint64_t n;
    uint32_t counts[LATENCY_POWERS * LATENCY_STEPS];
} latency;                      // begins zeroed

void latency_add(latency *l, double seconds);

// The time in seconds that a share (0..1) of all did not exceed, as the upper
// bound of its bucket: at most 1/32 too long. 0 when there are none.
double latency_percentile(const latency *l, double share);
// @end latency-api

#endif
