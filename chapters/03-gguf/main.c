#include <stdio.h>

#include "common/args.h"
#include "common/gguf.h"

#include "show.h"

// @begin main-request
typedef struct {
    bool metadata, tensors, hex, hash, verify, compare, json;
    const char *tensor, *copy;
} request;

static void print_lists(const gguf_file *file, const request *r)
{
    if (!r->metadata && !r->tensors && !r->hex)
        show_label(file);
    if (r->metadata)
        show_metadata(file);
    if (r->tensors)
        show_tensors(file);
    if (r->hex)
        show_hex(file, NULL);
}
// @end main-request

// @begin main-show
static lll_status show(const gguf_file *file, const request *r,
                       json_out *json, lll_error *err)
{
    if (r->verify)
        return verify(file, json, err);
    if (r->tensor != NULL)
        return json != NULL ? json_tensor(json, file, r->tensor, err)
                            : show_tensor(file, r->tensor, err);
    if (r->hash)
        show_hash(file, r->tensors, json);
    else if (json != NULL && r->hex)
        show_hex(file, json);
    else if (json != NULL)
        json_file(json, file, r->metadata || !r->tensors,
                  r->tensors || !r->metadata);
    else
        print_lists(file, r);
    return LLL_OK;
}
// @end main-show

// @begin main-open
static lll_status work(const gguf_file *file, const gguf_file *other,
                       const request *r, lll_error *err)
{
    json_out out, *json = r->json ? &out : NULL;
    lll_error why;
    if (r->copy != NULL)
        return copy_file(file, r->copy, err);
    if (json != NULL)
        json_out_begin(json, stdout);
    lll_status status = r->compare ? compare(file, other, json, err)
                                   : show(file, r, json, err);
    // What was found wrong is a result, and its JSON is whole.
    if (json != NULL && (status == LLL_OK || status == LLL_ERR_FORMAT)
        && json_out_finish(json, &why) != LLL_OK)
        status = lll_fail(err, why.code, "%s", why.text);
    return status;
}

static lll_status open_and_work(const char *path, const char *other_path,
                                const request *r, lll_error *err)
{
    gguf_file file, other = {0};
    lll_status status = gguf_open(&file, path, err);
    if (status != LLL_OK)
        return status;
    if (r->compare)
        status = gguf_open(&other, other_path, err);
    if (status == LLL_OK)
        status = work(&file, &other, r, err);
    gguf_close(&other);
    gguf_close(&file);
    return status;
}
// @end main-open

// @begin main-files
// One file, named with -m or without, or the tiny one; two to compare; none
// for the story.
static lll_status check_usage(const args_list *words, int argc,
                              const request *r, const char *paths[2],
                              lll_error *err)
{
    int n = 0, wanted = r->compare ? 2 : 1;
    int verbs = r->hash + r->verify + r->compare + (r->tensor != NULL)
                + (r->copy != NULL);
    bool lists = r->metadata || r->hex || (r->tensors && !r->hash);
    if (paths[0] != NULL)
        n = 1;
    for (int i = 0; i < words->n_items && n < 2; i++)
        paths[n++] = words->items[i];
    if (n == 0 && argc == 1)
        return LLL_OK;
    if (verbs > 1 || (verbs == 1 && lists) || (r->copy != NULL && r->json)
        || (r->json && r->hex && (r->metadata || r->tensors)))
        return lll_fail(err, LLL_ERR_USAGE, "two things at once, expected "
                        "one");
    if (n == 0 && wanted == 1)
        paths[n++] = "data/tiny.gguf";
    n += words->n_items > 2 ? words->n_items - 2 : 0;
    if (n != wanted)
        return lll_fail(err, LLL_ERR_USAGE, "%d file%s, expected %s", n,
                        n == 1 ? "" : "s", wanted == 2 ? "two" : "one");
    return LLL_OK;
}
// @end main-files

// @begin main
int main(int argc, char **argv)
{
    request r = {0};
    bool help = false;
    const char *paths[2] = {NULL, NULL};
    const args_option options[] = {
        ARGS_TEXT("-m", "--model", "FILE", &paths[0], "the file to look "
                  "into; of a model in parts, the first"),
        ARGS_FLAG(NULL, "--metadata", &r.metadata, "all metadata"),
        ARGS_FLAG(NULL, "--tensors", &r.tensors, "all tensors"),
        ARGS_TEXT(NULL, "--tensor", "NAME", &r.tensor, "one tensor: its "
                  "first numbers, range and histogram"),
        ARGS_FLAG(NULL, "--hex", &r.hex, "the first bytes, explained"),
        ARGS_FLAG(NULL, "--verify", &r.verify, "list what breaks a rule; "
                  "exit 1 if anything does"),
        ARGS_FLAG(NULL, "--compare", &r.compare, "list in what two files "
                  "differ; exit 1 if they do"),
        ARGS_FLAG(NULL, "--hash", &r.hash, "SHA-256 of the file and of its "
                  "weights alone; with --tensors, of each"),
        ARGS_TEXT(NULL, "--copy", "FILE", &r.copy, "write all of it again, "
                  "in one part"),
        ARGS_FLAG(NULL, "--json", &r.json, "the same as JSON; alone, all "
                  "metadata and tensors"),
    };
    const args_program program = {
        args_name(argv[0], "./chapter-03/run"),
        "[FILE [FILE]] [OPTION...]", "Look into a model "
        "file in GGUF form. Without a file: into a tiny one, and into "
        "broken ones.", options, sizeof options / sizeof options[0]
    };
    // @end main
    // @begin main-run
    args_list words;
    lll_error err;
    lll_status status = args_parse(&program, argc, argv, &words, &help, &err);
    if (status == LLL_OK && help)
        args_help(&program, stdout);
    else if (status == LLL_OK)
        status = check_usage(&words, argc, &r, paths, &err);
    if (status == LLL_OK && !help)
        status = paths[0] == NULL ? story(&err)
                                  : open_and_work(paths[0], paths[1], &r,
                                                  &err);
    return args_finish(&program, status, &err);
}
// @end main-run
