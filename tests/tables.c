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

int tables(const kernels **found, int most)
{
    char names[256], *rest = names;
    int n = 0;
    snprintf(names, sizeof names, "%s", kernels_names());
    for (char *name; (name = strtok(rest, " ")) != NULL; rest = NULL)
        if (n < most && kernels_select(name, &found[n], NULL) == LLL_OK)
            n++;
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
