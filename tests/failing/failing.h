#ifndef TESTS_FAILING_H
#define TESTS_FAILING_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// What a module asks the system for, so that a test can refuse it. Modules
// compiled with -include of this file call the functions below; they fail
// when it is their turn, with errno set, and do their work otherwise.

// The n-th call from now fails, and every one after it does not. 0: none.
void failing_set(int n);
// Did it come to that?
bool failing_happened(void);

void *failing_malloc(size_t n);
void *failing_calloc(size_t n, size_t size);
void *failing_realloc(void *block, size_t n);
int failing_open(const char *path, int flags, unsigned mode);
int failing_fstat(int handle, struct stat *info);
void *failing_mmap(void *at, size_t n, int protection, int flags, int handle,
                   off_t offset);
ssize_t failing_write(int handle, const void *bytes, size_t n);
int failing_fsync(int handle);
int failing_rename(const char *from, const char *to);

#ifndef FAILING_C
#define malloc(n) failing_malloc(n)
#define calloc(n, size) failing_calloc(n, size)
#define realloc(block, n) failing_realloc(block, n)
// With or without a mode: the 0 is one too many, or it is the mode.
#define open(path, ...) failing_open_any(path, __VA_ARGS__, 0, 0)
#define failing_open_any(path, flags, mode, ...) \
    failing_open(path, flags, mode)
#define fstat(handle, info) failing_fstat(handle, info)
#define mmap(at, n, protection, flags, handle, offset) \
    failing_mmap(at, n, protection, flags, handle, offset)
#define write(handle, bytes, n) failing_write(handle, bytes, n)
#define fsync(handle) failing_fsync(handle)
#define rename(from, to) failing_rename(from, to)
#endif

#endif
