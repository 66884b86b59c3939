// What the planner counts in a file, against the vocabulary that is loaded
// from it, and in files without one.
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
#include "common/plan_file.h"
#include "common/tokenizer.h"

static void the_tiny_model(void **state)
{
    (void)state;
    gguf_file file;
    tokenizer words;
    plan_request r = {.n_ctx = 5};
    lll_error err;
    size_t planned, tables[PLAN_TABLES];
    assert_int_equal(gguf_open(&file, "data/tiny.gguf", &err), LLL_OK);
    assert_int_equal(tokenizer_init(&words, &file, NULL, &err), LLL_OK);
    plan_read_file(&file, &r);
    assert_int_equal(r.n_ctx, 5);
    assert_true(r.index_bytes == file.index_bytes);
    assert_int_equal(r.vocabulary.n_tokens, words.n_tokens);
    assert_int_equal(r.vocabulary.n_special, words.words.n_special);
    assert_int_equal(r.vocabulary.n_merges, words.words.merges.n_pairs);
    // A text of the file is no shorter than the bytes it stands for.
    assert_true(r.vocabulary.longest_text >= words.longest_token);
    assert_int_equal(tokenizer_plan(&file, &planned, &err), LLL_OK);
    assert_true(planned == plan_tokenizer(&r.vocabulary, tables));
    assert_true(planned == words.n_bytes);
    // What its arena asked of the system.
    assert_true(planned == words.words.memory.capacity + ARENA_ALIGNMENT);
    tokenizer_free(&words);
    gguf_close(&file);
}

static vocabulary_size count(const char *model, bool tokens, bool texts)
{
    static const gguf_string two[] = {{"a", 1}, {"bcd", 3}};
    static const int32_t numbers[] = {3, 4};
    char path[] = "/tmp/plan-XXXXXX";
    gguf_writer out;
    gguf_file file;
    lll_error err;
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    close(handle);
    gguf_writer_init(&out);
    if (model != NULL)
        gguf_set_string(&out, "tokenizer.ggml.model", model, strlen(model));
    if (tokens && texts)
        gguf_set_strings(&out, "tokenizer.ggml.tokens", two, 2);
    else if (tokens)
        gguf_set_array(&out, "tokenizer.ggml.tokens", GGUF_I32, numbers, 2);
    gguf_set_strings(&out, "tokenizer.ggml.merges", two + 1, 1);
    gguf_set_array(&out, "tokenizer.ggml.token_type", GGUF_I32, numbers, 2);
    assert_int_equal(gguf_write(&out, path, &err), LLL_OK);
    gguf_writer_free(&out);
    assert_int_equal(gguf_open(&file, path, &err), LLL_OK);
    vocabulary_size n = plan_count_vocabulary(&file);
    gguf_close(&file);
    unlink(path);
    return n;
}

static void lists_of_all_kinds(void **state)
{
    (void)state;
    vocabulary_size n = count("gpt2", true, true);
    assert_true(n.n_tokens == 2 && n.n_special == 2 && n.n_merges == 1
                && n.longest_text == 3);
    // SentencePiece reads no merges.
    n = count("llama", true, true);
    assert_true(n.n_tokens == 2 && n.n_merges == 0);
    n = count(NULL, true, true);
    assert_true(n.n_tokens == 2 && n.n_merges == 0);
    // No vocabulary, or none that can be read.
    n = count("gpt2", false, true);
    assert_true(n.n_tokens == 0 && n.n_special == 0 && n.n_merges == 0
                && n.longest_text == 0);
    n = count("gpt2", true, false);
    assert_true(n.n_tokens == 0 && n.n_merges == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tiny_model),
        cmocka_unit_test(lists_of_all_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
