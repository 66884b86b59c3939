#include "tests/fuzz/memory_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"

static struct { char path[64]; unsigned char *bytes; size_t n_bytes; }
files[MEMORY_FILES];

static int find(const char *path)
{
    for (int i = 0; i < MEMORY_FILES; i++)
        if (files[i].bytes != NULL && strcmp(files[i].path, path) == 0)
            return i;
    return -1;
}

static unsigned char *copy_of(const void *bytes, size_t n)
{
    unsigned char *copy = malloc(n);
    if (copy == NULL)
        abort();
    return memcpy(copy, bytes, n);
}

void memory_file_set(const char *path, const void *bytes, size_t n_bytes)
{
    unsigned char *copy = n_bytes > 0 ? copy_of(bytes, n_bytes) : NULL;
    int i = find(path);
    for (int k = 0; i < 0 && k < MEMORY_FILES; k++)
        if (files[k].bytes == NULL)
            i = k;
    if (i < 0 || strlen(path) >= sizeof files[i].path)
        abort();
    free(files[i].bytes);
    strcpy(files[i].path, path);
    files[i].bytes = copy;
    files[i].n_bytes = n_bytes;
}

void memory_file_clear(void)
{
    for (int i = 0; i < MEMORY_FILES; i++)
        free(files[i].bytes);
    memset(files, 0, sizeof files);
}

lll_status file_map_open(file_map *map, const char *path, lll_error *err)
{
    int i = find(path);
    if (i < 0)
        return lll_fail(err, LLL_ERR_IO, "%s: is not there", path);
    map->bytes = copy_of(files[i].bytes, files[i].n_bytes);
    map->n_bytes = files[i].n_bytes;
    return LLL_OK;
}

void file_map_close(file_map *map)
{
    free((void *)(size_t)map->bytes);
    memset(map, 0, sizeof *map);
}

bool file_is_same(const char *a, const char *b)
{
    return find(a) >= 0 && strcmp(a, b) == 0;
}

size_t file_writer_bytes(const char *path)
{
    return strlen(path) + 1;
}

void file_abandon(file_writer *out)
{
    free(out->path);
    free(out->buffer);
    memset(out, 0, sizeof *out);
}

lll_status file_create(file_writer *out, const char *path, lll_error *err)
{
    memset(out, 0, sizeof *out);
    out->path = (char *)copy_of(path, strlen(path) + 1);
    lll_fail(err, LLL_OK, "%s", path);
    return LLL_OK;
}

lll_status file_write(file_writer *out, const void *bytes, size_t n_bytes,
                      lll_error *err)
{
    (void)err;
    unsigned char *longer = realloc(out->buffer, out->n_bytes + n_bytes + 1);
    if (longer == NULL)
        abort();
    if (n_bytes > 0)
        memcpy(longer + out->n_bytes, bytes, n_bytes);
    out->buffer = longer;
    out->n_bytes += n_bytes;
    return LLL_OK;
}

lll_status file_commit(file_writer *out, lll_error *err)
{
    (void)err;
    memory_file_set(out->path, out->buffer, out->n_bytes);
    file_abandon(out);
    return LLL_OK;
}
