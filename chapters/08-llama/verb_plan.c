#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/verbs.h"
#include "common/file.h"
#include "common/json_out.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin verb-mapped
// Code, stack and libraries of the program itself: more than any of them has.
enum { PROGRAM_BYTES = 4000000 };

// Bytes of the files that a run maps: the model, and a text that it reads.
static lll_status mapped_bytes(const session *s, const settings *set,
                               uint64_t *n, lll_error *err)
{
    file_map map;
    const char *text = set->perplexity != NULL ? set->perplexity
                     : set->batch_file != NULL ? set->batch_file
                     : set->prompt_file;
    *n = s->file.n_bytes;
    if (text == NULL || strcmp(text, "-") == 0)
        return LLL_OK;
    lll_status status = file_map_open(&map, text, err);
    if (status != LLL_OK)
        return status;
    *n += map.n_bytes;
    file_map_close(&map);
    return LLL_OK;
}
// @end verb-mapped

// @begin verb-plan
static lll_status print_plan_json(const memory_plan *plan, uint64_t mapped,
                                  lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "memory");
    json_out_object(&json);
    for (int i = 0; i < PLAN_PARTS; i++) {
        json_out_key(&json, plan_part_name((plan_part)i));
        json_out_u64(&json, plan->bytes[i]);
    }
    json_out_key(&json, "total");
    json_out_u64(&json, plan->total);
    json_out_end(&json);
    json_out_key(&json, "mapped_bytes");
    json_out_u64(&json, mapped);
    json_out_key(&json, "resident_bytes_at_most");
    json_out_u64(&json, plan->total + mapped + PROGRAM_BYTES);
    json_out_end(&json);
    return json_out_finish(&json, err);
}

static void plan_line(const char *name, uint64_t bytes)
{
    char text[32], number[32];
    size_text(bytes, text, sizeof text);
    number_text(bytes, number, sizeof number);
    printf("  %-22s %12s %18s bytes\n", name, text, number);
}
// @end verb-plan

// @begin verb-plan-2
// What running would ask of the system, before any of it is asked for.
lll_status verb_plan(session *s, const settings *set, lll_error *err)
{
    const plan_request *r = &s->request;
    const memory_plan *plan = &s->plan;
    uint64_t mapped;
    lll_status status = mapped_bytes(s, set, &mapped, err);
    if (status != LLL_OK || set->json)
        return status != LLL_OK ? status
                                : print_plan_json(plan, mapped, err);
    printf("a context of %d, batches of %d, %d thread%s, cache of %s\n",
           r->n_ctx, r->n_batch, r->n_threads, r->n_threads == 1 ? "" : "s",
           dtype_name((uint32_t)r->cache_type));
    for (int i = 0; i < PLAN_PARTS; i++)
        if (plan->bytes[i] > 0)
            plan_line(plan_part_name((plan_part)i), plan->bytes[i]);
    plan_line("together", plan->total);
    printf("mapped from files, which the system can read again:\n");
    plan_line("model and text", mapped);
    printf("with the program itself, 4 MB at the very most:\n");
    plan_line("at most resident", plan->total + mapped + PROGRAM_BYTES);
    return LLL_OK;
}
// @end verb-plan-2
