// Any GGUF through whatever reads a model's description and its vocabulary
// out of one; then text through the tokenizer that it made, there and back.
// The text is the file itself: its bytes are as odd as any.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/config_gguf.h"
#include "common/gguf.h"
#include "common/tokenizer.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes);

static void expect(int holds, const char *what, const lll_error *err)
{
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, err->text);
        abort();
    }
}

// Text that every byte of which has a token, and in which nothing is special,
// comes back as it was.
static void there_and_back(const tokenizer *t, const char *text, size_t n,
                           unsigned flags)
{
    lll_error err = {0};
    size_t capacity = tokenizer_max_ids(t, n) + 1, n_ids = 0;
    int32_t *ids = malloc(capacity * sizeof *ids);
    char small[8];
    if (ids == NULL)
        abort();
    lll_status status = tokenizer_encode(t, text, n, flags, ids, capacity,
                                         &n_ids, &err);
    expect(status == LLL_OK || (status == LLL_ERR_NOT_FOUND
                                && (flags & TOKENIZER_BOS)),
           "not encoded", &err);
    for (size_t i = 0; i < n_ids; i++)
        expect(ids[i] >= 0 && (size_t)ids[i] < t->n_tokens, "a wild id",
               &err);
    size_t length = tokenizer_decode(t, ids, n_ids, false, small,
                                     sizeof small);
    char *back = malloc(length + 1);
    if (back == NULL)
        abort();
    expect(tokenizer_decode(t, ids, n_ids, false, back, length) == length,
           "another length", &err);
    bool whole = flags == 0 && status == LLL_OK;
    for (int byte = 0; byte < 256 && whole; byte++)
        whole = tokenizer_can_spell(t, (unsigned char)byte);
    if (whole)
        expect(length == n && memcmp(back, text, n) == 0,
               "the text came back changed", &err);
    free(back);
    free(ids);
}

// Token after token, in whole characters.
static void stream(const tokenizer *t)
{
    utf8_stream out = {.at_start = true};
    size_t capacity = 3 * (t->longest_token + 4);
    char *text = malloc(capacity);
    const lll_error none = {0};
    if (text == NULL)
        abort();
    for (int32_t id = -1; id <= (int32_t)t->n_tokens; id++) {
        size_t n = utf8_stream_push(&out, t, id, true, text, capacity);
        expect(n <= capacity, "a long piece", &none);
        (void)tokenizer_is_end(t, id);
    }
    expect(utf8_stream_flush(&out, text, capacity) <= capacity, "a long end",
           &none);
    free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes)
{
    gguf_file file;
    model_config config;
    tokenizer t;
    lll_error err = {0};
    size_t planned = 0;
    memory_file_set("in", bytes, n_bytes);
    if (gguf_open(&file, "in", &err) != LLL_OK) {
        memory_file_clear();
        return 0;               // the other fuzzer's business
    }
    if (config_from_gguf(&config, &file, &err) == LLL_OK)
        (void)config_count(&config);
    lll_status plan = tokenizer_plan(&file, &planned, &err);
    if (tokenizer_init(&t, &file, NULL, &err) == LLL_OK) {
        expect(plan == LLL_OK && planned == t.n_bytes, "another plan", &err);
        there_and_back(&t, (const char *)bytes, n_bytes, 0);
        there_and_back(&t, (const char *)bytes, n_bytes,
                       TOKENIZER_BOS | TOKENIZER_SPECIAL);
        stream(&t);
        tokenizer_free(&t);
    }
    gguf_close(&file);
    memory_file_clear();
    return 0;
}
