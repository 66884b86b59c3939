// What the system says of itself has to make sense, and to follow what we do.
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/machine.h"

static const uint64_t MIB = 1 << 20;

static void there_are_cores(void **state)
{
    (void)state;
    assert_in_range(machine_cores(), 1, 1 << 16);
}

static void memory_makes_sense(void **state)
{
    (void)state;
    machine_memory memory = machine_read_memory();
    assert_true(memory.available <= memory.total);
#if defined(__linux__) || defined(__APPLE__)
    // Whoever runs this has it, and no machine has a pebibyte.
    assert_true(memory.total > 64 * MIB && memory.total >> 50 == 0);
    assert_true(memory.available > 0);
#endif
}

static void the_peak_rises_and_never_falls(void **state)
{
    (void)state;
    uint64_t before = machine_peak_bytes();
    size_t n = (size_t)(before + 32 * MIB);
    char *block = malloc(n);
    assert_non_null(block);
    memset(block, 1, n);
    assert_true(block[n / 2] == 1);
    uint64_t with = machine_peak_bytes();
    free(block);
    // Newer versions of Linux count in steps for each core.
    assert_true(machine_peak_bytes() + 16 * MIB >= with);
#if defined(__linux__) || defined(__APPLE__)
    assert_true(before > 0 && with >= before + 16 * MIB);
#endif
}

// A program that holds little says so, however much the one that started it
// holds.
static const char *self;

static void the_peak_is_our_own(void **state)
{
    (void)state;
    size_t n = (size_t)(256 * MIB);
    char *block = malloc(n), command[512];
    uint64_t peak = 0;
    assert_non_null(block);
    memset(block, 1, n);
    assert_true(block[n / 2] == 1);
    snprintf(command, sizeof command, "exec '%s' peak", self);
    FILE *child = popen(command, "r");
    assert_non_null(child);
    assert_int_equal(fscanf(child, "%" SCNu64, &peak), 1);
    assert_int_equal(pclose(child), 0);
    free(block);
    assert_true(machine_peak_bytes() >= 256 * MIB);
#if defined(__linux__) || defined(__APPLE__)
    assert_true(peak > 0 && peak < 128 * MIB);
#endif
}

static void the_clock_counts_seconds(void **state)
{
    (void)state;
    double start = machine_seconds(), last = start;
    for (int i = 0; i < 10000; i++) {
        double now = machine_seconds();
        assert_true(now >= last);
        last = now;
    }
    start = machine_seconds();
    struct timespec pause = {0, 50 * 1000 * 1000};
    nanosleep(&pause, NULL);
    double passed = machine_seconds() - start;
    assert_true(passed > 0.049 && passed < 10);
}

// The files of a control group, below a folder of our own.
typedef struct {
    const char *name, *text;
} group_file;

enum { MAX_FILES = 6 };

static const struct {
    group_file files[MAX_FILES];
    machine_limits expected;
} groups[] = {
    {{{NULL, NULL}}, {UINT64_MAX, UINT64_MAX, INT_MAX}},
    // Version 2.
    {{{"memory.max", "max\n"}, {"cpu.max", "max 100000\n"},
      {"memory.current", "4096\n"}}, {UINT64_MAX, UINT64_MAX, INT_MAX}},
    {{{"memory.max", "1000000\n"}, {"memory.current", "400000\n"},
      {"memory.stat", "anon 5\ninactive_file 60000\nactive_file 40000\n"
                      "file_dirty 3\n"},
      {"cpu.max", "250000 100000\n"}}, {1000000, 700000, 2}},
    {{{"memory.max", "1000\n"}, {"memory.current", "5000\n"},
      {"cpu.max", "5000 100000\n"}}, {1000, 0, 1}},
    // Version 1.
    {{{"memory/memory.limit_in_bytes", "9223372036854771712\n"},
      {"cpu/cpu.cfs_quota_us", "-1\n"},
      {"cpu/cpu.cfs_period_us", "100000\n"}},
     {9223372036854771712u, 9223372036854771712u, INT_MAX}},
    {{{"memory/memory.limit_in_bytes", "1000000\n"},
      {"memory/memory.usage_in_bytes", "500000\n"},
      {"memory/memory.stat", "inactive_file 7\ntotal_inactive_file 60000\n"
                             "total_active_file 40000\nrss 9\n"},
      {"cpu/cpu.cfs_quota_us", "399999\n"},
      {"cpu/cpu.cfs_period_us", "100000\n"}}, {1000000, 600000, 3}},
    // Nonsense is no limit.
    {{{"memory.max", "\n"}, {"cpu.max", "5 0\n"}},
     {UINT64_MAX, UINT64_MAX, INT_MAX}},
    {{{"memory.max", "-5\n"}, {"cpu.max", "soon\n"}},
     {UINT64_MAX, UINT64_MAX, INT_MAX}},
};

