// Vocabularies whose lists contradict each other, or that are merely odd:
// one sentence for each, and what is tolerated.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/gguf_write.h"
#include "common/tokenizer.h"

#define KEY "tokenizer.ggml."
static const char path[] = "test_vocabulary_load.gguf";

// A vocabulary of a, b, ab and <s>, of which one thing at a time is changed.
typedef struct {
    const char *model;
    gguf_string tokens[8], merges[4];
    int32_t types[8];
    float scores[8];
    size_t n_tokens, n_types, n_scores, n_merges;   // 0: no such list
    bool numbers_for_tokens;
    const char *id_key;
    uint64_t id;
    const char *text_key;       // has a text where a number belongs
} draft;

static draft plain(const char *model)
{
    static const char *const texts[] = {"a", "b", "ab", "<s>"};
    draft d = {.model = model, .n_tokens = 4, .n_types = 4, .n_scores = 4,
               .n_merges = 1};
    for (size_t i = 0; i < 4; i++) {
        d.tokens[i] = (gguf_string){texts[i], strlen(texts[i])};
        d.types[i] = i == 3 ? TOKEN_CONTROL : TOKEN_NORMAL;
        d.scores[i] = -(float)i;
    }
    d.merges[0] = (gguf_string){"a b", 3};
    return d;
}

static void write_draft(const draft *d)
{
    gguf_writer out;
    lll_error err = {LLL_OK, ""};
    gguf_writer_init(&out);
    gguf_set_string(&out, KEY "model", d->model, strlen(d->model));
    gguf_set_string(&out, KEY "pre", "gpt-2", 5);
    if (d->numbers_for_tokens)
        gguf_set_array(&out, KEY "tokens", GGUF_I32, d->types, d->n_tokens);
    else
        gguf_set_strings(&out, KEY "tokens", d->tokens, d->n_tokens);
    if (d->n_types > 0)
        gguf_set_array(&out, KEY "token_type", GGUF_I32, d->types,
                       d->n_types);
    if (d->n_scores > 0)
        gguf_set_array(&out, KEY "scores", GGUF_F32, d->scores, d->n_scores);
    if (d->n_merges > 0)
        gguf_set_strings(&out, KEY "merges", d->merges, d->n_merges);
    if (d->id_key != NULL)
        gguf_set_u64(&out, d->id_key, d->id);
    if (d->text_key != NULL)
        gguf_set_string(&out, d->text_key, "x", 1);
    assert_int_equal(gguf_write(&out, path, &err), LLL_OK);
    gguf_writer_free(&out);
}

// Loads it; `words` must be in the sentence, or NULL: it must load.
static void check(const draft *d, lll_status code, const char *words)
{
    gguf_file file;
    tokenizer t;
    lll_error err = {LLL_OK, ""};
    write_draft(d);
    assert_int_equal(gguf_open(&file, path, &err), LLL_OK);
    unlink(path);
    lll_status status = tokenizer_init(&t, &file, NULL, &err);
    if (status != code || (words != NULL && strstr(err.text, words) == NULL))
        fail_msg("%d: %s", (int)status, err.text);
    if (status != LLL_OK) {
        assert_non_null(strstr(err.text, path));
        assert_null(t.words.memory.block);
    }
    tokenizer_free(&t);
    gguf_close(&file);
}

static void lists_of_the_wrong_kind(void **state)
{
    (void)state;
    draft d = plain("gpt2");
    d.numbers_for_tokens = true;
    check(&d, LLL_ERR_FORMAT, "expected a list of texts");
    d = plain("gpt2");
    d.n_tokens = 0;
    check(&d, LLL_ERR_NOT_FOUND, "tokens is empty");
    d = plain("gpt2");
    d.n_merges = 0;
    check(&d, LLL_ERR_FORMAT, "merges is missing");
    d = plain("llama");
    d.n_scores = 0;
    check(&d, LLL_ERR_FORMAT, "scores is missing");
    for (size_t n = 1; n < 8; n++) {
        d = plain("llama");
        d.n_types = n;
        check(&d, n == 4 ? LLL_OK : LLL_ERR_FORMAT,
              n == 4 ? NULL : "one for each token");
        d = plain("llama");
        d.n_scores = n;
        check(&d, n == 4 ? LLL_OK : LLL_ERR_FORMAT,
              n == 4 ? NULL : "one for each token");
    }
    // Lists that the other kind of vocabulary does not use may be anything.
    d = plain("gpt2");
    d.n_scores = 2;
    check(&d, LLL_OK, NULL);
    d = plain("gpt2");
    d.n_types = 0;
    check(&d, LLL_OK, NULL);
}

