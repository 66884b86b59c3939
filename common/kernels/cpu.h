#ifndef COMMON_KERNELS_CPU_H
#define COMMON_KERNELS_CPU_H

#include <stdbool.h>

// Whether this processor has the instructions of a set, and the system saves
// the registers that they use. One function for each name in sets.h; those of
// other processors' sets are not there.

bool cpu_runs_amx(void);
bool cpu_runs_avx512(void);
bool cpu_runs_avxvnni(void);
bool cpu_runs_avx2(void);
bool cpu_runs_neon_dot(void);
bool cpu_runs_neon(void);
bool cpu_runs_portable(void);    // everywhere

#endif
