#ifndef TESTS_FUZZ_MEMORY_FILE_H
#define TESTS_FUZZ_MEMORY_FILE_H

#include <stddef.h>

// common/file.h once more, without a disk: what a fuzzer makes up is read
// from memory, and what the writer writes goes there. Linked in place of
// common/file.c. Each map is a block of exactly its length, so that the
// address sanitizer sees the first byte that is read behind its end, which
// in a mapping is part of the last page.

// From now on `path` is a file of these bytes, which are copied; n_bytes 0
// takes it away. At most MEMORY_FILES names.
enum { MEMORY_FILES = 8 };
void memory_file_set(const char *path, const void *bytes, size_t n_bytes);
void memory_file_clear(void);

#endif
