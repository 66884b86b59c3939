// Files of models that nobody holds as a whole: written piece by piece.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "common/gguf.h"
#include "common/gguf_write.h"
#include "tests/folder.h"

static char folder[64], whole[128], pieces[128];
static lll_error err;
static unsigned char data[40000];

static int make_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 13);
    snprintf(folder, sizeof folder, "/tmp/test-write-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(whole, sizeof whole, "%s/whole.gguf", folder);
    snprintf(pieces, sizeof pieces, "%s/pieces.gguf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(whole);
    unlink(pieces);
    return rmdir(folder);       // fails when anything was left behind
}

static const uint64_t dims[][2] = {{5, 1}, {32, 100}, {3, 7}, {160, 9}};
static const dtype types[] = {DTYPE_F32, DTYPE_Q8_0, DTYPE_F16, DTYPE_Q4_1};
enum { N_TENSORS = 4 };

static void add(gguf_writer *out, uint32_t alignment, const void *from)
{
    gguf_writer_init(out);
    gguf_set_string(out, "general.architecture", "llama", 5);
    gguf_set_u32(out, "general.alignment", alignment);
    for (int i = 0; i < N_TENSORS; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        gguf_add_tensor(out, name, types[i], dims[i], 2, from);
    }
}

static size_t length_of(int i)
{
    static const uint64_t blocks[] = {5, 100, 21, 45};
    static const size_t bytes[] = {4, 34, 2, 20};
    return (size_t)blocks[i] * bytes[i];
}

static void in_pieces(gguf_writer *out, size_t piece)
{
    assert_int_equal(gguf_write_begin(out, pieces, &err), LLL_OK);
    for (int i = 0; i < N_TENSORS; i++)
        for (size_t at = 0; at < length_of(i); at += piece) {
            size_t left = length_of(i) - at;
            assert_int_equal(gguf_write_data(out, data + at, left < piece
                                             ? left : piece, &err), LLL_OK);
            assert_int_equal(access(pieces, F_OK), -1);
        }
    assert_int_equal(gguf_write_end(out, &err), LLL_OK);
}

static void same_files(void)
{
    file_map a, b;
    assert_int_equal(file_map_open(&a, whole, &err), LLL_OK);
    assert_int_equal(file_map_open(&b, pieces, &err), LLL_OK);
    assert_int_equal(a.n_bytes, b.n_bytes);
    assert_memory_equal(a.bytes, b.bytes, a.n_bytes);
    file_map_close(&a);
    file_map_close(&b);
}

// However it is cut, and wherever tensors have to begin.
static void pieces_make_the_whole(void **state)
{
    static const uint32_t alignments[] = {8, 32, 64, 4096, 65536};
    static const size_t sizes[] = {1, 7, 34, 4000};
    gguf_writer out;
    gguf_file file;
    (void)state;
    for (int a = 0; a < 5; a++) {
        add(&out, alignments[a], data);
        assert_int_equal(gguf_write(&out, whole, &err), LLL_OK);
        gguf_writer_free(&out);
        for (int s = 0; s < 4; s++) {
            add(&out, alignments[a], NULL);
            in_pieces(&out, sizes[s]);
            gguf_writer_free(&out);
            same_files();
            unlink(pieces);
        }
        assert_int_equal(gguf_open(&file, whole, &err), LLL_OK);
        for (int i = 0; i < N_TENSORS; i++) {
            assert_int_equal(file.tensors[i].n_bytes, length_of(i));
            assert_memory_equal(file.tensors[i].data, data, length_of(i));
        }
        gguf_close(&file);
    }
}

// One writer may write what it holds twice.
static void begun_again(void **state)
{
    gguf_writer out;
    (void)state;
    add(&out, 32, data);
    assert_int_equal(gguf_write_begin(&out, pieces, &err), LLL_OK);
    assert_int_equal(gguf_write_data(&out, data, 8, &err), LLL_OK);
    assert_int_equal(gguf_write(&out, whole, &err), LLL_OK);
    assert_int_equal(folder_entries(folder), 1);
    in_pieces(&out, 100);
    gguf_writer_free(&out);
    same_files();
}

// Steps out of turn, each after `n` bytes of the first tensor's 20.
static void out_of_turn(void **state)
{
    static const struct { size_t n, piece; const char *sentence; } cases[] = {
        {0, 21, "tensor a: found more data, expected 20 more bytes"},
        {12, 9, "tensor a: found more data, expected 8 more bytes"},
        {12, 0, "tensor a: found the end, expected 8 more bytes"},
        {20, 0, "tensor b: found the end, expected 3400 more bytes"},
    };
    gguf_writer out;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t piece = cases[i].piece;
        add(&out, 32, NULL);
        assert_int_equal(gguf_write_begin(&out, whole, &err), LLL_OK);
        assert_int_equal(gguf_write_data(&out, data, cases[i].n, &err),
                         LLL_OK);
        assert_int_equal(piece > 0 ? gguf_write_data(&out, data, piece, &err)
                         : gguf_write_end(&out, &err), LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, cases[i].sentence));
        assert_ptr_equal(strstr(err.text, whole), err.text);
        assert_int_equal(folder_entries(folder), 0);
        assert_int_equal(gguf_write_data(&out, data, 1, &err),
                         LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, "a file that is not begun"));
        assert_int_equal(gguf_write_end(&out, &err), LLL_ERR_ARGUMENT);
        gguf_writer_free(&out);
    }
    add(&out, 32, NULL);
    assert_int_equal(gguf_write(&out, whole, &err), LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "tensor a: found no data"));
    in_pieces(&out, 40000);
    assert_int_equal(gguf_write_data(&out, data, 1, &err), LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "tensor after the last: "));
    gguf_writer_free(&out);
}