static void put(const char *root, group_file file)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, file.name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(file.text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void drop(const char *root, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(remove(path), 0);
}

static void containers_of_both_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        char root[] = "/tmp/groups-XXXXXX", path[64];
        assert_non_null(mkdtemp(root));
        static const char *const folders[] = {"memory", "cpu"};
        for (int j = 0; j < 2; j++) {
            snprintf(path, sizeof path, "%s/%s", root, folders[j]);
            assert_int_equal(mkdir(path, 0700), 0);
        }
        int n = 0;
        for (; n < MAX_FILES && groups[i].files[n].name != NULL; n++)
            put(root, groups[i].files[n]);
        machine_limits found = machine_read_limits(root);
        assert_true(found.memory == groups[i].expected.memory);
        assert_true(found.left == groups[i].expected.left);
        assert_int_equal(found.cores, groups[i].expected.cores);
        while (n-- > 0)
            drop(root, groups[i].files[n].name);
        drop(root, "cpu");
        drop(root, "memory");
        assert_int_equal(rmdir(root), 0);
    }
}

// Caches of processors that we do not have, below a folder of our own.
typedef struct {
    int core, index;
    const char *size, *cores;
} cache_entry;

enum { N_ENTRIES = 8 };
static const struct {
    int n_cores;
    uint64_t expected;
    cache_entry entries[N_ENTRIES];
} processors[] = {
    {2, 0, {{0}}},
    // Two cores of one processor: the third level serves both.
    {2, 49152 * 1024, {{0, 0, "48K", "0"}, {0, 2, "1280K", "0"},
                       {0, 3, "49152K", "0-1"}, {1, 0, "48K", "1"},
                       {1, 2, "1280K", "1"}, {1, 3, "49152K", "0-1"}}},
    // Two parts with a cache each, whose cores alternate.
    {4, 64 << 20, {{0, 3, "32M", "0,2"}, {1, 3, "32M", "1,3"},
                   {2, 3, "32M", "0,2"}, {3, 3, "32M", "1,3"}}},
    // No third level; a core that is switched off; another that we do not
    // look at.
    {3, 3 << 20, {{0, 0, "64K", "0"}, {0, 2, "1024K", "0"},
                  {2, 0, "64K", "2"}, {2, 2, "2048K", "2"},
                  {3, 2, "4096K", "3"}}},
    {1, 0, {{0, 0, "big", "0"}}},
};

static void entry_path(char *path, size_t n, const char *root,
                       const cache_entry *e, const char *name)
{
    snprintf(path, n, "%s/cpu%d/cache/index%d%s", root, e->core, e->index,
             name);
}

static void put_entry(const char *root, const cache_entry *e)
{
    char path[128];
    snprintf(path, sizeof path, "%s/cpu%d", root, e->core);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/cpu%d/cache", root, e->core);
    mkdir(path, 0700);
    entry_path(path, sizeof path, root, e, "");
    assert_int_equal(mkdir(path, 0700), 0);
    entry_path(path, sizeof path, root, e, "/size");
    put("", (group_file){path, e->size});
    entry_path(path, sizeof path, root, e, "/shared_cpu_list");
    put("", (group_file){path, e->cores});
}

static void drop_entry(const char *root, const cache_entry *e)
{
    static const char *const names[] = {"/size", "/shared_cpu_list", ""};
    char path[128];
    for (int i = 0; i < 3; i++) {
        entry_path(path, sizeof path, root, e, names[i]);
        assert_int_equal(remove(path), 0);
    }
    // Until the last of them these are not empty, and stay.
    snprintf(path, sizeof path, "%s/cpu%d/cache", root, e->core);
    rmdir(path);
    snprintf(path, sizeof path, "%s/cpu%d", root, e->core);
    rmdir(path);
}

static void caches_of_all_cores(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof processors / sizeof processors[0]; i++) {
        const cache_entry *entries = processors[i].entries;
        char root[] = "/tmp/caches-XXXXXX";
        int n = 0;
        assert_non_null(mkdtemp(root));
        for (; n < N_ENTRIES && entries[n].size != NULL; n++)
            put_entry(root, &entries[n]);
        uint64_t found = machine_caches_in(root, processors[i].n_cores);
        assert_true(found == processors[i].expected);
        while (n-- > 0)
            drop_entry(root, &entries[n]);
        assert_int_equal(rmdir(root), 0);
    }
    // Nobody has more than a terabyte of them.
    assert_true(machine_cache_bytes() >> 40 == 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "peak") == 0)
        return printf("%" PRIu64 "\n", machine_peak_bytes()) < 0;
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_cores),
        cmocka_unit_test(memory_makes_sense),
        cmocka_unit_test(containers_of_both_versions),
        cmocka_unit_test(caches_of_all_cores),
        cmocka_unit_test(the_peak_is_our_own),
        cmocka_unit_test(the_peak_rises_and_never_falls),
        cmocka_unit_test(the_clock_counts_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
