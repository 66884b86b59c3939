// Mapped files, and files that are written whole or not at all.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "tests/folder.h"

static char folder[64];
static char path[128];
static lll_error err;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-file-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/a.bin", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);       // fails when anything was left behind
}

static void contains(const char *bytes, size_t n)
{
    file_map map;
    assert_int_equal(file_map_open(&map, path, &err), LLL_OK);
    assert_int_equal(map.n_bytes, n);
    assert_memory_equal(map.bytes, bytes, n);
    file_map_close(&map);
    assert_null(map.bytes);
    file_map_close(&map);
}

static void whole(void **state)
{
    file_writer out;
    (void)state;
    assert_int_equal(file_create(&out, path, &err), LLL_OK);
    assert_int_equal(file_write(&out, "hello", 5, &err), LLL_OK);
    assert_int_equal(file_write(&out, "", 0, &err), LLL_OK);
    assert_int_equal(out.n_bytes, 5);
    assert_int_equal(access(path, F_OK), -1);       // not before the commit
    assert_int_equal(file_commit(&out, &err), LLL_OK);
    assert_int_equal(out.handle, -1);
    file_abandon(&out);
    contains("hello", 5);
    assert_int_equal(folder_entries(folder), 1);
}

// Below, at and above the size of the buffer, in pieces of many sizes.
static void pieces(void **state)
{
    static unsigned char bytes[3 * FILE_BUFFER_BYTES];
    static const size_t sizes[] = {1, 1000, FILE_BUFFER_BYTES - 1,
                                   FILE_BUFFER_BYTES, FILE_BUFFER_BYTES + 1};
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t total = sizes[s] == 1 ? 5000 : sizeof bytes;
        file_writer out;
        assert_int_equal(file_create(&out, path, &err), LLL_OK);
        for (size_t at = 0; at < total; at += sizes[s]) {
            size_t n = total - at < sizes[s] ? total - at : sizes[s];
            assert_int_equal(file_write(&out, bytes + at, n, &err), LLL_OK);
        }
        assert_int_equal(file_commit(&out, &err), LLL_OK);
        contains((const char *)bytes, total);
    }
}

static void abandoned(void **state)
{
    file_writer out, zeroed = {0};
    (void)state;
    assert_int_equal(file_create(&out, path, &err), LLL_OK);
    assert_int_equal(file_write(&out, "old", 3, &err), LLL_OK);
    assert_int_equal(file_commit(&out, &err), LLL_OK);
    assert_int_equal(file_create(&out, path, &err), LLL_OK);
    assert_int_equal(file_write(&out, "new", 3, &err), LLL_OK);
    assert_int_equal(folder_entries(folder), 2);
    file_abandon(&out);
    file_abandon(&out);
    contains("old", 3);
    assert_int_equal(folder_entries(folder), 1);
    file_abandon(&zeroed);
    assert_true(fcntl(0, F_GETFD) != -1);           // stdin is still open
}

// A limit on the size of files stands in for a full disk.
static void full_disk(void **state)
{
    static unsigned char bytes[FILE_BUFFER_BYTES + 1];
    struct rlimit before, small;
    file_writer out;
    (void)state;
    assert_int_equal(file_create(&out, path, &err), LLL_OK);
    assert_int_equal(file_write(&out, "old", 3, &err), LLL_OK);
    assert_int_equal(file_commit(&out, &err), LLL_OK);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(file_create(&out, path, &err), LLL_OK);
    lll_status status = file_write(&out, bytes, sizeof bytes, &err);
    assert_int_equal(file_write(&out, bytes, 1, NULL), LLL_ERR_ARGUMENT);
    assert_int_equal(file_commit(&out, NULL), LLL_ERR_ARGUMENT);
    // And when it is only the last buffer that does not fit.
    file_create(&out, path, NULL);
    file_write(&out, bytes, 2000, NULL);
    lll_status late = file_commit(&out, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, LLL_ERR_IO);
    assert_non_null(strstr(err.text, "a.bin: cannot write after 0 bytes: "));
    assert_int_equal(late, LLL_ERR_IO);
    contains("old", 3);
    assert_int_equal(folder_entries(folder), 1);
}