// Room that was asked for beforehand is enough, and counted.
static void reserved(void **state)
{
    gguf_writer out, grown;
    (void)state;
    add(&grown, 32, data);
    size_t values = grown.values_bytes;
    assert_int_equal(gguf_write(&grown, whole, &err), LLL_OK);
    gguf_writer_free(&grown);

    gguf_writer_init(&out);
    gguf_writer_reserve(&out, values, N_TENSORS);
    const void *lists[] = {out.values, out.tensors};
    gguf_set_string(&out, "general.architecture", "llama", 5);
    gguf_set_u32(&out, "general.alignment", 32);
    for (int i = 0; i < N_TENSORS; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        gguf_add_tensor(&out, name, types[i], dims[i], 2, data);
    }
    assert_ptr_equal(out.values, lists[0]);
    assert_ptr_equal(out.tensors, lists[1]);
    assert_int_equal(gguf_write(&out, pieces, &err), LLL_OK);
    gguf_writer_free(&out);
    same_files();
    size_t without = gguf_writer_bytes(values, N_TENSORS, NULL);
    assert_true(without > values + N_TENSORS * sizeof(uint64_t[4]));
    assert_true(gguf_writer_bytes(values, N_TENSORS, whole)
                > without + FILE_BUFFER_BYTES);
}

static void given_up(void **state)
{
    gguf_writer out, zeroed = {0};
    (void)state;
    add(&out, 32, NULL);
    assert_int_equal(gguf_write_begin(&out, whole, &err), LLL_OK);
    assert_int_equal(folder_entries(folder), 1);
    gguf_writer_free(&out);
    assert_int_equal(folder_entries(folder), 0);
    gguf_writer_free(&out);
    gguf_writer_free(&zeroed);
}

