// Encoding a few tokens at a time, in memory that was planned before: the
// same tokens as in one go, on the tiny model's vocabulary.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/tokenizer.h"

enum { LONG = 200000 };

typedef struct {
    gguf_file file;
    tokenizer t;
    int32_t ids[2 * LONG], other[2 * LONG];
    char text[LONG];
    void *room;
} bench;

static void open_bench(bench *b, size_t longest)
{
    lll_error err;
    assert_int_equal(gguf_open(&b->file, "data/tiny.gguf", &err), LLL_OK);
    assert_int_equal(tokenizer_init(&b->t, &b->file, NULL, &err), LLL_OK);
    b->room = malloc(tokenizer_room(longest));
    assert_non_null(b->room);
    memset(b->room, 0xee, tokenizer_room(longest));     // need not be zeroed
}

static void close_bench(bench *b)
{
    free(b->room);
    tokenizer_free(&b->t);
    gguf_close(&b->file);
}

static void a_text_in_steps(void **state)
{
    static const size_t steps[] = {1, 2, 7, 64, 1000, LONG};
    static bench b;
    (void)state;
    file_map map;
    lll_error err;
    size_t n = 0;
    open_bench(&b, 100);
    assert_int_equal(file_map_open(&map, "data/tiny.txt", &err), LLL_OK);
    const char *text = (const char *)map.bytes;
    assert_int_equal(tokenizer_encode(&b.t, text, map.n_bytes, 0, b.ids, LONG,
                                      &n, &err), LLL_OK);
    assert_true(n > 1000);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        tokenizer_encoder e;
        size_t done = 0, more;
        assert_int_equal(tokenizer_begin(&e, &b.t, text, map.n_bytes, 0,
                                         b.room, 100, &err), LLL_OK);
        do {
            assert_int_equal(tokenizer_more(&e, b.other + done, steps[i],
                                            &more, &err), LLL_OK);
            assert_true(more <= steps[i]);
            done += more;
        } while (more == steps[i]);
        assert_int_equal(done, n);
        assert_memory_equal(b.ids, b.other, n * sizeof *b.ids);
    }
    file_map_close(&map);
    close_bench(&b);
}

// A word of 2,000 letters, where 1,500 were planned for. tokenizer_encode()
// takes what it needs instead, for 200,000 of them.
static void a_piece_too_long(void **state)
{
    static bench b;
    (void)state;
    tokenizer_encoder e;
    lll_error err = {0};
    size_t n = 77;
    open_bench(&b, 1500);
    memset(b.text, 'z', LONG);
    assert_int_equal(tokenizer_begin(&e, &b.t, b.text, 2000, 0, b.room, 1500,
                                     &err), LLL_OK);
    assert_int_equal(tokenizer_more(&e, b.ids, 10, &n, &err),
                     LLL_ERR_OVERFLOW);
    assert_non_null(strstr(err.text, "2000 bytes, expected at most 1500"));
    assert_int_equal(n, 77);
    assert_int_equal(tokenizer_encode(&b.t, b.text, LONG, 0, b.ids, LONG, &n,
                                      &err), LLL_OK);
    // A word of its own behind the long one is found again.
    b.text[0] = b.text[2] = b.text[LONG - 2] = ' ';
    size_t with_words = 0;
    assert_int_equal(tokenizer_encode(&b.t, b.text, LONG, 0, b.ids, LONG,
                                      &with_words, &err), LLL_OK);
    assert_int_equal(tokenizer_decode(&b.t, b.ids, with_words, true,
                                      (char *)b.other, LONG), LONG);
    assert_memory_equal(b.other, b.text, LONG);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_in_steps),
        cmocka_unit_test(a_piece_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
