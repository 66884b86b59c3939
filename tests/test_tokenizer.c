// Small vocabularies made here: both kinds, special tokens, streams, and
// lists that contradict each other.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/gguf_write.h"
#include "common/tokenizer.h"
#include "common/unicode.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { MOST = 320 };

// A vocabulary in the making. Texts point to literals or into `names`.
typedef struct {
    const char *model, *pre;
    gguf_string tokens[MOST], merges[16];
    int32_t types[MOST];
    float scores[MOST];
    char names[256][8];
    size_t n_tokens, n_merges, n_types, n_scores;
    int64_t bos, eos, space_prefix;         // -1: no such key
    const char *path;
} draft;

static void add(draft *d, const char *text, int type, float score)
{
    d->tokens[d->n_tokens].bytes = text;
    d->tokens[d->n_tokens].n_bytes = strlen(text);
    d->types[d->n_tokens] = type;
    d->scores[d->n_tokens++] = score;
    d->n_types = d->n_scores = d->n_tokens;
}

static void add_merge(draft *d, const char *text)
{
    d->merges[d->n_merges].bytes = text;
    d->merges[d->n_merges++].n_bytes = strlen(text);
}

// "<s>" 0, "<|end|>" 1, "<|en" 2 user-defined, the 256 bytes from 3 on, and
// " th" in three merges.
static void byte_level(draft *d)
{
    memset(d, 0, sizeof *d);
    d->model = "gpt2";
    d->pre = "gpt-2";
    d->bos = 0;
    d->eos = d->space_prefix = -1;
    d->path = "test_tokenizer.gguf";
    add(d, "<s>", TOKEN_CONTROL, 0);
    add(d, "<|end|>", TOKEN_CONTROL, 0);
    add(d, "<|en", TOKEN_USER_DEFINED, 0);
    for (int i = 0, other = 0; i < 256; i++) {
        bool plain = (i >= 0x21 && i <= 0x7e)
            || (i >= 0xa1 && i != 0xad);
        uint32_t letter = plain ? (uint32_t)i : 0x100 + (uint32_t)other++;
        d->names[i][unicode_encode(letter, (unsigned char *)d->names[i])] =
            '\0';
        add(d, d->names[i], TOKEN_NORMAL, 0);
    }
    add(d, "th", TOKEN_NORMAL, 0);                  // 259
    add(d, "\u0120th", TOKEN_NORMAL, 0);            // 260
    add(d, "\u0120\u0120", TOKEN_NORMAL, 0);        // 261
    add_merge(d, "t h");
    add_merge(d, "\u0120 th");
    add_merge(d, "\u0120 \u0120");
}

// "<unk>" 0, "<s>" 1, "</s>" 2, the 256 bytes from 3 on, then words.
static void sentencepiece(draft *d)
{
    byte_level(d);
    d->model = "llama";
    d->pre = NULL;
    d->n_tokens = d->n_merges = 0;
    d->bos = 1;
    d->eos = 2;
    add(d, "<unk>", TOKEN_UNKNOWN, 0);
    add(d, "<s>", TOKEN_CONTROL, 0);
    add(d, "</s>", TOKEN_CONTROL, 0);
    for (int i = 0; i < 256; i++) {
        snprintf(d->names[i], sizeof d->names[i], "<0x%02X>", (unsigned)i);
        add(d, d->names[i], TOKEN_BYTE, 0);
    }
    add(d, "\u2581", TOKEN_NORMAL, -3);             // 259
    add(d, "a", TOKEN_NORMAL, -4);                  // 260
    add(d, "b", TOKEN_NORMAL, -5);                  // 261
    add(d, "ab", TOKEN_NORMAL, -1);                 // 262
    add(d, "\u2581a", TOKEN_NORMAL, -2);            // 263
    add(d, "\u2581ab", TOKEN_NORMAL, -6);           // 264
}

