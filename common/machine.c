#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE                 // sched_getaffinity
#endif
#include "common/machine.h"

#include <inttypes.h>
#include <limits.h>
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

// Where Linux shows the limits of the container that we are in.
#define GROUPS "/sys/fs/cgroup"

// @begin machine-number
// The number in the first line of a file such as memory.max; `absent` when
// there is no such file or it says "max".
static uint64_t number_in(const char *folder, const char *name,
                          uint64_t absent)
{
    char path[512];
    int64_t value;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return absent;
    // An older limit that is none is -1.
    if (fscanf(file, "%" SCNd64, &value) != 1 || value < 0)
        value = -1;
    fclose(file);
    return value < 0 ? absent : (uint64_t)value;
}

// The number after `name` in a file of lines such as "MemTotal: 16384 kB";
// 0 when there is no such line.
static uint64_t field_in(const char *path, const char *name)
{
    char line[256], word[64];
    uint64_t value, found = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    // Other lines hold words, and are passed over.
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%63s %" SCNu64, word, &value) == 2
            && strcmp(word, name) == 0)
            found = value;
    fclose(file);
    return found;
}
// @end machine-number

// @begin machine-limit
// The files in which a container's limits stand: those of version 2 of
// control groups, then those of version 1.
static const struct {
    const char *limit, *used, *stat, *inactive, *active;
} memory_files[] = {
    {"memory.max", "memory.current", "memory.stat",
     "inactive_file", "active_file"},
    {"memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes",
     "memory/memory.stat", "total_inactive_file", "total_active_file"},
};

static void limit_memory(const char *root, int version,
                         machine_limits *limits)
{
    char path[512];
    uint64_t limit = number_in(root, memory_files[version].limit, UINT64_MAX);
    uint64_t used = number_in(root, memory_files[version].used, 0);
    snprintf(path, sizeof path, "%s/%s", root, memory_files[version].stat);
    // What it holds of files counts as used there, but is given up when
    // memory is asked for.
    uint64_t files = field_in(path, memory_files[version].inactive)
                     + field_in(path, memory_files[version].active);
    used = used > files ? used - files : 0;
    if (limit >= limits->memory)
        return;
    limits->memory = limit;
    limits->left = limit > used ? limit - used : 0;
}
// @end machine-limit

// @begin machine-quota
// "200000 100000" in one file, or each in a file of its own: the quota is
// what all threads together may run, of every period.
static uint64_t quota_of(const char *root, uint64_t *period)
{
    char path[512];
    uint64_t quota = 0;
    *period = 0;
    snprintf(path, sizeof path, "%s/cpu.max", root);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        *period = number_in(root, "cpu/cpu.cfs_period_us", 0);
        return number_in(root, "cpu/cpu.cfs_quota_us", 0);
    }
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &quota, period) != 2)
        quota = 0;
    fclose(file);
    return quota;
}

machine_limits machine_read_limits(const char *root)
{
    machine_limits limits = {UINT64_MAX, UINT64_MAX, INT_MAX};
    uint64_t period, quota = quota_of(root, &period);
    limit_memory(root, 0, &limits);
    limit_memory(root, 1, &limits);
    // Whole cores: a thread that is stopped in the middle of a period lets
    // all the others wait.
    if (quota > 0 && period > 0 && quota / period < INT_MAX)
        limits.cores = quota < period ? 1 : (int)(quota / period);
    return limits;
}
// @end machine-quota

// @begin machine-cores
int machine_cores(void)
{
    int n_allowed = machine_read_limits(GROUPS).cores;
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#if defined(__linux__)
    // A process can be confined to fewer cores than there are.
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0
        && CPU_COUNT(&allowed) > 0)
        n = CPU_COUNT(&allowed);
#endif
    if (n > n_allowed)
        n = n_allowed;
    return n < 1 ? 1 : (int)n;
}
// @end machine-cores

// @begin machine-memory
#if defined(__linux__)
machine_memory machine_read_memory(void)
{
    static const char all[] = "/proc/meminfo";
    machine_memory memory = {1024 * field_in(all, "MemTotal:"),
                             1024 * field_in(all, "MemAvailable:")};
    // A container may be given less than the machine has.
    machine_limits limits = machine_read_limits(GROUPS);
    if (limits.memory < memory.total)
        memory.total = limits.memory;
    if (limits.left < memory.available)
        memory.available = limits.left;
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

// @begin machine-cache
// A cache serves the cores of its list, and each of them has an entry for
// it: counted is the one of the first.
uint64_t machine_caches_in(const char *root, int n_cores)
{
    enum { CACHES = 8 };            // of one core: two, then one a level
    uint64_t sums[CACHES] = {0}, largest = 0;
    char path[512], unit;
    for (int i = 0; i < n_cores * CACHES; i++) {
        uint64_t size = 0, core = (uint64_t)(i / CACHES);
        snprintf(path, sizeof path, "%s/cpu%d/cache/index%d", root,
                 i / CACHES, i % CACHES);
        if (number_in(path, "shared_cpu_list", core) != core)
            continue;
        snprintf(path, sizeof path, "%s/cpu%d/cache/index%d/size", root,
                 i / CACHES, i % CACHES);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%" SCNu64 "%c", &size, &unit) == 2)
            sums[i % CACHES] += size << (unit == 'K' ? 10
                                         : unit == 'M' ? 20 : 0);
        fclose(file);
    }
    for (int i = 0; i < CACHES; i++)
        largest = sums[i] > largest ? sums[i] : largest;
    return largest;
}
// @end machine-cache

// @begin machine-cache-here
uint64_t machine_cache_bytes(void)
{
    uint64_t bytes = 0;
#if defined(__APPLE__)
    size_t size = sizeof bytes;
    if (sysctlbyname("hw.l3cachesize", &bytes, &size, NULL, 0) != 0
        || bytes == 0) {
        size = sizeof bytes;
        sysctlbyname("hw.l2cachesize", &bytes, &size, NULL, 0);
    }
#else
    bytes = machine_caches_in("/sys/devices/system/cpu",
                              (int)sysconf(_SC_NPROCESSORS_CONF));
#endif
#if defined(_SC_LEVEL3_CACHE_SIZE)
    // A container may hide that folder; this is one cache, where several
    // processors have one each.
    if (bytes == 0 && sysconf(_SC_LEVEL3_CACHE_SIZE) > 0)
        bytes = (uint64_t)sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    return bytes;
}
// @end machine-cache-here

// @begin machine-peak
uint64_t machine_peak_bytes(void)
{
    struct rusage usage;
#if defined(__linux__)
    // What getrusage says begins with the peak of whoever started us.
    uint64_t peak = field_in("/proc/self/status", "VmHWM:");
    if (peak > 0)
        return 1024 * peak;
#endif
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
