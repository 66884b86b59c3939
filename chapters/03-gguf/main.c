#include <stdio.h>
#include <string.h>

#include "common/args.h"
#include "common/gguf.h"

#include "show.h"

// @begin main-request
typedef struct {
    bool metadata, tensors, hex, json;
    const char *tensor, *copy;
} request;

static lll_status show(const char *path, const request *r, lll_error *err)
{
    gguf_file file;
    lll_status status = gguf_open(&file, path, err);
    if (status != LLL_OK)
        return status;
    if (r->copy != NULL)
        status = copy_file(&file, r->copy, err);
    else if (r->json && r->tensor != NULL)
        status = json_tensor(&file, r->tensor, err);
    else if (r->json)
        status = json_file(&file, err);
    else if (r->tensor != NULL)
        status = show_tensor(&file, r->tensor, err);
    else if (!r->metadata && !r->tensors && !r->hex)
        show_label(&file);
    else {
        if (r->metadata)
            show_metadata(&file);
        if (r->tensors)
            show_tensors(&file);
        if (r->hex)
            show_hex(&file);
    }
    gguf_close(&file);
    return status;
}
// @end main-request

// @begin main-file
// The one file that was named, with -m or without.
static lll_status read_file(const args_list *words, const char **model,
                            lll_error *err)
{
    int n = words->n_items + (*model != NULL);
    if (n > 1)
        return lll_fail(err, LLL_ERR_USAGE, "%d files, expected one", n);
    if (words->n_items == 1)
        *model = words->items[0];
    return LLL_OK;
}
// @end main-file

// @begin main
int main(int argc, char **argv)
{
    request r = {0};
    bool help = false;
    const char *model = NULL;
    const args_option options[] = {
        ARGS_TEXT("-m", "--model", "FILE", &model, "the file to look into"),
        ARGS_FLAG(NULL, "--metadata", &r.metadata, "all metadata"),
        ARGS_FLAG(NULL, "--tensors", &r.tensors, "all tensors"),
        ARGS_TEXT(NULL, "--tensor", "NAME", &r.tensor, "one tensor: its "
                  "first numbers, range and histogram"),
        ARGS_TEXT(NULL, "--copy", "FILE", &r.copy, "write all of it again"),
        ARGS_FLAG(NULL, "--hex", &r.hex, "the first bytes, explained"),
        ARGS_FLAG(NULL, "--json", &r.json, "all metadata and tensors as "
                  "JSON; with --tensor, its numbers"),
    };
    const args_program program = {
        "chapter-03/run", "[FILE] [OPTION...]", "Look into a model file in "
        "GGUF form. Without a file: into a tiny one, and into broken ones.",
        options, sizeof options / sizeof options[0]
    };
    args_list words;
    lll_error err;
    lll_status status = args_parse(&program, argc, argv, &words, &help, &err);
    if (status == LLL_OK)
        status = read_file(&words, &model, &err);
    if (status == LLL_OK && help)
        args_help(&program, stdout);
    else if (status == LLL_OK && model == NULL && argc > 1)
        status = lll_fail(&err, LLL_ERR_USAGE, "no file given; "
                          "data/tiny.gguf is one");
    else if (status == LLL_OK)
        status = model == NULL ? story(&err) : show(model, &r, &err);
    return args_finish(&program, status, &err);
}
// @end main