static lll_status write_draft(const draft *d)
{
    gguf_writer out;
    lll_error err;
    gguf_writer_init(&out);
    if (d->model != NULL)
        gguf_set_string(&out, "tokenizer.ggml.model", d->model,
                        strlen(d->model));
    if (d->pre != NULL)
        gguf_set_string(&out, "tokenizer.ggml.pre", d->pre, strlen(d->pre));
    gguf_set_strings(&out, "tokenizer.ggml.tokens", d->tokens, d->n_tokens);
    gguf_set_array(&out, "tokenizer.ggml.token_type", GGUF_I32, d->types,
                   d->n_types);
    gguf_set_array(&out, "tokenizer.ggml.scores", GGUF_F32, d->scores,
                   d->n_scores);
    gguf_set_strings(&out, "tokenizer.ggml.merges", d->merges, d->n_merges);
    if (d->bos >= 0)
        gguf_set_u32(&out, "tokenizer.ggml.bos_token_id", (uint32_t)d->bos);
    if (d->eos >= 0)
        gguf_set_u32(&out, "tokenizer.ggml.eos_token_id", (uint32_t)d->eos);
    if (d->space_prefix >= 0)
        gguf_set_bool(&out, "tokenizer.ggml.add_space_prefix",
                      d->space_prefix != 0);
    lll_status status = gguf_write(&out, d->path, &err);
    gguf_writer_free(&out);
    return status;
}

static lll_status load(const draft *d, gguf_file *file, tokenizer *t,
                       lll_error *err)
{
    assert_int_equal(write_draft(d), LLL_OK);
    assert_int_equal(gguf_open(file, d->path, err), LLL_OK);
    unlink(d->path);
    return tokenizer_init(t, file, NULL, err);
}

// However few tokens are asked for at a time, they are the same.
static void check_in_steps(const tokenizer *t, const char *text,
                           unsigned flags, const int32_t *expected,
                           size_t n_expected)
{
    size_t longest = strlen(text) + 1;
    void *room = malloc(tokenizer_room(longest));
    assert_non_null(room);
    for (size_t step = 1; step < 6; step++) {
        tokenizer_encoder e;
        int32_t ids[5];
        size_t done = 0, n = 99;
        lll_error err;
        assert_int_equal(tokenizer_begin(&e, t, text, strlen(text), flags,
                                         room, longest, &err), LLL_OK);
        do {
            assert_int_equal(tokenizer_more(&e, ids, step, &n, &err), LLL_OK);
            assert_true(n <= step && n <= n_expected - done);
            assert_memory_equal(ids, expected + done, n * sizeof *ids);
            done += n;
        } while (n == step);
        assert_int_equal(done, n_expected);
    }
    free(room);
}

static void check_ids(const tokenizer *t, const char *text, unsigned flags,
                      const int32_t *expected, size_t n_expected)
{
    int32_t ids[64];
    char back[256];
    size_t n = 99;
    lll_error err;
    assert_int_equal(tokenizer_encode(t, text, strlen(text), flags, ids, 64,
                                      &n, &err), LLL_OK);
    assert_int_equal(n, n_expected);
    assert_memory_equal(ids, expected, n * sizeof *ids);
    check_in_steps(t, text, flags, expected, n_expected);
    size_t first = (flags & TOKENIZER_BOS) != 0;
    size_t length = tokenizer_decode(t, ids + first, n - first, true, back,
                                     sizeof back);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(back, text, length);
}
#define CHECK_IDS(t, text, flags, ...) do { \
        const int32_t list[] = {__VA_ARGS__}; \
        check_ids(t, text, flags, list, COUNT(list)); \
    } while (0)
#define BYTE(c) (3 + (unsigned char)(c))

