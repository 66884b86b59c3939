#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/verbs.h"
#include "common/file.h"
#include "common/trace_write.h"

// @begin verb-trace
lll_status verb_trace(session *s, const settings *set, lll_error *err)
{
    const int32_t *ids;
    size_t n_ids;
    if (file_is_same(set->trace, set->model))
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: the trace would replace "
                        "the model; name another file", set->trace);
    lll_status status = read_prompt(s, set, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    if (n_ids > (size_t)s->model.request.n_outputs)
        return lll_fail(err, LLL_ERR_ARGUMENT, "a trace of %zu tokens, "
                        "expected at most %d; use a larger -b", n_ids,
                        s->model.request.n_outputs);
    // @end verb-trace
    // @begin verb-trace-pass
    // A truth for each token, where a message would be: no batch is longer.
    const uint8_t *all = memset(s->model.message, 1, n_ids);
    llama_batch batch = {.n_tokens = (int)n_ids, .ids = ids,
                         .wants_logits = all};
    status = trace_write(&s->model, &s->words, &batch, set->trace, err);
    if (status == LLL_OK && !set->quiet)
        fprintf(stderr, "%s: %zu token%s traced\n", set->trace, n_ids,
                n_ids == 1 ? "" : "s");
    return status;
}
// @end verb-trace-pass
