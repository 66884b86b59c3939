#include "common/session.h"

#include <stdlib.h>
#include <string.h>

#include "common/machine.h"
#include "common/size.h"

// @begin session-defaults
enum { DEFAULT_CONTEXT = 4096 };

session_options session_defaults(void)
{
    return (session_options){.n_batch = 512, .n_outputs = 1,
                             .n_sequences = 1};
}
// @end session-defaults

// @begin session-request
static lll_status make_request(const session *s, const session_options *o,
                               plan_request *request, lll_error *err)
{
    dtype cache_type = o->float_activations ? DTYPE_F32 : DTYPE_F16;
    if (o->cache_type != NULL && !dtype_by_name(o->cache_type, &cache_type))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "unknown cache type \"%s\", expected f16 or f32",
                        o->cache_type);
    int n_ctx = o->n_ctx;
    if (n_ctx > s->config.context_length)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "%s: llama.context_length is %d, a context of %d is "
                        "longer than the model was trained for; use -c %d "
                        "or less", s->file.path, s->config.context_length,
                        n_ctx, s->config.context_length);
    if (n_ctx == 0)
        n_ctx = s->config.context_length < DEFAULT_CONTEXT
              ? s->config.context_length : DEFAULT_CONTEXT;
    int n_batch = o->n_batch < n_ctx ? o->n_batch : n_ctx;
    *request = (plan_request){
        .n_ctx = n_ctx, .n_batch = n_batch,
        .n_outputs = o->n_outputs < n_batch ? o->n_outputs : n_batch,
        .n_threads = o->n_threads > 0 ? o->n_threads : machine_cores(),
        .n_sequences = o->n_sequences, .cache_type = cache_type,
        .index_bytes = s->file.index_bytes,
        .tokenizer_bytes = s->words.n_bytes,
    };
    return LLL_OK;
}
// @end session-request

// @begin session-fit
// Compare the plan with the memory that can be had, and with `fit` step down
// until it is enough. The weights are not counted: they are mapped, and the
// system may drop and reread their pages.
static lll_status fit(const session *s, const session_options *o,
                      plan_request *request, lll_error *err)
{
    uint64_t available = machine_read_memory().available;
    for (;;) {
        memory_plan plan;
        char line[96], need[32], have[32];
        lll_status status = plan_memory(&s->config, request, &plan, err);
        if (status != LLL_OK && status != LLL_ERR_OVERFLOW)
            return status;
        if (status == LLL_OK && (available == 0 || plan.total <= available))
            return LLL_OK;
        if (o->fit && plan_shrink(request, line, sizeof line)) {
            if (o->note != NULL)
                o->note(line);
            continue;
        }
        if (status != LLL_OK)
            return status;
        size_text(plan.total, need, sizeof need);
        size_text(available, have, sizeof have);
        return lll_fail(err, LLL_ERR_MEMORY,
                        "%s: a context of %d needs %s of memory beside the "
                        "mapped weights, this machine has %s free; %s",
                        s->file.path, request->n_ctx, need, have,
                        o->fit ? "no smaller step is left"
                               : "use a smaller -c, or --fit");
    }
}
// @end session-fit

// @begin session-open
lll_status session_open(session *s, const char *path,
                        const session_options *options, lll_error *err)
{
    double start = machine_seconds();
    plan_request request;
    memset(s, 0, sizeof *s);
    lll_status status = gguf_open(&s->file, path, err);
    if (status == LLL_OK)
        status = config_from_gguf(&s->config, &s->file, err);
    if (status == LLL_OK)
        status = tokenizer_init(&s->words, &s->file, NULL, err);
    if (status == LLL_OK)
        status = make_request(s, options, &request, err);
    if (status == LLL_OK)
        status = fit(s, options, &request, err);
    if (status == LLL_OK)
        status = llama_init(&s->model, &s->file, &s->config, &request,
                            options->isa, options->float_activations
                                ? MATMUL_F32 : MATMUL_Q8, err);
    if (status != LLL_OK) {
        session_close(s);
        return status;
    }
    s->load_seconds = machine_seconds() - start;
    return LLL_OK;
}

void session_close(session *s)
{
    llama_free(&s->model);
    tokenizer_free(&s->words);
    gguf_close(&s->file);
    memset(s, 0, sizeof *s);
}
// @end session-open

// @begin session-encode
lll_status session_encode(const session *s, const char *text, size_t n_bytes,
                          int32_t **ids, size_t *n_ids, lll_error *err)
{
    const tokenizer *words = &s->words;
    size_t capacity = tokenizer_max_ids(words, n_bytes) + 1, n = 0;
    int32_t *list = calloc(capacity, sizeof *list);
    if (list == NULL)
        return lll_fail(err, LLL_ERR_MEMORY,
                        "no memory for a prompt of %zu bytes", n_bytes);
    // One place is kept free in front: a prompt that brings its own BOS must
    // not get a second.
    lll_status status = tokenizer_encode(words, text, n_bytes,
                                         TOKENIZER_SPECIAL, list + 1,
                                         capacity - 1, &n, err);
    if (status != LLL_OK) {
        free(list);
        return status;
    }
    if (words->add_bos && (n == 0 || list[1] != words->bos)) {
        list[0] = words->bos;
        n++;
    } else {
        memmove(list, list + 1, n * sizeof *list);
    }
    *ids = list;
    *n_ids = n;
    return LLL_OK;
}
// @end session-encode