// Shapes of a model that no disk holds: the sizes are added up with care.
static void longer_than_any_file(void **state)
{
    static const uint64_t large[] = {(uint64_t)1 << 60};
    gguf_writer out;
    (void)state;
    add(&out, 32, NULL);
    for (int i = 0; i < 4; i++)
        gguf_add_tensor(&out, &"lmno"[i], DTYPE_F32, large, 1, NULL);
    assert_int_equal(gguf_write_begin(&out, whole, &err), LLL_ERR_OVERFLOW);
    assert_non_null(strstr(err.text, "its 8 tensors are longer than any"));
    assert_int_equal(folder_entries(folder), 0);
    gguf_writer_free(&out);
}

// What can not be written is refused when it is added, and told when writing
// begins.
static void refused_when_added(void **state)
{
    static const char *const sentences[] = {
        "key a: an array of 1 items of type STRING, expected numbers",
        "key a: an array of 18446744073709551615 items of type U64, expected",
        "tensor a: 5 dimensions and a name of 1 bytes, expected 1 to 4",
        "tensor a: 0 dimensions and a name of 1 bytes, expected 1 to 4",
        "1 dimensions and a name of 64 bytes, expected 1 to 4 and at most 63",
        "no memory for 18446744073709551615 items of 1 bytes in the lists",
        "0 tensors and 65537 metadata entries, expected at most 65536",
        "key a: 2097152 texts are announced, expected at most 2097152 in a",
        "a second time, expected once",
    };
    gguf_writer out;
    gguf_string *texts = calloc(GGUF_MAX_ENTRIES, sizeof *texts);
    char long_key[481];
    (void)state;
    assert_non_null(texts);
    memset(long_key, 'X', 480);
    long_key[480] = '\0';
    for (int i = 0; i < 9; i++) {
        gguf_writer_init(&out);
        if (i == 0)
            gguf_set_array(&out, "a", GGUF_STRING, data, 1);
        else if (i == 1)
            gguf_set_array(&out, "a", GGUF_U64, data, UINT64_MAX);
        else if (i == 2 || i == 3)
            gguf_add_tensor(&out, "a", DTYPE_F32, dims[0], i == 2 ? 5 : 0,
                            data);
        else if (i == 4)
            gguf_add_named(&out, (gguf_string){(char *)data, 64}, DTYPE_F32,
                           dims[0], 1, data);
        else if (i == 5)
            gguf_set_string(&out, "a", (char *)data, SIZE_MAX - 8);
        else if (i == 7)
            gguf_set_strings(&out, "a", texts, GGUF_MAX_ENTRIES);
        for (int n = 0; i == 8 && n < 2; n++)
            gguf_set_bool(&out, long_key, true);
        for (int n = 0; i == 6 && n <= 65536; n++) {
            char key[16];
            snprintf(key, sizeof key, "%d", n);
            gguf_set_bool(&out, key, true);
        }
        lll_status status = gguf_write(&out, whole, &err);
        assert_int_equal(status, i == 5 ? LLL_ERR_MEMORY : LLL_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, sentences[i]));
        assert_int_equal(folder_entries(folder), 0);
        gguf_writer_free(&out);
    }
    free(texts);
}

// What llama.cpp and we read: a name of 63 bytes, a text fewer than the most.
static void the_longest(void **state)
{
    gguf_writer out;
    gguf_file file;
    gguf_string *texts = calloc(GGUF_MAX_ENTRIES, sizeof *texts);
    (void)state;
    assert_non_null(texts);
    gguf_writer_init(&out);
    gguf_set_strings(&out, "a", texts, GGUF_MAX_ENTRIES - 2);
    gguf_add_named(&out, (gguf_string){(char *)data, 63}, DTYPE_F32, dims[0],
                   1, data);
    assert_int_equal(gguf_write(&out, whole, &err), LLL_OK);
    assert_int_equal(gguf_open(&file, whole, &err), LLL_OK);
    assert_int_equal(file.tensors[0].name.n_bytes, 63);
    gguf_close(&file);
    gguf_writer_free(&out);
    free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_make_the_whole, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(begun_again, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(out_of_turn, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(reserved, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(given_up, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(the_longest, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(refused_when_added, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(longer_than_any_file, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
