#ifndef COMMON_MACHINE_H
#define COMMON_MACHINE_H

#include <stdint.h>

// @begin machine-api
// What this machine is and how the process is doing. Taught in chapter 2.

// Cores that this process may use, at least 1. A container's limit counts.
int machine_cores(void);

// Physical memory in bytes, and how much of it could be had now without
// pushing anything out. A container's limit counts. 0 where the system does
// not say.
typedef struct {
    uint64_t total;
    uint64_t available;
} machine_memory;
machine_memory machine_read_memory(void);

// What a container allows. Where it sets no limit the number is the largest
// there is, as it is where the system knows no containers.
//
// root   the folder of the control groups, either version: /sys/fs/cgroup
typedef struct {
    uint64_t memory;    // bytes
    uint64_t left;      // of those, without the files it holds
    int cores;          // whole ones, at least 1
} machine_limits;
machine_limits machine_read_limits(const char *root);

// Bytes of the largest kind of cache, those of all cores together; 0 where
// the system does not say. Memory is measured with blocks several times this
// size.
uint64_t machine_cache_bytes(void);

// The same from a folder such as /sys/devices/system/cpu of Linux, which
// describes n_cores cores.
uint64_t machine_caches_in(const char *root, int n_cores);

// @end machine-api
// @begin machine-use
// The most physical memory that this process has held so far, in bytes,
// mapped files included, as exactly as the system counts; 0 where it does
// not say.
uint64_t machine_peak_bytes(void);

// Seconds since some fixed moment, never running backwards.
double machine_seconds(void);
// @end machine-use

#endif
