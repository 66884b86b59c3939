// Asks for memory in every way that tests/memory/count.c counts: at most
// 100000 + 1000 + 4096 + 50 bytes at a time are the program's.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    char *a = malloc(600), *b = calloc(100, 10), *c = aligned_alloc(64, 4096);
    void *d = NULL;
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (a == NULL || b == NULL || c == NULL || pages == MAP_FAILED
        || posix_memalign(&d, 128, 50) != 0)
        return 1;
    strcpy(a, "kept");
    for (int i = 0; i < 1000; i++)
        if (b[i] != 0)
            return 2;
    if ((size_t)c % 64 != 0 || (size_t)d % 128 != 0)
        return 3;
    munmap(pages, 8192);
    a = realloc(a, 100000);
    if (a == NULL || strcmp(a, "kept") != 0)
        return 4;
    memset(a, 1, 100000);
    free(a);
    free(b);
    free(c);
    return 0;                   // d is never given back
}
