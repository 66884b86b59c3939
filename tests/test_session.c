// Opening a model and everything it needs: what is chosen when nothing is
// said, what is refused, and that a refusal leaves nothing behind.
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
#include "common/machine.h"
#include "common/session.h"

static const char TINY[] = "data/tiny.gguf";

static session open_tiny(const session_options *o)
{
    session s;
    lll_error err;
    if (session_open(&s, TINY, o, &err) != LLL_OK)
        fail_msg("%s", err.text);
    return s;
}

static void refuse(const char *path, const session_options *o,
                   lll_status code, const char *words)
{
    static const session zero;
    session s;
    lll_error err = {0};
    memset(&s, 0x5a, sizeof s);
    lll_status status = session_open(&s, path, o, &err);
    if (status != code || strstr(err.text, words) == NULL)
        fail_msg("expected %d \"%s\", found %d \"%s\"", (int)code, words,
                 (int)status, err.text);
    assert_memory_equal(&s, &zero, sizeof s);
    session_close(&s);                  // accepts what is zero
}

static void what_is_chosen_when_nothing_is_said(void **state)
{
    (void)state;
    session_options o = session_defaults();
    session s = open_tiny(&o);
    const plan_request *r = &s.model.request;
    assert_int_equal(r->n_ctx, 512);            // all that the model has
    assert_int_equal(r->n_batch, 512);
    assert_int_equal(r->n_outputs, 1);
    assert_int_equal(r->n_threads, machine_cores());
    assert_int_equal(r->n_sequences, 1);
    assert_int_equal(r->cache_type, DTYPE_F16);
    assert_int_equal(s.model.products.mode, MATMUL_Q8);
    assert_true(r->index_bytes == s.file.index_bytes);
    assert_true(s.model.plan.bytes[PLAN_TOKENIZER] == s.words.n_bytes);
    assert_true(s.load_seconds > 0);
    session_close(&s);
    session_close(&s);
    s = open_tiny(NULL);                        // the defaults again
    assert_int_equal(r->n_ctx, 512);
    assert_int_equal(r->n_batch, 512);
    session_close(&s);

    o.float_activations = true;
    o.n_ctx = 100;                              // the batch follows
    o.n_outputs = 300;
    o.n_threads = 3;
    s = open_tiny(&o);
    assert_int_equal(r->n_ctx, 100);
    assert_int_equal(r->n_batch, 100);
    assert_int_equal(r->n_outputs, 100);
    assert_int_equal(r->n_threads, 3);
    assert_int_equal(r->cache_type, DTYPE_F32);
    assert_int_equal(s.model.products.mode, MATMUL_F32);
    session_close(&s);

    o.cache_type = "f16";
    s = open_tiny(&o);
    assert_int_equal(r->cache_type, DTYPE_F16);
    session_close(&s);
}

static void other_files_are_refused(void **state)
{
    session_options o = session_defaults();
    (void)state;
    refuse("data/nothing.gguf", &o, LLL_ERR_IO, "data/nothing.gguf");
    refuse("data", &o, LLL_ERR_IO, "data");
    refuse("data/tiny.txt", &o, LLL_ERR_FORMAT, "data/tiny.txt");
    // A GGUF that is no model.
    refuse("data/trace.gguf", &o, LLL_ERR_NOT_FOUND, "data/trace.gguf");
}

static void other_options_are_refused(void **state)
{
    (void)state;
    session_options o = session_defaults();
    o.n_ctx = 513;
    refuse(TINY, &o, LLL_ERR_ARGUMENT, "llama.context_length is 512, a "
           "context of 513");
    o = session_defaults();
    o.n_ctx = -1;
    refuse(TINY, &o, LLL_ERR_ARGUMENT, "context -1");
    o = session_defaults();
    o.n_batch = 0;
    refuse(TINY, &o, LLL_ERR_ARGUMENT,
           "data/tiny.gguf: context 512, batch 0");
    o = session_defaults();
    o.pre = "gpt-9";
    refuse(TINY, &o, LLL_ERR_UNSUPPORTED, "\"gpt-9\"");
    o = session_defaults();
    o.n_threads = 5000;
    refuse(TINY, &o, LLL_ERR_ARGUMENT, "threads at most 1024");
    o = session_defaults();
    o.cache_type = "f8";
    refuse(TINY, &o, LLL_ERR_ARGUMENT, "unknown cache type \"f8\"");
    o.cache_type = "q8_0";
    refuse(TINY, &o, LLL_ERR_UNSUPPORTED, "data/tiny.gguf: a cache of Q8_0");
    o = session_defaults();
    o.isa = "z80";
    refuse(TINY, &o, LLL_ERR_UNSUPPORTED, "z80");
}

// --- a model that says it is huge ------------------------------------------

static const struct { const char *key; uint32_t value; } huge[] = {
    {"llama.block_count", 4096}, {"llama.context_length", 1 << 24}};

