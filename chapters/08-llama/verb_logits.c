#include <inttypes.h>
#include <stdio.h>

#include "chapters/08-llama/verbs.h"
#include "common/generate.h"
#include "common/json_out.h"
#include "common/terminal.h"

// @begin verb-best
enum { BEST = 10 };

static void print_best(const session *s, const candidate *best, int n)
{
    for (int i = 0; i < n; i++) {
        char text[256];
        size_t length = tokenizer_piece(&s->words, best[i].id, true, text,
                                        sizeof text);
        printf("%6" PRId32 "  %9.4f  \"", best[i].id, (double)best[i].logit);
        terminal_text(stdout, text,
                      length < sizeof text ? length : sizeof text);
        printf("\"\n");
    }
}
// @end verb-best

// @begin verb-best-json
static lll_status print_best_json(const int32_t *ids, size_t n_ids,
                                  const candidate *best, int n,
                                  lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "prompt");
    json_out_array(&json);
    for (size_t i = 0; i < n_ids; i++)
        json_out_i64(&json, ids[i]);
    json_out_end(&json);
    json_out_key(&json, "top");
    json_out_array(&json);
    for (int i = 0; i < n; i++) {
        json_out_object(&json);
        json_out_key(&json, "id");
        json_out_i64(&json, best[i].id);
        json_out_key(&json, "logit");
        json_out_f32(&json, best[i].logit);
        json_out_end(&json);
    }
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end verb-best-json

// @begin verb-logits
lll_status verb_logits(session *s, const settings *set, lll_error *err)
{
    const int32_t *ids;
    size_t n_ids;
    const float *logits;
    sampler top;
    int n = s->config.vocab_size < BEST ? s->config.vocab_size : BEST;
    lll_status status = read_prompt(s, set, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    status = generate_prefill(&s->model, 0, ids, n_ids, NULL, &logits, err);
    if (status != LLL_OK)
        return status;
    sampler_init(&top, &set->sampling, s->model.candidates,
                 s->config.vocab_size);
    sampler_top(&top, logits, n);
    if (top.no_number >= 0)
        return lll_fail(err, LLL_ERR_FORMAT, "%s: the model's logits are not "
                        "numbers, that of token %d first: a weight of the "
                        "file is NaN or infinite", s->file.path,
                        top.no_number);
    if (set->json)
        return print_best_json(ids, n_ids, top.candidates, n, err);
    print_best(s, top.candidates, n);
    return LLL_OK;
}
// @end verb-logits