static void tokens_that_cannot_be(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        draft d = plain(kind == 0 ? "gpt2" : "llama");
        d.tokens[1] = d.tokens[0];
        d.n_merges = kind == 0;
        check(&d, LLL_ERR_FORMAT, "tokens 0 and 1 are both \"a\"");
        d = plain(d.model);
        d.types[2] = -1;
        check(&d, LLL_ERR_FORMAT, "token 2 is -1, expected 0 to 6");
        d = plain(d.model);
        d.types[2] = 7;
        check(&d, LLL_ERR_FORMAT, "token 2 is 7, expected 0 to 6");
    }
    draft d = plain("llama");
    d.types[1] = TOKEN_BYTE;
    check(&d, LLL_ERR_FORMAT, "token 1 is a byte");
    uint32_t nan = 0xffc00001;
    d = plain("llama");
    memcpy(&d.scores[2], &nan, sizeof nan);
    check(&d, LLL_ERR_FORMAT, "scores of token 2 is not a number");
    // Infinite ones have an order.
    uint32_t infinite = 0xff800000;
    d = plain("llama");
    memcpy(&d.scores[2], &infinite, sizeof infinite);
    check(&d, LLL_OK, NULL);
    // Tokens without text are never matched, and may be many.
    d = plain("gpt2");
    d.tokens[4] = d.tokens[5] = (gguf_string){"", 0};
    d.types[4] = TOKEN_NORMAL;
    d.types[5] = TOKEN_CONTROL;
    d.n_tokens = d.n_types = 6;
    check(&d, LLL_OK, NULL);
}

static void merges_that_cannot_be(void **state)
{
    (void)state;
    static const struct { const char *line, *words; } bad[] = {
        {"", "no space"}, {"ab", "no space"}, {" ab", "no space"},
        {"ab ", "no space"}, {"  ", "no space"},
        {"x b", "a left side that is no token"},
        {"a x", "a right side that is no token"},
        {"b a", "a result that is no token"},
        {"a  b", "a right side that is no token"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        draft d = plain("gpt2");
        d.merges[1] = (gguf_string){bad[i].line, strlen(bad[i].line)};
        d.n_merges = 2;
        check(&d, LLL_ERR_FORMAT, bad[i].words);
    }
}

static void ids_out_of_range(void **state)
{
    (void)state;
    static const char *const keys[] = {
        KEY "bos_token_id", KEY "eos_token_id", KEY "eot_token_id",
        KEY "eom_token_id", KEY "unknown_token_id",
    };
    static const uint64_t ids[] = {4, INT32_MAX, UINT32_MAX, UINT64_MAX};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        draft d = plain("gpt2");
        d.id_key = keys[k];
        d.id = 3;
        check(&d, LLL_OK, NULL);
        for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
            d.id = ids[i];
            check(&d, LLL_ERR_FORMAT, "expected a token below 4");
        }
        d.id_key = NULL;
        d.text_key = keys[k];
        check(&d, LLL_ERR_FORMAT, keys[k]);
    }
    draft d = plain("gpt2");
    d.text_key = KEY "add_bos_token";
    check(&d, LLL_ERR_FORMAT, d.text_key);
}

// Nothing is copied, so that a long token costs its spelling once.
static void a_token_of_sixteen_megabytes(void **state)
{
    (void)state;
    enum { N = 16 << 20 };
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, 'x', N);
    draft d = plain("gpt2");
    d.tokens[4] = (gguf_string){text, N};
    d.types[4] = TOKEN_NORMAL;
    d.n_tokens = d.n_types = 5;
    check(&d, LLL_OK, NULL);
    d.types[4] = TOKEN_USER_DEFINED;
    check(&d, LLL_ERR_FORMAT, "is special and has 16777216 bytes");
    d = plain("gpt2");
    d.merges[0] = (gguf_string){text, N};
    check(&d, LLL_ERR_FORMAT, "no space between two tokens");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_the_wrong_kind),
        cmocka_unit_test(tokens_that_cannot_be),
        cmocka_unit_test(merges_that_cannot_be),
        cmocka_unit_test(ids_out_of_range),
        cmocka_unit_test(a_token_of_sixteen_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
