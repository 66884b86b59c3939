// Chapter 7: fewer bits for each number. Lays blocks open, converts models,
// and measures what is lost.

#include <stdio.h>
#include <string.h>

#include "common/args.h"
#include "common/quant.h"

#include "show.h"

// @begin main-request
typedef struct {
    const char *type_name;
    int64_t block;
    dtype type;
} request;

static lll_status read_type(request *r, lll_error *err)
{
    if (r->type_name == NULL)
        return lll_fail(err, LLL_ERR_USAGE, "which type? --type with one of "
                        "q8_0, q4_0, q4_1, f16, bf16, f32");
    if (!dtype_by_name(r->type_name, &r->type)
        || !quant_is_supported(r->type))
        return lll_fail(err, LLL_ERR_USAGE, "--type %s: expected q8_0, q4_0, "
                        "q4_1, f16, bf16 or f32", r->type_name);
    return LLL_OK;
}
// @end main-request

// @begin main-verbs
// One word, the file it works on, and how many words follow.
static lll_status work(const gguf_file *file, const args_list *words,
                       const request *r, lll_error *err)
{
    const char *verb = words->items[0];
    if (strcmp(verb, "convert") == 0)
        return convert_file(file, words->items[2], r->type, err);
    if (strcmp(verb, "error") == 0)
        return show_errors(file, r->type, err);
    return show_block(file, words->items[2], (uint64_t)r->block, err);
}

static lll_status check_words(const args_list *words, request *r,
                              lll_error *err)
{
    static const struct { const char *verb, *usage; int n; } known[] = {
        {"convert", "convert IN OUT --type T", 3},
        {"inspect", "inspect FILE TENSOR [--block N]", 3},
        {"error", "error FILE --type T", 2},
    };
    for (int i = 0; i < 3; i++) {
        if (strcmp(words->items[0], known[i].verb) != 0)
            continue;
        if (words->n_items != known[i].n)
            return lll_fail(err, LLL_ERR_USAGE, "found %d words, expected: "
                            "%s", words->n_items, known[i].usage);
        return i == 1 ? LLL_OK : read_type(r, err);
    }
    return lll_fail(err, LLL_ERR_USAGE, "unknown word \"%s\"; expected "
                    "convert, inspect or error", words->items[0]);
}
// @end main-verbs

// @begin main-verbs-2
static lll_status run(const args_list *words, request *r, lll_error *err)
{
    gguf_file file;
    if (words->n_items == 0) {
        show_lesson();
        return LLL_OK;
    }
    lll_status status = check_words(words, r, err);
    if (status == LLL_OK)
        status = gguf_open(&file, words->items[1], err);
    if (status != LLL_OK)
        return status;
    status = work(&file, words, r, err);
    gguf_close(&file);
    return status;
}
// @end main-verbs-2

// @begin main
int main(int argc, char **argv)
{
    request r = {0};
    const args_option options[] = {
        ARGS_TEXT(NULL, "--type", "T", &r.type_name, "store matrices as "
                  "q8_0, q4_0, q4_1, f16, bf16 or f32"),
        ARGS_INT(NULL, "--block", "N", &r.block, 0, 9e15,
                 "which block to lay open, from 0"),
    };
    const args_program program = {
        "chapter-07/run",
        "[convert IN OUT --type T | inspect FILE TENSOR | error FILE "
        "--type T]",
        "Store a model's numbers in fewer bits. Without arguments: one row "
        "in every type.", options, sizeof options / sizeof options[0]
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
// @end main
