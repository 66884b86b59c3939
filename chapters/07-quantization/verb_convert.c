#include <stdio.h>

#include "chapters/07-quantization/verbs.h"
#include "common/convert.h"
#include "common/machine.h"
#include "common/progress.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin convert-counts
// What becomes of the tensors, counted for the report.
typedef struct {
    size_t n_stay[3];           // from RECIPE_KEEP_VECTOR on
    size_t n_fall[DTYPE_COUNT][DTYPE_COUNT];    // by wanted and used type
    size_t n_again, n_unimportant, before, after;
} counts;

static void describe(const gguf_tensor *tensor, const recipe_choice *c)
{
    int width = terminal_text(stderr, tensor->name.bytes,
                              tensor->name.n_bytes);
    fprintf(stderr, "%*s %-5s -> %-5s", width < 28 ? 28 - width : 0, "",
            dtype_name((uint32_t)tensor->type),
            dtype_name((uint32_t)c->used));
    if (c->reason == RECIPE_FALLBACK)
        fprintf(stderr, "  not %s: rows of %llu",
                dtype_name((uint32_t)c->wanted),
                (unsigned long long)tensor->dims[0]);
    fprintf(stderr, "\n");
}
// @end convert-counts

// @begin convert-counts-2
// A type of fewer bits than 16 has lost something already.
static bool is_lossy(dtype type)
{
    return dtype_find((uint32_t)type)->block_size > 1;
}

static void count(const gguf_tensor *tensor, const recipe_choice *c,
                  const gguf_file *importance, counts *n)
{
    size_t bytes = tensor->n_bytes;
    const float *values = NULL;
    n->before += bytes;
    if (c->reason >= RECIPE_KEEP_VECTOR) {
        n->n_stay[c->reason - RECIPE_KEEP_VECTOR]++;
    } else {
        (void)convert_bytes(tensor, c->used, &bytes, NULL);
        (void)convert_importance(importance, tensor, &values, NULL);
        n->n_unimportant += importance != NULL && values == NULL;
        n->n_again += is_lossy(tensor->type) && tensor->type != c->used;
    }
    if (c->reason == RECIPE_FALLBACK)
        n->n_fall[c->wanted][c->used]++;
    n->after += bytes;
}
// @end convert-counts-2

// @begin convert-report
static void line(size_t n, const char *what)
{
    if (n > 0)
        fprintf(stderr, "%zu tensor%s %s\n", n, n == 1 ? "" : "s", what);
}

static void report_falls(const counts *n)
{
    for (int t = 0; t < DTYPE_COUNT; t++)
        for (int used = 0; used < DTYPE_COUNT; used++)
            if (n->n_fall[t][used] > 0)
                fprintf(stderr, "%zu tensor%s as %s, not %s: rows that its "
                        "blocks of %d do not divide\n", n->n_fall[t][used],
                        n->n_fall[t][used] == 1 ? "" : "s",
                        dtype_name((uint32_t)used), dtype_name((uint32_t)t),
                        dtype_find((uint32_t)t)->block_size);
}
// @end convert-report

// @begin convert-report-2
static void report(const gguf_file *file, const char *name, const counts *n)
{
    static const char *const stay[3][2] = {
        {"stays as it is: one dimension, as norms and biases have",
         "stay as they are: one dimension, as norms and biases have"},
        {"stays as it is: it chooses experts",
         "stay as they are: they choose experts"},
        {"stays as it is: a type we cannot decode",
         "stay as they are: a type we cannot decode"}};
    char sizes[2][32];
    for (int i = 0; i < 3; i++)
        line(n->n_stay[i], stay[i][n->n_stay[i] != 1]);
    report_falls(n);
    line(n->n_unimportant, "of which the importance file says nothing");
    line(n->n_again, "had few bits before: what was lost stays lost");
    size_text(n->before, sizes[0], sizeof sizes[0]);
    size_text(n->after, sizes[1], sizeof sizes[1]);
    fprintf(stderr, "%zu tensor%s as %s: %s before, %s after\n",
            file->n_tensors, file->n_tensors == 1 ? "" : "s", name, sizes[0],
            sizes[1]);
}
// @end convert-report-2

// @begin convert-verb
static lll_status convert_with(const gguf_file *from, const char *path,
                               const request *r, const gguf_file *importance,
                               lll_error *err)
{
    progress bar;
    counts n = {.before = 0};
    convert_options options = {r->recipe, importance, (int)r->n_threads,
                               progress_show, &bar};
    if (options.n_threads == 0)
        options.n_threads = machine_cores();
    progress_begin(&bar, stderr, "converting");
    lll_status status = convert_file(from, path, &options, err);
    progress_end(&bar);
    for (size_t i = 0; i < from->n_tensors && status == LLL_OK; i++) {
        recipe_choice c = recipe_choose(&r->recipe, from, &from->tensors[i]);
        count(&from->tensors[i], &c, importance, &n);
        if (r->verbose)
            describe(&from->tensors[i], &c);
    }
    if (status == LLL_OK)
        report(from, r->recipe.name, &n);
    return status;
}
// @end convert-verb

// @begin convert-verb-2
lll_status verb_convert(const gguf_file *from, const char *path,
                        const request *r, lll_error *err)
{
    gguf_file importance;
    gguf_string kind;
    if (r->importance == NULL)
        return convert_with(from, path, r, NULL, err);
    lll_status status = gguf_open(&importance, r->importance, err);
    if (status != LLL_OK)
        return status;
    if (gguf_get_string(&importance, "general.type", &kind, NULL) != LLL_OK
        || !gguf_string_is(kind, "imatrix"))
        status = lll_fail(err, LLL_ERR_FORMAT, "%s: general.type is not "
                          "imatrix; expected a file made by chapter-08/run "
                          "--importance or llama-imatrix", r->importance);
    else
        status = convert_with(from, path, r, &importance, err);
    gguf_close(&importance);
    return status;
}
// @end convert-verb-2
