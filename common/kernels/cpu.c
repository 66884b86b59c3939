#define _DEFAULT_SOURCE         // syscall()
#include "common/kernels/cpu.h"

bool cpu_runs_portable(void)
{
    return true;
}

#if defined(__x86_64__)

#include <cpuid.h>

// The compiler's checks ask the system too whether it saves the wide
// registers when it switches between programs.
bool cpu_runs_avx2(void)
{
    // Not every compiler knows F16C by name, but no processor has AVX2 and
    // lacks F16C.
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool cpu_runs_avxvnni(void)
{
    // Nor AVX-VNNI: it is bit 4 of EAX in leaf 7, subleaf 1.
    unsigned a, b, c, d;
    return cpu_runs_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d)
           && (a & 1u << 4) != 0;
}

bool cpu_runs_avx512(void)
{
    return __builtin_cpu_supports("avx512f")
           && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl")
           && __builtin_cpu_supports("avx512vnni");
}

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
// Tiles are eight kilobytes more to save for each thread, so Linux wants to
// be asked first: once, for all threads of the program.
static bool system_saves_tiles(void)
{
    enum { REQUEST = 0x1023, TILES = 18 };  // ARCH_REQ_XCOMP_PERM, XTILEDATA
    return syscall(SYS_arch_prctl, REQUEST, TILES) == 0;
}
#else
static bool system_saves_tiles(void)
{
    return false;
}
#endif

bool cpu_runs_amx(void)
{
    // AMX-TILE and AMX-INT8, bits 24 and 25 of EDX in leaf 7.
    unsigned a, b, c, d, both = 3u << 24;
    return cpu_runs_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d)
           && (d & both) == both && system_saves_tiles();
}

#elif defined(__aarch64__)

bool cpu_runs_neon(void)
{
    return true;                // part of the architecture
}

#if defined(__linux__)
#include <sys/auxv.h>
bool cpu_runs_neon_dot(void)
{
    return (getauxval(AT_HWCAP) & 1ul << 20) != 0;      // HWCAP_ASIMDDP
}
#elif defined(__APPLE__)
#include <sys/types.h>
#include <sys/sysctl.h>
bool cpu_runs_neon_dot(void)
{
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, NULL,
                        0) == 0 && value != 0;
}
#else
bool cpu_runs_neon_dot(void)
{
    return false;               // nobody to ask
}
#endif
#endif
