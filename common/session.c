#include "common/session.h"

#include <stdio.h>
#include <string.h>

#include "common/config_gguf.h"
#include "common/file.h"
#include "common/importance.h"
#include "common/machine.h"
#include "common/size.h"
#include "common/trace_write.h"

// @begin session-defaults
enum { DEFAULT_CONTEXT = 4096 };

session_options session_defaults(void)
{
    return (session_options){.n_batch = 512, .n_outputs = 1,
                             .n_sequences = 1};
}
// @end session-defaults

// @begin session-request
static lll_status make_request(session *s, const session_options *o,
                               lll_error *err)
{
    dtype cache_type = o->float_activations ? DTYPE_F32 : DTYPE_F16;
    if (o->cache_type != NULL && !dtype_by_name(o->cache_type, &cache_type))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "unknown cache type \"%s\", expected f32, f16 or "
                        "q8_0", o->cache_type);
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
    s->request = (plan_request){
        .n_ctx = n_ctx, .n_batch = n_batch,
        .n_outputs = o->n_outputs < n_batch ? o->n_outputs : n_batch,
        .n_threads = o->n_threads > 0 ? o->n_threads : machine_cores(),
        .n_sequences = o->n_sequences, .cache_type = cache_type,
        .index_bytes = s->file.index_bytes,
        .vocabulary = s->words.words.size,
    };
    return LLL_OK;
}
// @end session-request

// @begin session-too-large
// The sentence for a plan that is larger than the memory. `have` says what
// there is, from the machine's count or from its refusal.
static lll_status too_large(const session *s, const char *have, bool fit,
                            lll_error *err)
{
    const plan_request *request = &s->request;
    char need[32];
    size_text(s->plan.total, need, sizeof need);
    return lll_fail(err, LLL_ERR_MEMORY,
                    "%s: a context of %d and batches of %d need %s of memory "
                    "beside the mapped weights, %s; %s", s->file.path,
                    request->n_ctx, request->n_batch, need, have,
                    fit ? "no smaller step is left"
                        : "use a smaller -c, or --fit");
}
// @end session-too-large

// @begin session-try
// Start the model if the memory suffices. The weights are not counted: they
// are mapped, and the system may drop and reread their pages.
static lll_status try_start(session *s, const session_options *o,
                            lll_error *err)
{
    char free_bytes[32], have[64];
    if (o->trace != NULL)
        s->request.trace_bytes = trace_bytes(
            &s->config, s->request.n_batch,
            s->request.vocabulary.longest_text, o->trace);
    else if (o->importance != NULL)
        s->request.trace_bytes = importance_bytes(&s->config, o->importance);
    else if (o->save != NULL)
        s->request.trace_bytes = file_writer_bytes(o->save);
    lll_status status = plan_memory(&s->config, &s->request, &s->plan, err);
    // The planner knows numbers, not whose they are.
    if (status != LLL_OK)
        return err == NULL ? status : lll_fail(err, status, "%s: %s",
                                               s->file.path, err->text);
    size_text(s->available, free_bytes, sizeof free_bytes);
    snprintf(have, sizeof have, "this machine has %s free", free_bytes);
    if (o->plan_only && !o->fit)
        return LLL_OK;
    if (s->available != 0 && s->plan.total > s->available)
        return too_large(s, have, o->fit, err);
    if (o->plan_only)
        return LLL_OK;
    status = llama_init(&s->model, &s->file, &s->config, &s->request, o->isa,
                        o->float_activations ? MATMUL_F32 : MATMUL_Q8, err);
    // A machine may say it has the memory and still not give it.
    if (status == LLL_ERR_MEMORY)
        return too_large(s, "the system refuses it", o->fit, err);
    return status;
}
// @end session-try

