// A vocabulary that was learnt, written and read again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/tokenizer.h"
#include "common/vocabulary_store.h"

static void comes_back(void **state)
{
    (void)state;
    static const char *const special[] = {"<|end|>", "<|no|>"};
    static const char text[] = "the cat and the hat\xff \xc3\xa9t\xc3\xa9";
    const pretokenizer *rules;
    char path[] = "/tmp/vocabulary-XXXXXX";
    bpe_trainer t;
    gguf_writer out;
    gguf_file file;
    tokenizer words;
    lll_error err;
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    assert_int_equal(pretokenize_find("qwen2", 5, &rules, &err), LLL_OK);
    assert_int_equal(bpe_trainer_init(&t, rules, special, 2, &err), LLL_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bpe_trainer_add(&t, text, strlen(text), &err),
                         LLL_OK);
    assert_int_equal(bpe_trainer_run(&t, 280, 2, NULL, NULL, &err), LLL_OK);
    gguf_writer_init(&out);
    assert_int_equal(vocabulary_store(&t, "qwen2", &out, &err), LLL_OK);
    assert_int_equal(gguf_write(&out, path, &err), LLL_OK);
    gguf_writer_free(&out);

    assert_int_equal(gguf_open(&file, path, &err), LLL_OK);
    assert_int_equal(tokenizer_init(&words, &file, NULL, &err), LLL_OK);
    assert_int_equal(words.n_tokens, t.n_tokens);
    assert_ptr_equal(words.pre, rules);
    assert_int_equal(words.bos, 0);
    assert_int_equal(words.eos, 0);
    assert_false(words.add_bos);
    assert_int_equal(words.words.tokens[1].type, TOKEN_CONTROL);
    assert_int_equal(words.words.tokens[2].type, TOKEN_NORMAL);
    for (size_t id = 0; id < t.n_tokens; id++) {
        char piece[64];
        size_t n, n_read = tokenizer_piece(&words, (int32_t)id, true, piece,
                                           sizeof piece);
        const unsigned char *bytes = bpe_trainer_token(&t, id, &n);
        assert_int_equal(n, n_read);
        assert_memory_equal(bytes, piece, n);
    }
    for (size_t i = 0; i < t.n_merges; i++) {
        const bpe_pair *pair = &words.words.merges.pairs[i];
        assert_int_equal(pair->left, t.merges[i].left);
        assert_int_equal(pair->right, t.merges[i].right);
        assert_int_equal(pair->result, 258 + i);
    }
    tokenizer_free(&words);
    gguf_close(&file);
    bpe_trainer_free(&t);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
