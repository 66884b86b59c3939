#define FAILING_C
#include "tests/failing/failing.h"

#include <errno.h>

static int left;
static bool happened;

void failing_set(int n)
{
    left = n;
    happened = false;
}

bool failing_happened(void)
{
    return happened;
}

static bool fails(int error)
{
    if (left == 0 || --left > 0)
        return false;
    happened = true;
    errno = error;
    return true;
}

void *failing_malloc(size_t n)
{
    return fails(ENOMEM) ? NULL : malloc(n);
}

void *failing_calloc(size_t n, size_t size)
{
    return fails(ENOMEM) ? NULL : calloc(n, size);
}

void *failing_realloc(void *block, size_t n)
{
    return fails(ENOMEM) ? NULL : realloc(block, n);
}

int failing_open(const char *path, int flags, unsigned mode)
{
    return fails(EACCES) ? -1 : open(path, flags, mode);
}

int failing_fstat(int handle, struct stat *info)
{
    return fails(EIO) ? -1 : fstat(handle, info);
}

void *failing_mmap(void *at, size_t n, int protection, int flags, int handle,
                   off_t offset)
{
    return fails(ENOMEM) ? MAP_FAILED
                         : mmap(at, n, protection, flags, handle, offset);
}

ssize_t failing_write(int handle, const void *bytes, size_t n)
{
    return fails(ENOSPC) ? -1 : write(handle, bytes, n);
}

int failing_fsync(int handle)
{
    return fails(EIO) ? -1 : fsync(handle);
}

int failing_rename(const char *from, const char *to)
{
    return fails(EXDEV) ? -1 : rename(from, to);
}
