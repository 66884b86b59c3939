#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE                 // sched_getaffinity
#endif
#include "common/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#include <sys/sysctl.h>
#endif

// @begin machine-cores
int machine_cores(void)
{
#if defined(__linux__)
    // A process can be confined to fewer cores than there are.
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0
        && CPU_COUNT(&allowed) > 0)
        return CPU_COUNT(&allowed);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (int)n;
}
// @end machine-cores

// @begin machine-limit
#if defined(__linux__)
// The number in the first line of a file such as memory.max; `absent` when
// there is no such file or it says "max".
static uint64_t number_in(const char *path, uint64_t absent)
{
    uint64_t value = absent;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return absent;
    if (fscanf(file, "%" SCNu64, &value) != 1)
        value = absent;
    fclose(file);
    return value;
}

// The number after `name` in a file of lines such as "MemTotal: 16384 kB";
// 0 when there is no such line.
static uint64_t field_in(const char *path, const char *name)
{
    char word[64];
    uint64_t value, found = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (fscanf(file, "%63s %" SCNu64 "%*[^\n]", word, &value) == 2)
        if (strcmp(word, name) == 0)
            found = value;
    fclose(file);
    return found;
}
// @end machine-limit

// @begin machine-memory
machine_memory machine_read_memory(void)
{
    static const char all[] = "/proc/meminfo";
    static const char ours[] = "/sys/fs/cgroup/memory.stat";
    machine_memory memory = {1024 * field_in(all, "MemTotal:"),
                             1024 * field_in(all, "MemAvailable:")};

    // A container may be given less than the machine has. What it holds of
    // files counts as used there, but is given up when memory is asked for.
    uint64_t limit = number_in("/sys/fs/cgroup/memory.max", UINT64_MAX);
    uint64_t used = number_in("/sys/fs/cgroup/memory.current", 0);
    uint64_t files = field_in(ours, "inactive_file")
                     + field_in(ours, "active_file");
    used = used > files ? used - files : 0;
    uint64_t left = limit > used ? limit - used : 0;
    if (limit < memory.total)
        memory.total = limit;
    if (left < memory.available)
        memory.available = left;
    return memory;
}
// @end machine-memory
// @begin machine-memory-mac
#elif defined(__APPLE__)
machine_memory machine_read_memory(void)
{
    machine_memory memory = {0, 0};
    size_t size = sizeof memory.total;
    sysctlbyname("hw.memsize", &memory.total, &size, NULL, 0);
    vm_statistics64_data_t pages;
    mach_msg_type_number_t n = HOST_VM_INFO64_COUNT;
    if (host_statistics64(mach_host_self(), HOST_VM_INFO64,
                          (host_info64_t)&pages, &n) == KERN_SUCCESS)
        memory.available = ((uint64_t)pages.free_count
                            + pages.inactive_count)
                           * (uint64_t)sysconf(_SC_PAGESIZE);
    return memory;
}
#else
machine_memory machine_read_memory(void)
{
    return (machine_memory){0, 0};
}
#endif
// @end machine-memory-mac

// @begin machine-peak
uint64_t machine_peak_bytes(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
#if defined(__APPLE__)
    return (uint64_t)usage.ru_maxrss;           // bytes there
#else
    return (uint64_t)usage.ru_maxrss * 1024;    // kibibytes here
#endif
}

double machine_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
// @end machine-peak
