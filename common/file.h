#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stddef.h>

#include "common/error.h"

// Files as memory, and files that are either written whole or not at all.
// The only module that calls mmap. Taught in chapter 3.

// A file mapped read-only: its bytes appear in memory when they are first
// touched, and are shared with every other process that maps it.
typedef struct {
    const unsigned char *bytes;     // NULL when closed
    size_t n_bytes;
} file_map;

// Map the whole of `path`.
// LLL_ERR_IO   it is missing, a directory, not a regular file, empty, or the
//              system refuses; the sentence says which
lll_status file_map_open(file_map *map, const char *path, lll_error *err);
void file_map_close(file_map *map);

// A file in the making. Bytes go to "PATH.partial-PID" beside the
// destination; file_commit() syncs and renames, so that `path` is at every
// moment either the old file or the whole new one.
typedef struct {
    int handle;                     // -1 when closed
    char *path;                     // where it will be; owned
    char *partial;                  // where it is now; owned
    unsigned char *buffer;          // owned, FILE_BUFFER_BYTES
    size_t buffered;
    unsigned long long n_bytes;     // written so far, buffered ones included
} file_writer;

lll_status file_create(file_writer *out, const char *path, lll_error *err);
lll_status file_write(file_writer *out, const void *bytes, size_t n_bytes,
                      lll_error *err);
// LLL_ERR_IO   a disk that is full, say; the partial file is removed and
//              `path` is untouched
lll_status file_commit(file_writer *out, lll_error *err);
// Remove the partial file. Accepts a zeroed or a committed writer.
void file_abandon(file_writer *out);

#endif