static void bytes_and_merges(void **state)
{
    (void)state;
    static draft d;
    gguf_file file;
    tokenizer t;
    lll_error err = {LLL_OK, ""};
    byte_level(&d);
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    CHECK_IDS(&t, "th th", 0, 259, 260);
    CHECK_IDS(&t, "   th", 0, 261, 260);
    CHECK_IDS(&t, "\xff\xc3", 0, BYTE(0xff), BYTE(0xc3));
    CHECK_IDS(&t, "t", TOKENIZER_BOS, 0, BYTE('t'));
    check_ids(&t, "", 0, NULL, 0);
    // The longest special token; user-defined ones even in plain text.
    CHECK_IDS(&t, "t<|end|>", TOKENIZER_SPECIAL, BYTE('t'), 1);
    CHECK_IDS(&t, "<|end|>", 0, 2, BYTE('d'), BYTE('|'), BYTE('>'));
    CHECK_IDS(&t, "<|en<|end|><s", TOKENIZER_SPECIAL, 2, 1, BYTE('<'),
              BYTE('s'));
    assert_int_equal(tokenizer_find(&t, "<|end|>", 7), 1);
    assert_int_equal(tokenizer_find(&t, " th", 3), 260);
    assert_int_equal(tokenizer_find(&t, "nothing", 7), -1);
    assert_int_equal(tokenizer_find(&t, "", 0), -1);
    // By its name, although the file has no eos.
    assert_true(tokenizer_is_end(&t, 1));
    assert_false(tokenizer_is_end(&t, 0));
    assert_false(tokenizer_is_end(&t, -1));
    size_t planned;
    assert_int_equal(tokenizer_plan(&file, &planned, &err), LLL_OK);
    assert_int_equal(planned, t.n_bytes);
    assert_int_equal(planned, t.words.memory.used + ARENA_ALIGNMENT);
    tokenizer_free(&t);
    tokenizer_free(&t);
    gguf_close(&file);
}

static void characters_and_scores(void **state)
{
    (void)state;
    static draft d;
    gguf_file file;
    tokenizer t;
    lll_error err = {LLL_OK, ""};
    sentencepiece(&d);
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    assert_true(t.add_bos);
    assert_true(t.words.words_apart);
    CHECK_IDS(&t, "ab", 0, 264);
    CHECK_IDS(&t, "ab b", 0, 264, 259, 261);
    CHECK_IDS(&t, " ab", 0, 259, 264);
    CHECK_IDS(&t, "\u00e9", 0, 259, BYTE(0xc3), BYTE(0xa9));
    CHECK_IDS(&t, "b\xff", 0, 259, 261, BYTE(0xff));
    // The sign that the file writes for a space is not a space.
    CHECK_IDS(&t, "\u2581", 0, 259, BYTE(0xe2), BYTE(0x96), BYTE(0x81));
    CHECK_IDS(&t, "a</s>a", TOKENIZER_SPECIAL, 263, 2, 263);
    CHECK_IDS(&t, "a", TOKENIZER_BOS, 1, 263);
    assert_int_equal(t.n_ends, 1);
    // The text that does not come back: see tokenizer.h.
    t.unknown = 0;
    int32_t ids[4];
    char back[16];
    size_t n;
    assert_int_equal(tokenizer_encode(&t, "<unk>a", 6, TOKENIZER_SPECIAL, ids,
                                      4, &n, &err), LLL_OK);
    assert_int_equal(n, 2);
    assert_int_equal(ids[0], 0);
    assert_int_equal(ids[1], 263);
    assert_int_equal(tokenizer_decode(&t, ids, 2, true, back, 16), 7);
    tokenizer_free(&t);
    // There is no pre-tokenizer to replace.
    assert_int_equal(tokenizer_init(&t, &file, "gpt-2", &err),
                     LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "\"gpt-2\""));
    assert_null(t.words.memory.block);
    gguf_close(&file);

    d.space_prefix = 0;
    add(&d, "a\u2581b", TOKEN_NORMAL, -0.5f);       // over two words
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    assert_false(t.words.words_apart);
    CHECK_IDS(&t, "ab", 0, 262);
    CHECK_IDS(&t, "b b", 0, 261, 259, 261);
    CHECK_IDS(&t, "a</s>a", TOKENIZER_SPECIAL, 260, 2, 260);
    tokenizer_free(&t);
    gguf_close(&file);
}

