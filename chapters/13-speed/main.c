// Chapter 13: speed. Versions of one kernel from the plain loop to the best,
// each against what this machine allows.

#include <stdio.h>
#include <string.h>

#include "chapters/13-speed/lab.h"
#include "common/args.h"

// @begin main-experiments
// One word for each, and what it looks at where nothing else is said.
static const struct {
    const char *word;
    lll_status (*run)(lab *l, lll_error *err);
    int64_t rows, columns, tokens;
} experiments[] = {
    {"limits", lab_show_limits, 0, 0, 0},
    {"decode", lab_matmul, 0, 2048, 1},     // as many as no cache holds
    {"matmul", lab_matmul, 1536, 576, 128},
    {"attention", lab_attention, 0, 0, 0},
};
enum { N_EXPERIMENTS = sizeof experiments / sizeof experiments[0] };

static int find_experiment(const char *word)
{
    for (int i = 0; i < N_EXPERIMENTS; i++)
        if (strcmp(experiments[i].word, word) == 0)
            return i;
    return -1;
}
// @end main-experiments

// @begin main-experiment
static lll_status experiment_of(const lab *l, const request *asked, int i,
                                lll_error *err)
{
    request own = *asked;
    lab with = *l;
    with.asked = &own;
    own.rows = asked->rows > 0 ? asked->rows : experiments[i].rows;
    own.columns = asked->columns > 0 ? asked->columns
                                     : experiments[i].columns;
    own.tokens = asked->tokens > 0 ? asked->tokens : experiments[i].tokens;
    return experiments[i].run(&with, err);
}
// @end main-experiment

// @begin main-lesson
// The point of the chapter: one token waits for memory, many for arithmetic.
static lll_status lesson(lab *l, const request *asked, lll_error *err)
{
    lll_status status = lab_show_limits(l, err);
    for (int i = 1; i < N_EXPERIMENTS && status == LLL_OK; i++) {
        putchar('\n');
        status = experiment_of(l, asked, i, err);
    }
    if (status == LLL_OK)
        printf("\nThe columns: time, bytes as stored, multiply-adds, share "
               "of what the slower\nof the two limits allows, distance from "
               "the first version's result.\n");
    return status;
}
// @end main-lesson

// @begin main-run
static lll_status run(const args_list *words, const request *asked,
                      lll_error *err)
{
    lab l;
    json_out json;
    bool all = words->n_items == 0;
    int found = words->n_items == 2 ? find_experiment(words->items[1]) : -1;
    if (!all && strcmp(words->items[0], "lab") != 0)
        return lll_fail(err, LLL_ERR_USAGE, "unknown word \"%s\"; expected "
                        "lab", words->items[0]);
    if (!all && found < 0)
        return lll_fail(err, LLL_ERR_USAGE, "which experiment? lab with one "
                        "of limits, decode, matmul, attention");
    if (all && asked->json)
        return lll_fail(err, LLL_ERR_USAGE, "--json shows one experiment; "
                        "name it: lab matmul --json");
    lll_status status = lab_open(&l, asked, err);
    if (asked->json)
        l.json = &json;
    if (status == LLL_OK)
        status = all ? lesson(&l, asked, err)
                     : experiment_of(&l, asked, found, err);
    if (status == LLL_OK && asked->json) {
        json_out_end(&json);
        status = json_out_finish(&json, err);
    }
    lab_close(&l);
    return status;
}
// @end main-run

// @begin main
int main(int argc, char **argv)
{
    request r = {.positions = 4096, .seconds = 0.1};
    const args_option options[] = {
        ARGS_TEXT(NULL, "--isa", "NAME", &r.isa,
                  "instruction set (default: the fastest)"),
        ARGS_INT("-t", "--threads", "N", &r.n_threads, 0, 1024,
                 "threads of the last version (0: one for each core)"),
        ARGS_TEXT(NULL, "--type", "T", &r.type_name,
                  "how the weights are stored (default: Q4_0)"),
        ARGS_INT(NULL, "--rows", "N", &r.rows, 0, 1 << 20,
                 "rows of the weight (0: the experiment's)"),
        ARGS_INT(NULL, "--columns", "N", &r.columns, 0, 1 << 15,
                 "and numbers in each"),
        ARGS_INT(NULL, "--tokens", "N", &r.tokens, 0, 1024,
                 "rows of x that are multiplied with it"),
        ARGS_INT(NULL, "--positions", "N", &r.positions, 1, 1 << 20,
                 "that attention looks at"),
        ARGS_REAL(NULL, "--seconds", "S", &r.seconds, 0, 60,
                  "to go on with each version; two passes at least"),
        ARGS_FLAG(NULL, "--best", &r.best,
                  "the last version alone, compared with nothing"),
        ARGS_FLAG(NULL, "--json", &r.json, "print the result as JSON"),
    };
    // @end main
    // @begin main-2
    const args_program program = {
        args_name(argv[0], "./chapter-13/run"),
        "[lab limits | lab decode | lab matmul | lab attention]",
        "Versions of one kernel, from the plain loop to the "
        "best, each checked against the first and measured. Without "
        "arguments: all of them.",
        options, sizeof options / sizeof options[0]
    };
    args_list words;
    lll_error err;
    bool help = false;
    lll_status status = args_parse(&program, argc, argv, &words, &help, &err);
    if (status == LLL_OK && help)
        args_help(&program, stdout);
    else if (status == LLL_OK)
        status = run(&words, &r, &err);
    return args_finish(&program, status, &err);
}
// @end main-2