// The file comes to where the link is; what it led to stays.
static void link_is_replaced(void **state)
{
    file_writer out;
    char target[160];
    struct stat info;
    (void)state;
    snprintf(target, sizeof target, "%s/target", folder);
    FILE *old = fopen(target, "w");
    assert_non_null(old);
    fputs("old", old);
    fclose(old);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(file_create(&out, path, &err), LLL_OK);
    assert_int_equal(file_write(&out, "longer", 6, &err), LLL_OK);
    assert_int_equal(file_commit(&out, &err), LLL_OK);
    contains("longer", 6);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_size, 3);
    unlink(target);
}

static void planned(void **state)
{
    (void)state;
    assert_int_equal(file_writer_bytes(""), file_writer_bytes("abc") - 6);
    assert_true(file_writer_bytes("") > FILE_BUFFER_BYTES);
}

static void refused(void **state)
{
    file_map map = {.n_bytes = 7};
    file_writer out;
    char other[160];
    (void)state;
    assert_int_equal(file_map_open(&map, folder, &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "found a directory"));
    assert_int_equal(file_map_open(&map, path, &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_map_open(&map, path, &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "a device or a pipe"));
    assert_int_equal(file_create(&out, path, &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "not a regular file"));
    file_abandon(&out);
    unlink(path);
    fclose(fopen(path, "w"));
    assert_int_equal(file_map_open(&map, path, &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "empty"));
    assert_int_equal(map.n_bytes, 7);
    snprintf(other, sizeof other, "%s/no/such", folder);
    assert_int_equal(file_create(&out, other, &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "no/such: cannot create it"));
    file_abandon(&out);
    assert_int_equal(file_create(&out, "", &err), LLL_ERR_IO);
    assert_non_null(strstr(err.text, "is empty"));
    file_abandon(&out);
    assert_int_equal(file_create(&out, folder, &err), LLL_ERR_IO);
    file_abandon(&out);
}

// What a program with our number left behind, when it died.
static void stale(void **state)
{
    char partial[160];
    file_writer out;
    (void)state;
    for (int i = 0; i <= 101; i++) {
        if (i <= 2 || i > 100) {
            assert_int_equal(file_create(&out, path, &err),
                             i > 100 ? LLL_ERR_IO : LLL_OK);
            file_abandon(&out);
        }
        snprintf(partial, sizeof partial, i == 0 ? "%s.partial-%ld"
                 : "%s.partial-%ld-%d", path, (long)getpid(), i);
        fclose(fopen(partial, "w"));
    }
    assert_non_null(strstr(err.text, "a.bin: cannot create it: "));
    assert_null(strstr(err.text, "partial"));
    // Nobody else's file is removed.
    assert_int_equal(folder_entries(folder), 102);
    for (int i = 0; i <= 101; i++) {
        snprintf(partial, sizeof partial, i == 0 ? "%s.partial-%ld"
                 : "%s.partial-%ld-%d", path, (long)getpid(), i);
        unlink(partial);
    }
}

static void same(void **state)
{
    char other[160], link_name[160], hard[160];
    (void)state;
    snprintf(other, sizeof other, "%s/b.bin", folder);
    snprintf(link_name, sizeof link_name, "%s/c.bin", folder);
    snprintf(hard, sizeof hard, "%s/./d.bin", folder);
    assert_false(file_is_same(path, path));         // not there yet
    fclose(fopen(path, "w"));
    fclose(fopen(other, "w"));
    assert_int_equal(symlink(path, link_name), 0);
    assert_int_equal(link(path, hard), 0);
    assert_true(file_is_same(path, path));
    assert_true(file_is_same(path, link_name));
    assert_true(file_is_same(hard, path));
    assert_false(file_is_same(path, other));
    assert_false(file_is_same(path, "/nonexistent"));
    unlink(other);
    unlink(link_name);
    unlink(hard);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);       // so that write() fails instead
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(pieces, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(abandoned, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(full_disk, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(link_is_replaced, make_folder,
                                        remove_folder),
        cmocka_unit_test(planned),
        cmocka_unit_test_setup_teardown(refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(stale, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(same, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