// @begin session-fit
static lll_status start_model(session *s, const session_options *o,
                              lll_error *err)
{
    char line[96];
    for (;;) {
        lll_status status = try_start(s, o, err);
        bool too_much = status == LLL_ERR_MEMORY
                        || status == LLL_ERR_OVERFLOW;
        if (!too_much || !o->fit
            || !plan_shrink(&s->config, &s->request, line, sizeof line))
            return status;
        if (o->note != NULL)
            o->note(line);
    }
}
// @end session-fit

// @begin session-open
lll_status session_open(session *s, const char *path,
                        const session_options *options, lll_error *err)
{
    double start = machine_seconds();
    session_options o = options != NULL ? *options : session_defaults();
    memset(s, 0, sizeof *s);
    // Asked first: what opening takes is in the plan, too.
    s->available = machine_read_memory().available;
    lll_status status = gguf_open(&s->file, path, err);
    if (status == LLL_OK)
        status = config_from_gguf(&s->config, &s->file, err);
    if (status == LLL_OK)
        status = config_check_llama(&s->config, path, err);
    if (status == LLL_OK)
        status = tokenizer_init(&s->words, &s->file, o.pre, err);
    if (status == LLL_OK)
        status = make_request(s, &o, err);
    if (status == LLL_OK)
        status = start_model(s, &o, err);
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

// @begin session-text
lll_status session_text(const session *s, const char *text, size_t n_bytes,
                        tokenizer_encoder *out, lll_error *err)
{
    const tokenizer *words = &s->words;
    const llama *m = &s->model;
    unsigned flags = TOKENIZER_SPECIAL;
    tokenizer_encoder e;
    size_t n;
    int32_t first;
    if (words->add_bos && words->bos < 0)
        return lll_fail(err, LLL_ERR_NOT_FOUND,
                        "%s: tokenizer.ggml.bos_token_id is missing, "
                        "expected where texts begin with that token",
                        s->file.path);
    lll_status status = tokenizer_begin(&e, words, text, n_bytes, flags,
                                        m->encoder, m->text_bytes, err);
    // A text that brings its own BOS must not get a second: look, and begin
    // again.
    if (status == LLL_OK)
        status = tokenizer_more(&e, &first, 1, &n, err);
    if (status != LLL_OK)
        return status;
    if (words->add_bos && (n == 0 || first != words->bos))
        flags |= TOKENIZER_BOS;
    return tokenizer_begin(out, words, text, n_bytes, flags, m->encoder,
                           m->text_bytes, err);
}
// @end session-text

// @begin session-encode
lll_status session_encode(const session *s, const char *text, size_t n_bytes,
                          const int32_t **ids, size_t *n_ids, lll_error *err)
{
    int32_t *list = s->model.ids;
    size_t most = (size_t)s->request.n_ctx, first = 0, n = 0, total = 0;
    tokenizer_encoder e;
    lll_status status = session_text(s, text, n_bytes, &e, err);
    // A text that does not fit is counted to its end, for the sentence.
    while (status == LLL_OK) {
        status = tokenizer_more(&e, list, most, &n, err);
        if (total == 0)
            first = n;
        if (status == LLL_OK && n == 0)
            break;
        total += n;
    }
    if (status == LLL_OK && total > first)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "a prompt of %zu tokens does not fit in a context of "
                        "%zu; use a %s", total, most,
                        s->request.n_ctx < s->config.context_length
                        ? "larger -c or a shorter prompt"
                        : "shorter prompt, the model has no more");
    if (status == LLL_OK) {
        *ids = list;
        *n_ids = total;
    }
    return status;
}
// @end session-encode

// @begin session-generate
lll_status session_generate(session *s, const char *text,
                            const generate_options *options,
                            generate_report *report, lll_error *err)
{
    const int32_t *ids;
    size_t n_ids;
    lll_status status = session_encode(s, text, strlen(text), &ids, &n_ids,
                                       err);
    if (status == LLL_OK)
        status = generate(&s->model, &s->words, ids, n_ids, options, report,
                          err);
    return status;
}
// @end session-generate
