// Talks: turns taken back, and files that bring them back to the bit, or
// are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/generate.h"
#include "common/sha256.h"
#include "common/talk.h"

static const char FORMAT[] = "chatml";
static const int32_t words[] = {1, 87, 85, 276, 201, 42, 75, 2, 201, 1, 409};
enum { N_WORDS = 11 };

static session open_tiny(const char *cache_type, int n_ctx)
{
    session s;
    lll_error err;
    session_options o = session_defaults();
    o.n_ctx = n_ctx;
    o.n_threads = 1;
    o.cache_type = cache_type;
    if (session_open(&s, "data/tiny.gguf", &o, &err) != LLL_OK)
        fail_msg("%s", err.text);
    return s;
}

static void feed(session *s, const int32_t *ids, size_t n,
                 const float **logits)
{
    lll_error err;
    if (generate_prefill(&s->model, 0, ids, n, NULL, logits, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

static session a_talk(talk *t, const char *cache_type)
{
    const float *logits;
    session s = open_tiny(cache_type, 32);
    memset(t, 0, sizeof *t);
    feed(&s, words, 6, &logits);
    talk_add(t, 0, 4);
    feed(&s, words + 6, N_WORDS - 6, &logits);
    talk_add(t, 6, 8);
    return s;
}

// A name that nothing has.
static const char *new_path(char path[32])
{
    strcpy(path, "/tmp/talk-XXXXXX");
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    return path;
}

static void save(const talk *t, const session *s, const char *path)
{
    lll_error err;
    if (talk_save(t, s, FORMAT, path, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

static void a_talk_goes_on_to_the_bit(void **state)
{
    static const char *const types[] = {"f32", "f16"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        char path[32];
        talk said, t = {0};
        const float *want, *got;
        lll_error err;
        session s = a_talk(&said, types[i]);
        save(&said, &s, new_path(path));
        session other = open_tiny(types[i], 64);    // a larger context
        if (talk_load(&t, &other, FORMAT, path, &err) != LLL_OK)
            fail_msg("%s", err.text);
        assert_int_equal(t.n_turns, 2);
        assert_memory_equal(t.turns, said.turns, 2 * sizeof t.turns[0]);
        assert_int_equal(other.model.caches[0].length, N_WORDS);
        assert_memory_equal(generate_history(&other.model, 0), words,
                            sizeof words);
        feed(&s, words, 3, &want);
        feed(&other, words, 3, &got);
        assert_memory_equal(got, want,
                            (size_t)s.config.vocab_size * sizeof *got);
        session_close(&other);
        session_close(&s);
        remove(path);
    }
}

// What is kept between turns is what one run over all of it computes.
static void the_cache_is_that_of_a_fresh_run(void **state)
{
    (void)state;
    char a[32], b[32];
    const float *logits;
    talk t;
    session s = a_talk(&t, "f16"), fresh = open_tiny("f16", 32);
    feed(&fresh, words, N_WORDS, &logits);
    save(&t, &s, new_path(a));
    save(&t, &fresh, new_path(b));
    FILE *one = fopen(a, "rb"), *two = fopen(b, "rb");
    assert_true(one != NULL && two != NULL);
    int c;
    while ((c = fgetc(one)) == fgetc(two) && c != EOF)
        ;
    assert_true(feof(one) && feof(two));
    fclose(one);
    fclose(two);
    remove(a);
    remove(b);
    session_close(&fresh);
    session_close(&s);
}

static void turns_are_taken_back(void **state)
{
    (void)state;
    talk t;
    session s = a_talk(&t, "f16");
    assert_true(talk_undo(&t, &s));
    assert_int_equal(s.model.caches[0].length, 6);
    assert_true(talk_undo(&t, &s));
    assert_int_equal(s.model.caches[0].length, 0);
    assert_false(talk_undo(&t, &s));
    for (int i = 0; i < TALK_TURNS + 7; i++)
        talk_add(&t, 2 * i, 2 * i + 1);
    assert_int_equal(t.n_turns, TALK_TURNS);
    assert_int_equal(t.turns[0].begin, 14);
    assert_int_equal(t.turns[TALK_TURNS - 1].begin, 2 * TALK_TURNS + 12);
    talk_reset(&t, &s);
    assert_int_equal(t.n_turns, 0);
    session_close(&s);
}

// Refused with this code, and nothing changed.
static void refuse(session *s, const char *format, const char *path,
                   lll_status code, const char *said)
{
    talk t = {.n_turns = 1, .turns = {{3, 4}}}, before = t;
    lll_error err = {0};
    int length = s->model.caches[0].length;
    lll_status status = talk_load(&t, s, format, path, &err);
    if (status != code || strstr(err.text, said) == NULL
        || strstr(err.text, path) == NULL)
        fail_msg("expected %d \"%s\", found %d \"%s\"", (int)code, said,
                 (int)status, err.text);
    assert_memory_equal(&t, &before, sizeof t);
    assert_int_equal(s->model.caches[0].length, length);
}

static void files_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    char path[32];
    talk t;
    session s = a_talk(&t, "f16");
    save(&t, &s, new_path(path));
    refuse(&s, "zephyr", path, LLL_ERR_UNSUPPORTED, "template chatml");
    session wide = open_tiny("f32", 32);
    refuse(&wide, FORMAT, path, LLL_ERR_UNSUPPORTED, "a cache of F16");
    session_close(&wide);
    session small = open_tiny("f16", 10);
    refuse(&small, FORMAT, path, LLL_ERR_UNSUPPORTED, "use -c 11 or more");
    session_close(&small);
    refuse(&s, FORMAT, "data/tiny.gguf", LLL_ERR_FORMAT, "not a saved talk");
    remove(path);
    refuse(&s, FORMAT, path, LLL_ERR_IO, "");
    session_close(&s);
}

static void cut_at_every_byte_it_is_refused(void **state)
{
    (void)state;
    char path[32];
    talk t;
    struct stat info;
    session s = a_talk(&t, "f16");
    save(&t, &s, new_path(path));
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size > 1000);
    for (off_t n = info.st_size - 1; n > 0; n--) {
        assert_int_equal(truncate(path, n), 0);
        refuse(&s, FORMAT, path, LLL_ERR_FORMAT, "not a saved talk");
    }
    assert_int_equal(truncate(path, 0), 0);
    refuse(&s, FORMAT, path, LLL_ERR_IO, "empty");
    save(&t, &s, path);
    assert_int_equal(truncate(path, info.st_size + 1), 0);
    refuse(&s, FORMAT, path, LLL_ERR_FORMAT, "not a saved talk");
    remove(path);
    session_close(&s);
}

static void one_bit_is_enough_to_refuse_it(void **state)
{
    (void)state;
    char path[32];
    talk t, read;
    struct stat info;
    lll_error err;
    session s = a_talk(&t, "f16");
    save(&t, &s, new_path(path));
    assert_int_equal(stat(path, &info), 0);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long at = 0; at < info.st_size; at += at < 400 ? 1 : 13) {
        fseek(file, at, SEEK_SET);
        int byte = fgetc(file);
        for (int back = 0; back < 2; back++) {
            fseek(file, at, SEEK_SET);
            fputc(back ? byte : byte ^ 1 << at % 8, file);
            fflush(file);
            lll_status status = talk_load(&read, &s, FORMAT, path, &err);
            if ((status == LLL_OK) != back)
                fail_msg("byte %ld: %d, %s", at, (int)status, err.text);
        }
    }
    fclose(file);
    remove(path);
    session_close(&s);
}

// With the right hash, too: whoever makes such a file is not to be trusted.
static void made_up_numbers_are_refused(void **state)
{
    enum { LENGTH = 100, TURNS = 104, TEXT = 112, HEADER = 120,
           IDS = 4 * N_WORDS };
    static const char number[] = "numbers out of range",
                      length[] = "another length";
    static const struct { size_t at; int32_t value; const char *said; }
    bad[] = {
        {HEADER, -1, number}, {HEADER + 4, 512, number},
        {HEADER + IDS, -1, number}, {HEADER + IDS + 4, 0, number},
        {HEADER + IDS + 8, 3, number},
        {HEADER + IDS + 12, N_WORDS + 1, number},
        {LENGTH, N_WORDS - 1, length}, {LENGTH, N_WORDS + 1, length},
        {LENGTH, 0, length}, {TURNS, 1, length}, {TURNS, -1, length},
        {TURNS, TALK_TURNS + 1, length}, {TEXT, 0, length},
        {TEXT, -1, length}, {TEXT + 4, -1, length},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char path[32], hash[SHA256_TEXT];
        unsigned char bytes[1 << 14];
        sha256 sum;
        talk t;
        session s = a_talk(&t, "f16");
        save(&t, &s, new_path(path));
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        size_t n = fread(bytes, 1, sizeof bytes, file) - SHA256_TEXT;
        assert_true(n < sizeof bytes - SHA256_TEXT);
        memcpy(bytes + bad[i].at, &bad[i].value, sizeof bad[i].value);
        sha256_init(&sum);
        sha256_add(&sum, bytes, n);
        sha256_finish(&sum, hash);
        memcpy(bytes + n, hash, SHA256_TEXT);
        rewind(file);
        assert_int_equal(fwrite(bytes, 1, n + SHA256_TEXT, file),
                         n + SHA256_TEXT);
        fclose(file);
        refuse(&s, FORMAT, path, LLL_ERR_FORMAT, bad[i].said);
        remove(path);
        session_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_talk_goes_on_to_the_bit),
        cmocka_unit_test(the_cache_is_that_of_a_fresh_run),
        cmocka_unit_test(turns_are_taken_back),
        cmocka_unit_test(files_that_do_not_fit_are_refused),
        cmocka_unit_test(cut_at_every_byte_it_is_refused),
        cmocka_unit_test(one_bit_is_enough_to_refuse_it),
        cmocka_unit_test(made_up_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
