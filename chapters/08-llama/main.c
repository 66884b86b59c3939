// Chapter 8: the whole Llama. A GGUF file and a prompt in, text out.

#include <string.h>

#include "chapters/08-llama/requantize.h"
#include "chapters/08-llama/verbs.h"

// @begin main-run
static lll_status run(const settings *set, lll_error *err)
{
    session s;
    verb chosen;
    lll_status status = verb_choose(set, &chosen, err);
    if (status != LLL_OK)
        return status;
    if (chosen.n_outputs == 0)
        return chosen.run(NULL, set, err);
    char other[4096];
    settings own = *set;
    if (set->requantize != NULL)
        status = requantize(set, other, sizeof other, err);
    if (status != LLL_OK)
        return status;
    own.model = set->requantize != NULL ? other : set->model;
    set = &own;
    status = open_session(&s, set->model, set, chosen.n_outputs, err);
    // Once it is installed, the program may be started anywhere.
    if (status == LLL_ERR_IO && strcmp(set->model, TINY_MODEL) == 0)
        status = lll_fail(err, status, "%s; give a model with -m FILE",
                          err->text);
    if (status == LLL_OK)
        status = chosen.run(&s, set, err);
    session_close(&s);
    return status;
}
// @end main-run

// @begin main
int main(int argc, char **argv)
{
    settings set = settings_defaults();
    args_option options[MAX_OPTIONS];
    size_t n_options = settings_list(&set, options);
    const args_program program = {
        args_name(argv[0], "./chapter-08/run"),
        "[-m FILE.gguf] [-p TEXT] [--chat]",
        "Run a Llama: continue a text, talk, score, trace. Without "
        "arguments the tiny model of this repository says something.",
        options, n_options,
    };
    args_list rest;
    lll_error err;
    bool help;
    own_buffers();
    lll_status status = args_parse(&program, argc, argv, &rest, &help, &err);
    if (status == LLL_OK && help) {
        args_help(&program, stdout);
        return args_finish(&program, LLL_OK, NULL);
    }
    // What a model is compared with is no option.
    if (set.compare != NULL || set.compare_quant != NULL)
        set.others = rest;
    else if (status == LLL_OK && rest.n_items > 0)
        status = lll_fail(&err, LLL_ERR_USAGE, "unexpected \"%s\"; a prompt "
                          "is given with -p", rest.items[0]);
    if (status == LLL_OK)
        status = settings_check(&set, &err);
    if (status == LLL_OK)
        status = run(&set, &err);
    return args_finish(&program, status, &err);
}
// @end main
