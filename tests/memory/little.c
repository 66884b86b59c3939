// A machine with little memory, for one program: loaded before the C library,
// it answers for /proc/meminfo. FREE_BYTES are free when the program starts,
// and less by all that it holds when it asks.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef FILE *(*opener)(const char *path, const char *mode);

FILE *fopen(const char *path, const char *mode)
{
    static char text[128];
    const char *from = getenv("FREE_BYTES");
    if (from == NULL || strcmp(path, "/proc/meminfo") != 0)
        return ((opener)dlsym(RTLD_NEXT, "fopen"))(path, mode);
    struct mallinfo2 held = mallinfo2();
    long left = atol(from) - (long)(held.uordblks + held.hblkhd);
    snprintf(text, sizeof text, "MemTotal: %ld kB\nMemAvailable: %ld kB\n",
             atol(from) / 1024, left / 1024);
    return fmemopen(text, strlen(text), "r");
}
