#include "chapters/08-llama/requantize.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/convert.h"
#include "common/file.h"
#include "common/machine.h"
#include "common/progress.h"
#include "common/sha256.h"

// @begin requantize-folder
// A folder, and behind it a hash of 64 digits, a recipe and an ending.
enum { FOLDER_BYTES = 3900, PATH_BYTES = FOLDER_BYTES + 196 };

// An encoder that chooses other codes needs another number here, or old
// results would be taken for its own.
#define CACHE_VERSION 2

// Make a folder and those above it.
static lll_status make_folder(char *path, lll_error *err)
{
    for (char *slash = path + 1; ; slash++) {
        char kept = *slash;
        if (kept != '/' && kept != '\0')
            continue;
        *slash = '\0';
        int failed = mkdir(path, 0777) != 0 ? errno : 0;
        struct stat info;
        if (failed == EEXIST && stat(path, &info) == 0)
            failed = S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
        if (failed != 0)
            return lll_fail(err, LLL_ERR_IO, "%s: cannot make the folder: "
                            "%s; name another with --cache-dir", path,
                            strerror(failed));
        *slash = kept;
        if (kept == '\0')
            return LLL_OK;
    }
}
// @end requantize-folder

// @begin requantize-folder-2
static lll_status find_folder(const char *given, char *path, lll_error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (given != NULL)
        n = snprintf(path, FOLDER_BYTES, "%s", given);
    else if (cache != NULL && cache[0] == '/')      // else to be ignored
        n = snprintf(path, FOLDER_BYTES, "%s/llama-line-by-line", cache);
    else if (home != NULL && home[0] != '\0')
        n = snprintf(path, FOLDER_BYTES, "%s/.cache/llama-line-by-line",
                     home);
    if (n == 0)
        return lll_fail(err, LLL_ERR_USAGE, "--cache-dir is empty, expected "
                        "the name of a folder");
    if (n >= FOLDER_BYTES)
        return lll_fail(err, LLL_ERR_USAGE, "%.60s...: a folder's name of "
                        "%d bytes, expected less than %d; name another with "
                        "--cache-dir", path, n, FOLDER_BYTES);
    if (n < 0)
        return lll_fail(err, LLL_ERR_USAGE, "--requantize wants a folder "
                        "for its results, and neither XDG_CACHE_HOME nor "
                        "HOME names one; give --cache-dir");
    return make_folder(path, err);
}
// @end requantize-folder-2

// @begin requantize-hash
// Device, inode, size and time of change of every part, as a hash. Not the
// time of modification: that can be set to what it was.
static bool first_key(const gguf_file *file, char text[SHA256_TEXT])
{
    sha256 hash;
    sha256_init(&hash);
    for (size_t i = 0; i <= file->n_others; i++) {
        struct stat info;
        char line[128];
        if (stat(gguf_part_at(file, i).path, &info) != 0)
            return false;
        int n = snprintf(line, sizeof line, "%ju %ju %jd %jd.%09ld\n",
                         (uintmax_t)info.st_dev, (uintmax_t)info.st_ino,
                         (intmax_t)info.st_size,
#ifdef __APPLE__
                         (intmax_t)info.st_ctimespec.tv_sec,
                         info.st_ctimespec.tv_nsec);
#else
                         (intmax_t)info.st_ctim.tv_sec,
                         info.st_ctim.tv_nsec);
#endif
        sha256_add(&hash, line, (size_t)n);
    }
    sha256_finish(&hash, text);
    return true;
}
// @end requantize-hash

// @begin requantize-hash-2
static void hash_all(const gguf_file *file, char text[SHA256_TEXT])
{
    sha256 hash;
    sha256_init(&hash);
    for (size_t i = 0; i <= file->n_others; i++) {
        file_map map = gguf_part_at(file, i).map;
        sha256_add(&hash, map.bytes, map.n_bytes);
    }
    sha256_finish(&hash, text);
}
// @end requantize-hash-2

// @begin requantize-source
// The source's hash, from the folder if it is known there under the first
// key. That it cannot be written there is no reason to fail: it is made again
// next time.
static void hash_source(const gguf_file *file, const char *key,
                        const char *folder, char text[SHA256_TEXT])
{
    char path[PATH_BYTES];
    file_map map;
    file_writer out;
    snprintf(path, sizeof path, "%s/%s.sha256", folder, key);
    if (file_map_open(&map, path, NULL) == LLL_OK) {
        bool whole = map.n_bytes == SHA256_TEXT - 1;
        if (whole)
            memcpy(text, map.bytes, SHA256_TEXT - 1);
        text[SHA256_TEXT - 1] = '\0';
        file_map_close(&map);
        if (whole && strspn(text, "0123456789abcdef") == SHA256_TEXT - 1)
            return;
    }
    hash_all(file, text);
    if (file_create(&out, path, NULL) != LLL_OK)
        return;
    if (file_write(&out, text, SHA256_TEXT - 1, NULL) == LLL_OK)
        (void)file_commit(&out, NULL);
    file_abandon(&out);
}
// @end requantize-source

// @begin requantize-model
static lll_status convert_to(const gguf_file *file, const recipe *r,
                             const settings *set, const char *path,
                             lll_error *err)
{
    progress bar;
    convert_options options = {*r, NULL, (int)set->n_threads, progress_show,
                               &bar};
    if (options.n_threads == 0)
        options.n_threads = machine_cores();
    progress_begin(&bar, stderr, "converting");
    lll_status status = convert_file(file, path, &options, err);
    progress_end(&bar);
    if (status == LLL_OK && !set->quiet)
        fprintf(stderr, "kept as %s\n", path);
    return status;
}
// @end requantize-model

// @begin requantize-model-2
// Open the model between two looks at its first key: if both are the same,
// the key belongs to what was opened, and not to a file that came in between.
static lll_status open_source(const char *path, gguf_file *file,
                              char key[SHA256_TEXT], lll_error *err)
{
    char again[SHA256_TEXT];
    lll_status status = gguf_open(file, path, err);
    if (status != LLL_OK)
        return status;
    bool known = first_key(file, key);
    gguf_close(file);
    status = gguf_open(file, path, err);
    if (status != LLL_OK || (known && first_key(file, again)
                             && strcmp(key, again) == 0))
        return status;
    gguf_close(file);
    return lll_fail(err, LLL_ERR_IO, "%s: was replaced while it was opened; "
                    "try again", path);
}
// @end requantize-model-2

// @begin requantize
// Is a result there, and is it a model? A disk may have lost its end.
static bool is_there(const char *path)
{
    gguf_file file;
    if (gguf_open(&file, path, NULL) != LLL_OK)
        return false;
    gguf_close(&file);
    return true;
}

lll_status requantize(const settings *set, char *path, size_t capacity,
                      lll_error *err)
{
    char folder[FOLDER_BYTES], source[SHA256_TEXT], key[SHA256_TEXT];
    gguf_file file;
    recipe r;
    if (!recipe_find(set->requantize, &r))
        return lll_fail(err, LLL_ERR_USAGE, "--requantize %s: expected one "
                        "of %s", set->requantize, recipe_names());
    lll_status status = open_source(set->model, &file, key, err);
    if (status != LLL_OK)
        return status;
    status = find_folder(set->cache_dir, folder, err);
    if (status == LLL_OK) {
        hash_source(&file, key, folder, source);
        snprintf(path, capacity, "%s/%s-%s-%d.gguf", folder, source,
                 r.name, CACHE_VERSION);
        if (!is_there(path))
            status = convert_to(&file, &r, set, path, err);
    }
    gguf_close(&file);
    return status;
}
// @end requantize
