// Chapter 2: what a model is made of, and what it needs, before it is loaded.

#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "chapters/02-parameter-calculator/memory.h"
#include "common/machine.h"
#include "common/plan_file.h"

// @begin main-request
// How the model is to be run: what was said, or what suits model and machine.
static lll_status make_request(const settings *set, const model *m,
                               plan_request *request, lll_error *err)
{
    dtype cache_type;
    if (!dtype_by_name(set->cache_type, &cache_type)
        || (cache_type != DTYPE_F16 && cache_type != DTYPE_F32
            && cache_type != DTYPE_Q8_0))
        return lll_fail(err, LLL_ERR_USAGE, "--cache-type %s: expected f16, "
                        "f32 or q8_0", set->cache_type);
    int64_t n_ctx = set->n_ctx;
    if (n_ctx == 0)
        n_ctx = m->config.context_length < 4096 ? m->config.context_length
                                                : 4096;
    *request = (plan_request){
        .n_ctx = (int)n_ctx, .n_outputs = 1,
        .n_batch = (int)(set->n_batch < n_ctx ? set->n_batch : n_ctx),
        .n_threads = set->n_threads > 0 ? (int)set->n_threads
                                        : machine_cores(),
        .n_sequences = (int)set->n_sequences, .cache_type = cache_type,
    };
    plan_read_file(&m->file, request);      // nothing where there is none
    return LLL_OK;
}
// @end main-request

// @begin main-json
static lll_status print_json(const settings *set, const model *m,
                             const cost_question *q, const memory_plan *plan,
                             lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_model(&json, &m->config);
    json_out_key(&json, "parameters");
    json_out_object(&json);
    json_parameters(&json, &m->config);
    json_out_end(&json);
    if (m->file.n_tensors > 0)
        json_audit(&json, m);
    if (set->mistakes)
        json_mistakes(&json, &m->config);
    if (plan != NULL)
        json_plan(&json, plan, q);
    json_costs(&json, q);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end main-json

// @begin main-one
// Everything there is to say about one model.
static void print_all(const model *m, const cost_question *q,
                      const memory_plan *plan)
{
    print_bill(&m->config);
    if (m->file.n_tensors > 0)
        print_audit(m);
    print_weights(q);
    if (plan != NULL)
        print_plan(q, plan);
    print_training(q);
    print_verdict(q);
}

static lll_status show_table(const settings *set, const cost_question *q,
                             lll_error *err)
{
    static model_list list;
    const char *name = set->costs.table;
    lll_status status = strcmp(name, "gpus") != 0 ? LLL_OK
                        : models_read(&list, "data/configs", err);
    if (status != LLL_OK)
        return status;
    return print_table(name, q, list.items, list.n_items, set->json, err);
}
// @end main-one

// @begin main-model
// One model: whatever was asked about it.
static lll_status show_model(const settings *set, const model *m,
                             lll_error *err)
{
    const model_config *c = &m->config;
    plan_request request;
    memory_plan plan;
    cost_question q;
    // What our engine would allocate is known for what it runs.
    bool runs = config_check_llama(c, "", NULL) == LLL_OK;
    lll_status status = make_request(set, m, &request, err);
    if (status == LLL_OK && runs)
        status = plan_memory(c, &request, &plan, err);
    if (status == LLL_OK)
        status = cost_prepare(&set->costs, c, &request, &m->file, &q, err);
    if (status != LLL_OK)
        return status;
    if (set->costs.table != NULL)
        return show_table(set, &q, err);
    if (set->json)
        return print_json(set, m, &q, runs ? &plan : NULL, err);
    if (set->formula)
        print_formula(c);
    else if (set->mistakes)
        print_mistakes(c);
    else
        print_all(m, &q, runs ? &plan : NULL);
    return LLL_OK;
}
// @end main-model

// @begin main-several
// Several models beside each other: the repository's, or the named ones.
static lll_status show_models(const settings *set, const args_list *paths,
                              lll_error *err)
{
    static model_list list;
    if (set->compare && paths->n_items == 0)
        return lll_fail(err, LLL_ERR_USAGE, "--compare: expected the names "
                        "of files, as data/configs/gpt2.json");
    lll_status status = set->compare ? models_open(&list, paths, err)
                                     : models_read(&list, "data/configs",
                                                   err);
    if (status != LLL_OK)
        return status;
    if (set->json)
        return print_models_json(&list, err);
    if (set->compare)
        print_side_by_side(&list);
    else
        print_list(&list);
    return LLL_OK;
}
// @end main-several

// @begin main-run
static lll_status run(const settings *set, const args_list *rest,
                      lll_error *err)
{
    model m = {0};
    if (rest->n_items > 0 && !set->compare)
        return lll_fail(err, LLL_ERR_USAGE, "unexpected \"%s\"; several "
                        "models go with --compare", rest->items[0]);
    lll_status status = check_asked(set, err);
    if (status == LLL_OK && (set->compare || set->list))
        return show_models(set, rest, err);
    if (status == LLL_OK)
        status = model_describe(&m, set, err);
    // What is asked of others has no limit from a model that nobody named.
    if (asks_of_others(set))
        m.config.context_length = CONFIG_MAX_DIMENSION;
    if (status == LLL_OK)
        status = show_model(set, &m, err);
    model_close(&m);
    return status;
}
// @end main-run

// @begin main
int main(int argc, char **argv)
{
    settings set = {.n_batch = 512, .n_sequences = 1, .cache_type = "f16",
                    .costs = cost_defaults};
    args_option options[N_OPTIONS];
    const args_program program = {
        args_name(argv[0], "./chapter-02/run"),
        "[--gguf FILE | --config FILE | --arch NAME] [...]",
        "Count a model's parameters and plan its memory.",
        options, calculator_options(&set, options),
    };
    args_list rest;
    lll_error err;
    bool help;
    lll_status status = args_parse(&program, argc, argv, &rest, &help, &err);
    if (status == LLL_OK && help) {
        args_help(&program, stdout);
        return args_finish(&program, LLL_OK, NULL);
    }
    if (status == LLL_OK)
        status = run(&set, &rest, &err);
    return args_finish(&program, status, &err);
}
// @end main
