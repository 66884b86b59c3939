// What columns meet: the sums beside ones made here from the same pass, the
// same for all batches, and a file that is whole or not there.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/importance.h"
#include "common/session.h"

enum { N = 12, D_MODEL = 64, D_FF = 160, N_LAYERS = 3 };
static const int32_t IDS[N] = {42, 1, 130, 262, 16, 5, 77, 300, 9, 16, 5, 4};

static void start(session *s)
{
    session_options o = session_defaults();
    lll_error err;
    o.n_threads = 1;
    o.n_outputs = N;
    if (session_open(s, "data/tiny.gguf", &o, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

static void feed(session *s, int at_once)
{
    static const uint8_t wants[N] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const float *logits;
    kv_cache_truncate(&s->model.caches[0], 0);
    for (int i = 0; i < N; i += at_once) {
        llama_batch batch = {.n_tokens = at_once, .ids = IDS + i,
                             .wants_logits = wants};
        assert_int_equal(llama_forward(&s->model, &batch, &logits, NULL),
                         LLL_OK);
    }
}

// By hand: one step of one layer, and the last norm.
typedef struct {
    double down[D_FF], final[D_MODEL];
} by_hand;

static void add(void *context, const char *name, int layer,
                const float *values, int n_rows, int n_columns)
{
    by_hand *sums = context;
    double *to = strcmp(name, "final_norm") == 0 ? sums->final
               : strcmp(name, "ffn_act") == 0 && layer == 2 ? sums->down
               : NULL;
    for (int i = 0; i < n_columns && to != NULL; i++)
        for (int r = 0; r < n_rows; r++)
            to[i] += (double)values[r * n_columns + i]
                     * (double)values[r * n_columns + i];
}

static const float *tensor(const gguf_file *file, const char *name,
                           uint64_t columns)
{
    const uint64_t dims[] = {columns, 1};
    gguf_tensor found;
    lll_error err;
    if (gguf_find_tensor(file, name, dims, 2, &found, &err) != LLL_OK)
        fail_msg("%s", err.text);
    return found.data;
}

static void sums_are_right(void **unused)
{
    const char *path = "build/test_importance.gguf";
    session s;
    gguf_file file;
    importance seen;
    by_hand sums = {{0}, {0}};
    lll_error err;
    (void)unused;
    start(&s);
    s.model.observe = add;
    s.model.observer = &sums;
    feed(&s, N);
    assert_int_equal(importance_begin(&seen, &s.model, &err), LLL_OK);
    feed(&s, N);
    assert_int_equal(importance_write(&seen, path, "a/b.txt", 5, &err),
                     LLL_OK);
    importance_end(&seen);
    assert_null(s.model.observe);
    importance_end(&seen);

    assert_int_equal(gguf_open(&file, path, &err), LLL_OK);
    const float *down = tensor(&file, "blk.2.ffn_down.weight.in_sum2", D_FF);
    const float *last = tensor(&file, "output.weight.in_sum2", D_MODEL);
    for (int i = 0; i < D_FF; i++)
        assert_true(down[i] == (float)sums.down[i]);
    for (int i = 0; i < D_MODEL; i++)
        assert_true(last[i] == (float)sums.final[i]);
    assert_true(*tensor(&file, "blk.0.attn_k.weight.counts", 1) == N);
    assert_int_equal(file.n_tensors, (N_LAYERS * 7 + 1) * 2);
    uint64_t chunks;
    gguf_string kind;
    assert_int_equal(gguf_get_u64(&file, "imatrix.chunk_count", &chunks,
                                  &err), LLL_OK);
    assert_int_equal(chunks, 3);            // 12 tokens, 5 at a time
    assert_int_equal(gguf_get_string(&file, "general.type", &kind, &err),
                     LLL_OK);
    assert_true(gguf_string_is(kind, "imatrix"));
    gguf_close(&file);
    session_close(&s);
    unlink(path);
}

static void batches_do_not_matter(void **unused)
{
    session s;
    importance a, b;
    (void)unused;
    start(&s);
    assert_int_equal(importance_begin(&a, &s.model, NULL), LLL_OK);
    feed(&s, N);
    assert_int_equal(importance_begin(&b, &s.model, NULL), LLL_OK);
    feed(&s, 3);
    size_t n = N_LAYERS * (3 * D_MODEL + D_FF) + D_MODEL;
    assert_memory_equal(a.sums, b.sums, n * sizeof *a.sums);
    assert_int_equal(b.n_tokens, N);
    assert_int_equal(b.n_final, N);
    a.model = NULL;                         // b watches now
    importance_end(&a);
    importance_end(&b);
    session_close(&s);
}

static void nothing_is_no_file(void **unused)
{
    session s;
    importance seen;
    lll_error err;
    (void)unused;
    start(&s);
    assert_int_equal(importance_begin(&seen, &s.model, &err), LLL_OK);
    assert_int_equal(importance_write(&seen, "build/nothing.gguf", "x", 5,
                                      &err), LLL_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "no token went through"));
    assert_int_equal(access("build/nothing.gguf", F_OK), -1);
    feed(&s, N);
    assert_int_equal(importance_write(&seen, "build/no/folder.gguf", "x", 5,
                                      &err), LLL_ERR_IO);
    importance_end(&seen);
    session_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_right),
        cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(nothing_is_no_file),
    };
    return cmocka_run_group_tests_name("importance", tests, NULL, NULL);
}
