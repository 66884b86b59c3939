#include "tests/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernels/cpu.h"

static uint32_t state = 1;
uint32_t next(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

float uniform(void)
{
    return (float)next() / 8388608.0f - 1.0f;
}

void *memory(size_t n)
{
    void *block = aligned_alloc(64, (n + 63) / 64 * 64);
    assert_non_null(block);
    memset(block, 0, (n + 63) / 64 * 64);
    return block;
}

// The tables that are not in the program, to test what no machine here runs:
// tiles of other widths, and the instruction of AVX-VNNI as AVX-512 has it.
#ifndef NO_TWINS                // where time is short: tests/cross
extern const kernels twin_4, twin_8, twin_amx;
#endif
#ifdef HAVE_KERNELS_AVX512
extern const kernels twin_avxvnni;
#endif

// The new count: one more, unless the table is there or is what the others
// are compared with.
static int add_table(const kernels *table, const kernels **found, int n)
{
    for (int i = 0; i < n; i++)
        if (found[i] == table)
            return n;
    if (table != &kernels_scalar)
        found[n++] = table;
    return n;
}

int tables(const kernels *found[MOST_TABLES])
{
    char names[256], *rest = names;
    const kernels *table;
    int n = 0;
    snprintf(names, sizeof names, "%s", kernels_names());
    for (char *name; (name = strtok(rest, " ")) != NULL; rest = NULL)
        if (kernels_select(name, &table, NULL) == LLL_OK)
            n = add_table(table, found, n);
#ifndef NO_TWINS
    n = add_table(&twin_4, found, n);
    n = add_table(&twin_8, found, n);
    n = add_table(&twin_amx, found, n);
#endif
#ifdef HAVE_KERNELS_AVX512
    if (cpu_runs_avx512())
        n = add_table(&twin_avxvnni, found, n);
#endif
    assert_true(n <= MOST_TABLES);
    return n;
}

void assert_same(const char *name, const float *a, const float *b,
                        int n)
{
    for (int i = 0; i < n; i++)
        if (isnan(a[i]) ? !isnan(b[i]) : memcmp(&a[i], &b[i], 4) != 0)
            fail_msg("%s: number %d is %a, scalar has %a", name, i,
                     (double)b[i], (double)a[i]);
}
