#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// @begin file-checks
// Is the open file something that can be mapped, and how long is it?
static lll_status check_regular(int handle, const char *path, size_t *n_bytes,
                                lll_error *err)
{
    struct stat info;
    if (fstat(handle, &info) != 0)
        return lll_fail(err, LLL_ERR_IO, "%s: cannot look at it: %s", path,
                        strerror(errno));
    if (S_ISDIR(info.st_mode))
        return lll_fail(err, LLL_ERR_IO, "%s: found a directory, expected a "
                        "file; name one of the files in it", path);
    if (!S_ISREG(info.st_mode))
        return lll_fail(err, LLL_ERR_IO, "%s: found a device or a pipe, "
                        "expected a regular file; copy its bytes to a file "
                        "first", path);
    if (info.st_size == 0)
        return lll_fail(err, LLL_ERR_IO, "%s: found an empty file; fetch or "
                        "write it again", path);
    if ((uint64_t)info.st_size > SIZE_MAX)
        return lll_fail(err, LLL_ERR_IO, "%s: larger than the memory that "
                        "this machine can address", path);
    *n_bytes = (size_t)info.st_size;
    return LLL_OK;
}
// @end file-checks

// @begin file-map
lll_status file_map_open(file_map *map, const char *path, lll_error *err)
{
    // Opening a pipe would wait for its writer; O_NONBLOCK means nothing to
    // a regular file.
    int handle = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (handle < 0)
        return lll_fail(err, LLL_ERR_IO, "%s: cannot open it: %s%s", path,
                        strerror(errno), errno == ENOENT
                        ? "; check the name and the folder" : "");
    size_t n_bytes = 0;
    void *bytes = MAP_FAILED;
    lll_status status = check_regular(handle, path, &n_bytes, err);
    if (status == LLL_OK) {
        bytes = mmap(NULL, n_bytes, PROT_READ, MAP_PRIVATE, handle, 0);
        if (bytes == MAP_FAILED)
            status = lll_fail(err, LLL_ERR_IO, "%s: cannot map its %zu "
                              "bytes: %s", path, n_bytes, strerror(errno));
    }
    close(handle);              // the mapping holds on to the file by itself
    if (status == LLL_OK) {
        map->bytes = bytes;
        map->n_bytes = n_bytes;
    }
    return status;
}

void file_map_close(file_map *map)
{
    // The one cast that takes away const: munmap writes nothing.
    if (map->bytes != NULL)
        munmap((void *)(uintptr_t)map->bytes, map->n_bytes);
    memset(map, 0, sizeof *map);
}
// @end file-map

// @begin file-is-same
bool file_is_same(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0
           && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}
// @end file-is-same

// @begin file-create
void file_abandon(file_writer *out)
{
    // A zeroed writer's handle is 0, which is standard input: the names say
    // whether anything is open.
    if (out->partial != NULL && out->handle >= 0) {
        close(out->handle);
        unlink(out->partial);
    }
    free(out->path);
    free(out->partial);
    free(out->buffer);
    memset(out, 0, sizeof *out);
    out->handle = -1;
}
// @end file-create

// @begin file-creation
// Name the partial file and open it. A program that died and had our number
// may have left its file behind, so a name that is taken is not the end.
static int open_partial(file_writer *out, size_t capacity)
{
    enum { ATTEMPTS = 100 };
    long number = (long)getpid();
    int handle = -1;
    snprintf(out->partial, capacity, "%s.partial-%ld", out->path, number);
    for (int i = 0; i <= ATTEMPTS; i++) {
        if (i > 0)
            snprintf(out->partial, capacity, "%s.partial-%ld-%d", out->path,
                     number, i);
        handle = open(out->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                      0666);
        if (handle >= 0 || errno != EEXIST)
            break;
    }
    return handle;
}
// @end file-creation

// @begin file-writer-bytes
enum { SUFFIX_BYTES = 40 };             // of ".partial-PID-N"

size_t file_writer_bytes(const char *path)
{
    return 2 * (strlen(path) + 1) + SUFFIX_BYTES + FILE_BUFFER_BYTES;
}
// @end file-writer-bytes

