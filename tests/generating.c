#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/generating.h"
#include "common/unicode.h"

static void collect(void *context, const char *text, size_t n_bytes)
{
    collector *c = context;
    assert_true(n_bytes > 0 && c->n_bytes + n_bytes < MOST_TEXT);
    // Each piece is whole characters.
    for (size_t at = 0; at < n_bytes; ) {
        uint32_t code;
        int n = unicode_decode((const unsigned char *)text + at,
                               n_bytes - at, &code);
        assert_true(n > 0);
        at += (size_t)n;
    }
    memcpy(c->text + c->n_bytes, text, n_bytes);
    c->n_bytes += n_bytes;
    c->text[c->n_bytes] = '\0';
    if (++c->n_calls == c->interrupt_at)
        c->interrupted = 1;
}

static void start(session *s, const session_options *options)
{
    lll_error err;
    if (session_open(s, "data/tiny.gguf", options, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

void start_with(session *s, int n_batch, int n_threads)
{
    session_options options = session_defaults();
    options.n_ctx = N_CTX;
    options.n_batch = n_batch;
    options.n_threads = n_threads;
    start(s, &options);
}

void start_sequences(session *s, int n_sequences, const char *cache_type)
{
    session_options options = session_defaults();
    options.n_ctx = N_CTX;
    options.n_threads = 1;
    options.n_sequences = n_sequences;
    options.cache_type = cache_type;
    start(s, &options);
}

generate_options greedy(collector *c, int max_tokens)
{
    generate_options o = {.sampling = sampler_defaults(),
                          .max_tokens = max_tokens, .on_text = collect,
                          .context = c, .interrupted = &c->interrupted};
    o.sampling.temperature = 0;
    return o;
}

generate_report run(session *s, const char *prompt,
                    const generate_options *o, collector *c)
{
    generate_report report = {0};
    const int32_t *ids;
    size_t n_ids;
    lll_error err;
    c->n_bytes = 0;
    c->n_calls = 0;
    c->text[0] = '\0';
    assert_int_equal(session_encode(s, prompt, strlen(prompt), &ids, &n_ids,
                                    &err), LLL_OK);
    if (generate(&s->model, &s->words, ids, n_ids, o, &report, &err)
        != LLL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(report.prompt_tokens, n_ids);
    return report;
}

void empty_cache(session *s)
{
    kv_cache_truncate(&s->model.caches[0], 0);
}