static void streams_give_whole_characters(void **state)
{
    (void)state;
    static draft d;
    gguf_file file;
    tokenizer t;
    lll_error err;
    static const char text[] = "t\xc3\xa9\xf0\x9f\xa6\x99\xe2\x82t\xff\xf0";
    static const char want[] = "t\xc3\xa9\xf0\x9f\xa6\x99"
        "\xef\xbf\xbdt\xef\xbf\xbd\xef\xbf\xbd";
    char out[64];
    size_t n = 0;
    byte_level(&d);
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    utf8_stream s = {{0}, 0, false};
    for (size_t i = 0; i < sizeof text - 1; i++)
        n += utf8_stream_push(&s, &t, BYTE(text[i]), false, out + n,
                              sizeof out - n);
    assert_int_equal(n, sizeof want - 1 - 3);
    assert_int_equal(utf8_stream_push(&s, &t, 1, false, out, 64), 0);
    n += utf8_stream_flush(&s, out + n, sizeof out - n);
    assert_int_equal(n, sizeof want - 1);
    assert_memory_equal(out, want, n);
    assert_int_equal(utf8_stream_flush(&s, out, 64), 0);
    tokenizer_free(&t);
    gguf_close(&file);
}

static void too_little_room(void **state)
{
    (void)state;
    static draft d;
    gguf_file file;
    tokenizer t;
    lll_error err;
    int32_t ids[4];
    size_t n = 77;
    byte_level(&d);
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    assert_int_equal(tokenizer_encode(&t, "abcde", 5, 0, ids, 4, &n, &err),
                     LLL_ERR_OVERFLOW);
    assert_int_equal(n, 77);
    assert_int_equal(tokenizer_encode(&t, "abcd", 4, 0, ids, 4, &n, &err),
                     LLL_OK);
    assert_int_equal(n, 4);
    char piece[2] = "..";
    assert_int_equal(tokenizer_piece(&t, 260, false, piece, 1), 3);
    assert_memory_equal(piece, " .", 2);
    assert_int_equal(tokenizer_piece(&t, 9999, true, piece, 1), 0);
    assert_int_equal(tokenizer_piece(&t, 1, false, piece, 1), 0);
    tokenizer_free(&t);
    gguf_close(&file);
}

static void refused(const draft *d, lll_status code, const char *words)
{
    gguf_file file;
    tokenizer t;
    lll_error err = {LLL_OK, ""};
    assert_int_equal(load(d, &file, &t, &err), code);
    assert_non_null(strstr(err.text, words));
    assert_null(t.words.memory.block);
    gguf_close(&file);
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    static draft d;
    byte_level(&d);
    d.model = "bert";
    refused(&d, LLL_ERR_UNSUPPORTED, "\"bert\"");
    d.model = NULL;
    refused(&d, LLL_ERR_NOT_FOUND, "no vocabulary");
    byte_level(&d);
    d.pre = "other";
    refused(&d, LLL_ERR_UNSUPPORTED, "\"other\"");
    byte_level(&d);
    d.n_types--;
    refused(&d, LLL_ERR_FORMAT, "token_type has 261");
    byte_level(&d);
    d.types[7] = 9;
    refused(&d, LLL_ERR_FORMAT, "token 7 is 9");
    byte_level(&d);
    d.bos = 262;
    refused(&d, LLL_ERR_FORMAT, "expected a token below 262");
    byte_level(&d);
    add(&d, "th", TOKEN_NORMAL, 0);
    refused(&d, LLL_ERR_FORMAT, "tokens 259 and 262 are both \"th\"");
    byte_level(&d);
    add(&d, "<s>", TOKEN_CONTROL, 0);
    refused(&d, LLL_ERR_FORMAT, "are both \"<s>\"");
    byte_level(&d);
    add_merge(&d, "thh");
    refused(&d, LLL_ERR_FORMAT, "no space between");
    byte_level(&d);
    add_merge(&d, "h t");
    refused(&d, LLL_ERR_FORMAT, "has a result that is no token");
    byte_level(&d);
    add_merge(&d, "hh t");
    refused(&d, LLL_ERR_FORMAT, "has a left side that is no token");
    byte_level(&d);
    d.n_tokens = d.n_types = 0;
    refused(&d, LLL_ERR_NOT_FOUND, "is empty");
    static char name[VOCABULARY_SPECIAL_MOST + 2];
    memset(name, 'x', VOCABULARY_SPECIAL_MOST + 1);
    for (int type = TOKEN_UNKNOWN; type <= TOKEN_USER_DEFINED; type++) {
        byte_level(&d);
        add(&d, name, type, 0);
        refused(&d, LLL_ERR_FORMAT, "262 is special and has 1025 bytes");
    }
    sentencepiece(&d);
    d.n_scores--;
    refused(&d, LLL_ERR_FORMAT, "scores has 264");
    sentencepiece(&d);
    uint32_t nan = 0x7fc00000;
    memcpy(&d.scores[260], &nan, sizeof nan);
    refused(&d, LLL_ERR_FORMAT, "is not a number");
    sentencepiece(&d);
    d.types[260] = TOKEN_BYTE;
    refused(&d, LLL_ERR_FORMAT, "<0x00>");
}

