// Chapter 7: fewer bits for each number. Lays blocks open, converts models,
// and measures what is lost.

#include <stdio.h>
#include <string.h>

#include "chapters/07-quantization/verbs.h"
#include "common/args.h"

// @begin main-verbs
// One word, the files it works on, and the options that go with them.
typedef enum { CONVERT, INSPECT, ERROR_OF_TYPE, ERROR_OF_FILE } verb;

enum {
    TYPE = 1, IMPORTANCE = 2, THREADS = 4, VERBOSE = 8, ROW = 16, BLOCK = 32,
    AGAINST = 64, JSON = 128
};

static const struct {
    const char *word, *usage;
    verb verb;
    int n_words;
    unsigned options;           // --type is needed where it may be given
} verbs[] = {
    {"convert", "convert IN OUT --type T", CONVERT, 3,
     TYPE | IMPORTANCE | THREADS | VERBOSE},
    {"inspect", "inspect FILE TENSOR [--row R] [--block B] [--against FILE]",
     INSPECT, 3, ROW | BLOCK | AGAINST | JSON},
    {"error", "error FILE --type T", ERROR_OF_TYPE, 2, TYPE | JSON},
    {"error", "error FILE OTHER", ERROR_OF_FILE, 3, JSON},
};
// @end main-verbs

// @begin main-verbs-2
enum { N_VERBS = sizeof verbs / sizeof verbs[0] };

static lll_status find_verb(const args_list *words, int *found,
                            lll_error *err)
{
    const char *usage = NULL;
    for (int i = 0; i < N_VERBS; i++) {
        if (strcmp(words->items[0], verbs[i].word) != 0)
            continue;
        usage = verbs[i].usage;
        if (words->n_items == verbs[i].n_words) {
            *found = i;
            return LLL_OK;
        }
    }
    if (usage != NULL)
        return lll_fail(err, LLL_ERR_USAGE, "found %d word%s, expected: %s",
                        words->n_items, words->n_items == 1 ? "" : "s",
                        usage);
    return lll_fail(err, LLL_ERR_USAGE, "unknown word \"%s\"; expected "
                    "convert, inspect or error", words->items[0]);
}
// @end main-verbs-2

// @begin main-options
// An option that would change nothing is a mistake of whoever gives it.
static lll_status check_options(const request *r, unsigned allowed,
                                const char *usage, lll_error *err)
{
    const struct { const char *name; bool given; unsigned option; } all[] = {
        {"--type", r->type_name != NULL, TYPE},
        {"--importance", r->importance != NULL, IMPORTANCE},
        {"--threads", r->n_threads != 0, THREADS},
        {"--verbose", r->verbose, VERBOSE},
        {"--row", r->row >= 0, ROW},
        {"--block", r->block != 0, BLOCK},
        {"--against", r->against != NULL, AGAINST},
        {"--json", r->json, JSON},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].given && (allowed & all[i].option) == 0)
            return lll_fail(err, LLL_ERR_USAGE, "%s does not go with \"%s\"; "
                            "leave it out", all[i].name, usage);
    return LLL_OK;
}
// @end main-options

// @begin main-check
static lll_status check(const args_list *words, request *r, int *found,
                        lll_error *err)
{
    lll_status status = find_verb(words, found, err);
    if (status != LLL_OK)
        return status;
    unsigned options = verbs[*found].options;
    status = check_options(r, options, verbs[*found].usage, err);
    if (status != LLL_OK || (options & TYPE) == 0)
        return status;
    if (r->type_name == NULL)
        return lll_fail(err, LLL_ERR_USAGE, "which type? --type with one of "
                        "%s", recipe_names());
    if (!recipe_find(r->type_name, &r->recipe))
        return lll_fail(err, LLL_ERR_USAGE, "--type %s: expected one of %s",
                        r->type_name, recipe_names());
    return LLL_OK;
}
// @end main-check

// @begin main-run
static lll_status run_error(const gguf_file *a, const char *path,
                            const request *r, lll_error *err)
{
    gguf_file b;
    lll_status status = gguf_open(&b, path, err);
    if (status != LLL_OK)
        return status;
    status = verb_error(a, &b, r, err);
    gguf_close(&b);
    return status;
}
// @end main-run

// @begin main-run-2
static lll_status run(const args_list *words, request *r, lll_error *err)
{
    gguf_file file;
    int found = 0;
    lll_status status;
    if (words->n_items == 0) {
        status = check_options(r, 0, "no words at all", err);
        if (status == LLL_OK)
            show_lesson();
        return status;
    }
    status = check(words, r, &found, err);
    if (status == LLL_OK)
        status = gguf_open(&file, words->items[1], err);
    if (status != LLL_OK)
        return status;
    const char *last = words->items[words->n_items - 1];
    switch (verbs[found].verb) {
    case CONVERT: status = verb_convert(&file, last, r, err); break;
    case INSPECT: status = verb_inspect(&file, last, r, err); break;
    case ERROR_OF_TYPE: status = verb_error(&file, NULL, r, err); break;
    case ERROR_OF_FILE: status = run_error(&file, last, r, err); break;
    }
    gguf_close(&file);
    return status;
}
// @end main-run-2

// @begin main
int main(int argc, char **argv)
{
    request r = {.row = -1};
    const args_option options[] = {
        ARGS_TEXT(NULL, "--type", "T", &r.type_name, "all matrices as this "
                  "type (q4_0, Q4_K), or llama-quantize's recipe (Q4_K_M)"),
        ARGS_TEXT(NULL, "--importance", "FILE", &r.importance, "spend bits "
                  "where activations are large: chapter 8 makes the file"),
        ARGS_INT("-t", "--threads", "N", &r.n_threads, 0, 1024,
                 "threads of a conversion (0: one for each core)"),
        ARGS_FLAG("-v", "--verbose", &r.verbose, "name every tensor"),
        ARGS_INT(NULL, "--row", "R", &r.row, 0, 9e15,
                 "inspect blocks of this row, from 0 (default: of all)"),
        ARGS_INT(NULL, "--block", "B", &r.block, 0, 9e15,
                 "inspect this block, from 0"),
        ARGS_TEXT(NULL, "--against", "FILE", &r.against,
                  "inspect the same numbers of another file, too"),
        ARGS_FLAG(NULL, "--json", &r.json, "print the result as JSON"),
    };
    const args_program program = {
        args_name(argv[0], "./chapter-07/run"), "[convert IN OUT --type T | "
        "inspect FILE TENSOR | error FILE --type T | error FILE OTHER]",
        "Store a model's numbers in fewer bits; an OUT that exists is "
        "replaced. Without arguments: one row in every type.", options,
        sizeof options / sizeof options[0]};
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
// @end main
