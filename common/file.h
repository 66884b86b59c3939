#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

// Files as memory, and files that are either written whole or not at all.
// The only module that calls mmap. Taught in chapter 3.

// A file mapped read-only: its bytes appear in memory when they are first
// touched, and are shared with every other process that maps it. Whoever
// shortens the file meanwhile takes bytes away from under us, and the system
// ends the program; replacing it by renaming, as below, is safe.
typedef struct {
    const unsigned char *bytes;     // NULL when closed
    size_t n_bytes;
} file_map;

// Map the whole of `path`. *map is left as it was on failure.
// LLL_ERR_IO   it is missing, a directory, not a regular file, empty, or the
//              system refuses; the sentence says which
lll_status file_map_open(file_map *map, const char *path, lll_error *err);
void file_map_close(file_map *map);     // accepts a zeroed struct

// Do both names lead to one file, by way of links even? Whoever writes what
// he reads asks this first: the new file would replace the old. False when
// either is missing.
bool file_is_same(const char *a, const char *b);

// A file in the making. Bytes go to "PATH.partial-PID" beside the
// destination, or to "PATH.partial-PID-1" and so on where a program that
// died left one behind; file_commit() syncs and renames, so that `path` is at
// every moment either the old file or the whole new one.
typedef struct {
    int handle;                     // -1 when closed
    char *path;                     // where it will be; owned
    char *partial;                  // where it is now; owned
    unsigned char *buffer;          // owned, FILE_BUFFER_BYTES
    size_t buffered;
    unsigned long long n_bytes;     // written so far, buffered ones included
} file_writer;

enum { FILE_BUFFER_BYTES = 1 << 18 };

// A `path` that is a link is replaced by the file, and what the link led to
// stays as it is.
//
// LLL_ERR_IO       an empty name; the folder is missing or closed to us,
//                  something that is not a regular file has that name, or a
//                  hundred partial files are in the way
// LLL_ERR_MEMORY   no room for the buffer
lll_status file_create(file_writer *out, const char *path, lll_error *err);
// What file_create() asks for.
size_t file_writer_bytes(const char *path);
// After any failure below the partial file is gone, `path` is untouched, and
// the writer is closed: only file_abandon() may follow.
lll_status file_write(file_writer *out, const void *bytes, size_t n_bytes,
                      lll_error *err);
// LLL_ERR_IO   a disk that is full, say
lll_status file_commit(file_writer *out, lll_error *err);
// Remove the partial file. Accepts a zeroed, failed or committed writer.
void file_abandon(file_writer *out);

#endif