// What real files have: see vocabulary_load.h.
static void oddities_are_tolerated(void **state)
{
    (void)state;
    static draft d;
    gguf_file file;
    tokenizer t;
    lll_error err;
    byte_level(&d);
    add(&d, "", TOKEN_NORMAL, 0);
    add(&d, "", TOKEN_NORMAL, 0);
    add(&d, "h\u0120", TOKEN_CONTROL, 0);   // text, as control tokens are
    d.types[3 + 'x'] = 0;
    add_merge(&d, "t h");
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    CHECK_IDS(&t, "th x", 0, 259, BYTE(' '), BYTE('x'));
    tokenizer_free(&t);
    gguf_close(&file);

    // A byte without a token is left out, and what is beside it may join.
    byte_level(&d);
    d.types[BYTE('#')] = TOKEN_CONTROL;
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    int32_t ids[8];
    size_t n;
    assert_int_equal(tokenizer_encode(&t, "#", 1, 0, ids, 8, &n, &err),
                     LLL_OK);
    assert_int_equal(n, 0);
    assert_false(tokenizer_can_spell(&t, '#'));
    assert_true(tokenizer_can_spell(&t, 't'));
    tokenizer_free(&t);
    gguf_close(&file);
}

// As long as a special token may be, and the names that are control tokens
// whatever an older file says.
static void names_of_special_tokens(void **state)
{
    (void)state;
    static draft d;
    static char name[VOCABULARY_SPECIAL_MOST + 1];
    gguf_file file;
    tokenizer t;
    lll_error err;
    memset(name, 'x', VOCABULARY_SPECIAL_MOST);
    byte_level(&d);
    add(&d, name, TOKEN_CONTROL, 0);                        // 262
    add(&d, "<|im_end|>", TOKEN_USER_DEFINED, 0);           // 263
    add(&d, "<|im_start|>", TOKEN_USER_DEFINED, 0);         // 264
    add(&d, "<|im_other|>", TOKEN_USER_DEFINED, 0);         // 265
    assert_int_equal(load(&d, &file, &t, &err), LLL_OK);
    int32_t ids[2];
    size_t n;
    assert_int_equal(tokenizer_encode(&t, name, sizeof name - 1,
                                      TOKENIZER_SPECIAL, ids, 2, &n, &err),
                     LLL_OK);
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], 262);
    CHECK_IDS(&t, "<|im_end|><|im_start|>", TOKENIZER_SPECIAL, 263, 264);
    CHECK_IDS(&t, "|<|im_other|>", 0, BYTE('|'), 265);
    const int32_t typed[] = {BYTE('<'), BYTE('|'), BYTE('i'), BYTE('m'),
                             BYTE('_'), BYTE('e'), BYTE('n'), BYTE('d'),
                             BYTE('|'), BYTE('>')};
    check_ids(&t, "<|im_end|>", 0, typed, COUNT(typed));
    assert_true(tokenizer_is_end(&t, 263));
    assert_false(tokenizer_is_end(&t, 264));
    assert_int_equal(tokenizer_piece(&t, 263, false, NULL, 0), 0);
    tokenizer_free(&t);
    gguf_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_merges),
        cmocka_unit_test(characters_and_scores),
        cmocka_unit_test(streams_give_whole_characters),
        cmocka_unit_test(too_little_room),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(oddities_are_tolerated),
        cmocka_unit_test(names_of_special_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