// @begin file-creation-2
lll_status file_create(file_writer *out, const char *path, lll_error *err)
{
    struct stat info;
    size_t length = strlen(path) + 1, capacity = length + SUFFIX_BYTES;
    memset(out, 0, sizeof *out);
    out->handle = -1;
    if (path[0] == '\0')
        return lll_fail(err, LLL_ERR_IO, "the name of the file to write is "
                        "empty, expected a path");
    // Renaming onto a device would replace it: /dev/null among them.
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return lll_fail(err, LLL_ERR_IO, "%s: cannot write there: it is not "
                        "a regular file; choose another name", path);

    out->path = malloc(length);
    out->partial = malloc(capacity);
    out->buffer = malloc(FILE_BUFFER_BYTES);
    if (out->path == NULL || out->partial == NULL || out->buffer == NULL) {
        file_abandon(out);
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory for a buffer of "
                        "%d bytes", path, FILE_BUFFER_BYTES);
    }
    memcpy(out->path, path, length);
    out->handle = open_partial(out, capacity);
    if (out->handle < 0) {
        lll_fail(err, LLL_ERR_IO, "%s: cannot create it: %s", path,
                 strerror(errno));
        file_abandon(out);
        return LLL_ERR_IO;
    }
    return LLL_OK;
}
// @end file-creation-2

// @begin file-write
static lll_status failed(file_writer *out, const char *what, lll_error *err)
{
    const int why = errno;
    const bool full = why == ENOSPC || why == EDQUOT || why == EFBIG;
    struct stat info;
    lll_fail(err, LLL_ERR_IO, "%s: cannot %s after %llu bytes: %s; %s%s",
             out->path, what, out->n_bytes, strerror(why),
             full ? "make room or choose another folder; " : "",
             stat(out->path, &info) == 0
             ? "what was there before is untouched" : "nothing was written");
    file_abandon(out);
    return LLL_ERR_IO;
}

static bool write_all(int handle, const unsigned char *bytes, size_t n)
{
    while (n > 0) {
        // Short writes are normal for large n, and a signal may interrupt.
        ssize_t written = write(handle, bytes, n > 1 << 30 ? 1 << 30 : n);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
    }
    return true;
}

static bool flush(file_writer *out)
{
    size_t n = out->buffered;
    out->buffered = 0;
    return write_all(out->handle, out->buffer, n);
}
// @end file-write

// @begin file-writing
lll_status file_write(file_writer *out, const void *bytes, size_t n_bytes,
                      lll_error *err)
{
    if (out->partial == NULL)
        return lll_fail(err, LLL_ERR_ARGUMENT, "writing to a closed file");
    bool ok = true;
    if (n_bytes > FILE_BUFFER_BYTES - out->buffered)
        ok = flush(out);
    if (ok && n_bytes > FILE_BUFFER_BYTES) {
        ok = write_all(out->handle, bytes, n_bytes);    // no need to copy
    } else if (ok && n_bytes > 0) {
        memcpy(out->buffer + out->buffered, bytes, n_bytes);
        out->buffered += n_bytes;
    }
    if (!ok)
        return failed(out, "write", err);
    out->n_bytes += n_bytes;
    return LLL_OK;
}
// @end file-writing

// @begin file-commit
// A rename is safe on the disk only when the folder is, too. Where the
// system can not sync a folder, the file itself is still whole.
static void sync_folder(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        slash[slash == path ? 1 : 0] = '\0';
    int handle = open(slash != NULL ? path : ".", O_RDONLY | O_CLOEXEC);
    if (handle >= 0) {
        fsync(handle);
        close(handle);
    }
}

lll_status file_commit(file_writer *out, lll_error *err)
{
    if (out->partial == NULL)
        return lll_fail(err, LLL_ERR_ARGUMENT, "committing a closed file");
    if (!flush(out))
        return failed(out, "write", err);
    // Without the sync a power cut could leave the new name on old emptiness.
    if (fsync(out->handle) != 0)
        return failed(out, "sync", err);
    if (rename(out->partial, out->path) != 0)
        return failed(out, "rename", err);
    close(out->handle);         // synced above: nothing is left to go wrong
    out->handle = -1;
    sync_folder(out->path);
    file_abandon(out);
    return LLL_OK;
}
// @end file-commit