// The tiny model's metadata with these numbers, and one tensor of it.
static void write_huge(char *path)
{
    int handle = mkstemp(path);
    gguf_file tiny;
    gguf_tensor table;
    gguf_writer out;
    lll_error err;
    assert_true(handle >= 0);
    close(handle);
    assert_int_equal(gguf_open(&tiny, TINY, &err), LLL_OK);
    gguf_writer_init(&out);
    for (size_t i = 0; i < tiny.n_values; i++)
        if (!gguf_string_is(tiny.values[i].key, huge[0].key)
            && !gguf_string_is(tiny.values[i].key, huge[1].key))
            gguf_copy_value(&out, &tiny.values[i]);
    for (int i = 0; i < 2; i++)
        gguf_set_u32(&out, huge[i].key, huge[i].value);
    assert_int_equal(gguf_find_tensor(&tiny, "token_embd.weight", NULL, 0,
                                      &table, &err), LLL_OK);
    gguf_add_tensor(&out, "token_embd.weight", table.type, table.dims, 2,
                    table.data);
    assert_int_equal(gguf_write(&out, path, &err), LLL_OK);
    gguf_writer_free(&out);
    gguf_close(&tiny);
}

static char steps[32][64];
static int n_steps;

static void note(const char *line)
{
    assert_true(n_steps < 32);
    snprintf(steps[n_steps++], sizeof steps[0], "%s", line);
}

static void too_large_for_any_machine(void **state)
{
    char path[] = "/tmp/session-XXXXXX";
    (void)state;
    if (machine_read_memory().available == 0)
        skip();                         // a system that does not say
    write_huge(path);
    session_options o = session_defaults();
    o.note = note;
    o.n_ctx = 1 << 24;                  // 8 TiB of keys and values
    n_steps = 0;
    refuse(path, &o, LLL_ERR_MEMORY, "use a smaller -c, or --fit");
    refuse(path, &o, LLL_ERR_MEMORY, "need 8.0");
    o.n_sequences = 65536;              // more than 64 bits can count
    o.float_activations = true;
    refuse(path, &o, LLL_ERR_MEMORY, "need");
    assert_int_equal(n_steps, 0);

    // With --fit it steps down: the context first, as far as is needed. Then
    // there is room, and the layers turn out to be missing.
    o.n_sequences = 1;
    o.float_activations = false;
    o.fit = true;
    refuse(path, &o, LLL_ERR_NOT_FOUND, "blk.0.attn_norm.weight");
    assert_true(n_steps >= 2);
    assert_string_equal(steps[0], "context 16777216 -> 8388608");
    assert_string_equal(steps[1], "context 8388608 -> 4194304");

    // And down to the end, where nothing smaller is left.
    n_steps = 0;
    o.n_sequences = 65536;
    o.float_activations = true;
    refuse(path, &o, LLL_ERR_MEMORY, "no smaller step is left");
    assert_int_equal(n_steps, 15 + 3 + 1);
    assert_string_equal(steps[14], "context 1024 -> 512");
    assert_string_equal(steps[15], "batch 512 -> 256");
    assert_string_equal(steps[18], "cache F32 -> F16");

    // None of these attempts still holds the file.
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        assert_null(strstr(line, path));
    if (maps != NULL)
        fclose(maps);
    remove(path);
}

// --- prompts ---------------------------------------------------------------

static void check_ids(const session *s, const char *text,
                      const int32_t *want, size_t n)
{
    const int32_t *ids = NULL;
    size_t n_ids = 77;
    lll_error err;
    assert_int_equal(session_encode(s, text, strlen(text), &ids, &n_ids,
                                    &err), LLL_OK);
    assert_int_equal(n_ids, n);
    assert_non_null(ids);
    if (n > 0)
        assert_memory_equal(ids, want, n * sizeof *want);
}

static void a_prompt_begins_once(void **state)
{
    static const int32_t want[] = {1, 42, 75};      // <|im_start|> H i
    static const int32_t twice[] = {1, 1, 42, 75};
    (void)state;
    session_options o = session_defaults();
    session s = open_tiny(&o);
    check_ids(&s, "Hi", want + 1, 2);
    check_ids(&s, "<|im_start|>Hi", want, 3);
    check_ids(&s, "", want, 0);
    // As if the file asked for BOS.
    s.words.add_bos = true;
    check_ids(&s, "Hi", want, 3);
    check_ids(&s, "<|im_start|>Hi", want, 3);
    check_ids(&s, "", want, 1);
    // Two of them are what somebody wrote.
    check_ids(&s, "<|im_start|><|im_start|>Hi", twice, 4);

    const int32_t *ids = NULL;
    size_t n_ids = 77;
    lll_error err = {0};
    s.words.bos = -1;
    assert_int_equal(session_encode(&s, "Hi", 2, &ids, &n_ids, &err),
                     LLL_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "tokenizer.ggml.bos_token_id"));
    assert_true(ids == NULL && n_ids == 77);
    session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_chosen_when_nothing_is_said),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(other_options_are_refused),
        cmocka_unit_test(too_large_for_any_machine),
        cmocka_unit_test(a_prompt_begins_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
