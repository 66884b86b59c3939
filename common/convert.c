#include "common/convert.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/file.h"
#include "common/gguf_split.h"
#include "common/gguf_write.h"
#include "common/quant.h"
#include "common/quant_encode.h"
#include "common/size.h"
#include "common/threads.h"

// @begin convert-importance
static bool fits(const gguf_tensor *sums, const gguf_tensor *tensor)
{
    return sums->type == DTYPE_F32 && sums->dims[0] == tensor->dims[0]
           && sums->n_elements / (size_t)sums->dims[0]
              == (size_t)(tensor->dims[2] * tensor->dims[3]);
}
// @end convert-importance

// @begin convert-importance-2
lll_status convert_importance(const gguf_file *importance,
                              const gguf_tensor *tensor,
                              const float **values, lll_error *err)
{
    char name[GGUF_MAX_NAME + sizeof ".in_sum2"], shown[NAME_TEXT];
    gguf_tensor sums;
    *values = NULL;
    if (importance == NULL || tensor->name.n_bytes > GGUF_MAX_NAME)
        return LLL_OK;
    memcpy(name, tensor->name.bytes, tensor->name.n_bytes);
    memcpy(name + tensor->name.n_bytes, ".in_sum2", sizeof ".in_sum2");
    if (gguf_find_tensor(importance, name, NULL, 0, &sums, NULL) != LLL_OK)
        return LLL_OK;
    name_text(name, strlen(name), shown);
    if (!fits(&sums, tensor))
        return lll_fail(err, LLL_ERR_FORMAT, "%s: %s: found %s of %llu "
                        "columns, expected F32 of %llu: it was made with "
                        "another model", importance->path, shown,
                        dtype_name((uint32_t)sums.type),
                        (unsigned long long)sums.dims[0],
                        (unsigned long long)tensor->dims[0]);
    const float *found = sums.data;
    for (size_t i = 0; i < sums.n_elements; i++)
        if (!(found[i] >= 0.0f && isfinite(found[i])))
            return lll_fail(err, LLL_ERR_FORMAT, "%s: %s: number %zu is %g, "
                            "expected a sum of squares", importance->path,
                            shown, i, (double)found[i]);
    *values = found;
    return LLL_OK;
}
// @end convert-importance-2

// @begin convert-room
// What one thread works with: rows of floats, and what stopped it.
typedef struct {
    float *row, *back;          // before, and after the way there and back
    size_t bad_row;             // SIZE_MAX: none
    lll_error err;
} convert_worker;

// The tensor at hand. Its rows come in rounds, each encoded by the team and
// then written.
typedef struct {
    arena memory;
    thread_team *team;
    convert_worker *workers;
    unsigned char *codes;       // of a round
    size_t codes_bytes;
    const gguf_tensor *tensor;
    dtype type;
    const float *importance;    // or NULL
    size_t n, from_bytes, to_bytes;     // of a row
    size_t first;               // row of the round
} convert_job;

enum { ROUND_BYTES = 1 << 18, ROUND_ROWS = 4096 };
// @end convert-room

// @begin convert-start
// Room for the longest row of all, in every thread.
static lll_status start(convert_job *job, const gguf_file *file,
                        int n_threads, lll_error *err)
{
    size_t widest = 1, floats, total, team = threads_bytes(n_threads);
    for (size_t i = 0; i < file->n_tensors; i++)
        if (file->tensors[i].dims[0] > widest)
            widest = (size_t)file->tensors[i].dims[0];
    floats = arena_round(size_times(widest, sizeof(float)));
    size_t workers = size_times((size_t)n_threads, sizeof(convert_worker));
    job->codes_bytes = floats > ROUND_BYTES ? floats : ROUND_BYTES;
    total = size_plus(size_times(size_times(2, (size_t)n_threads), floats),
                      size_plus(job->codes_bytes, arena_round(team)));
    total = size_plus(total, arena_round(workers));
    lll_status status = arena_init(&job->memory, total, err);
    if (status != LLL_OK)
        return status;
    job->codes = arena_take(&job->memory, job->codes_bytes);
    job->workers = arena_take(&job->memory, workers);
    for (int w = 0; w < n_threads; w++) {
        job->workers[w].row = arena_take(&job->memory, floats);
        job->workers[w].back = arena_take(&job->memory, floats);
    }
    return threads_start(&job->team, n_threads,
                         arena_take(&job->memory, team), err);
}
// @end convert-start

// @begin convert-finite
// A NaN or an infinity says something about its model, and four bits do not
// repeat it. `moment` is when it was found.
static lll_status check_row(const convert_job *job, size_t r,
                            const float *row, const char *moment,
                            lll_error *err)
{
    char shown[NAME_TEXT];
    size_t i = 0;
    while (i < job->n && isfinite(row[i]))
        i++;
    if (i == job->n)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT, "%s: row %zu, number %zu is %g %s, "
                    "expected a finite one; nothing was written",
                    name_text(job->tensor->name.bytes,
                              job->tensor->name.n_bytes, shown), r, i,
                    (double)row[i], moment);
}
// @end convert-finite

// @begin convert-row
static lll_status convert_row(convert_job *job, size_t r, convert_worker *w)
{
    const gguf_tensor *t = job->tensor;
    const unsigned char *from = (const unsigned char *)t->data
                                + r * job->from_bytes;
    unsigned char *to = job->codes + (r - job->first) * job->to_bytes;
    const float *importance = job->importance;
    if (importance != NULL)             // of the matrix that the row is in
        importance += r / (size_t)t->dims[1] * job->n;
    lll_status status = quant_decode(t->type, from, w->row, job->n, &w->err);
    if (status == LLL_OK)
        status = check_row(job, r, w->row, "in the file", &w->err);
    if (status == LLL_OK && t->type == job->type)
        memcpy(to, from, job->to_bytes);        // nothing is to be gained
    if (status != LLL_OK || t->type == job->type)
        return status;
    status = quant_encode_row(job->type, w->row, importance, to, job->n,
                              &w->err);
    // Back again: a scale or a half beyond 65504 became infinite.
    if (status == LLL_OK)
        status = quant_decode(job->type, to, w->back, job->n, &w->err);
    return status == LLL_OK
         ? check_row(job, r, w->back, "once encoded", &w->err) : status;
}

static void convert_piece(void *context, int piece, int worker)
{
    convert_job *job = context;
    convert_worker *w = &job->workers[worker];
    size_t r = job->first + (size_t)piece;
    // Of rows above a bad one nothing is wanted any more.
    if (r < w->bad_row && convert_row(job, r, w) != LLL_OK)
        w->bad_row = r;
}
// @end convert-row

// @begin convert-round
// The lowest bad row of all is the one to name: which thread met it is
// chance.
static lll_status first_failure(const convert_job *job, lll_error *err)
{
    const convert_worker *first = &job->workers[0];
    for (int w = 1; w < threads_count(job->team); w++)
        if (job->workers[w].bad_row < first->bad_row)
            first = &job->workers[w];
    if (first->bad_row == SIZE_MAX)
        return LLL_OK;
    return lll_fail(err, first->err.code, "%s", first->err.text);
}

static lll_status convert_round(convert_job *job, size_t n_rows,
                                gguf_writer *out, lll_error *err)
{
    for (int w = 0; w < threads_count(job->team); w++)
        job->workers[w].bad_row = SIZE_MAX;
    threads_run(job->team, convert_piece, job, (int)n_rows);
    lll_status status = first_failure(job, err);
    if (status == LLL_OK)
        status = gguf_write_data(out, job->codes, n_rows * job->to_bytes,
                                 err);
    return status;
}
// @end convert-round

// @begin convert-tensor
lll_status convert_bytes(const gguf_tensor *tensor, dtype type, size_t *bytes,
                         lll_error *err)
{
    uint64_t shape[] = {tensor->n_elements / tensor->dims[0],
                        tensor->dims[0]};
    return tensor_size(type, shape, 2, SIZE_MAX, NULL, bytes, err);
}

// How far all of it is, for whoever asks.
typedef struct {
    const convert_options *options;
    const char *path;
    size_t done, all;           // bytes read
} convert_progress;

static lll_status advance(convert_progress *p, size_t bytes, lll_error *err)
{
    const convert_options *o = p->options;
    p->done += bytes;
    if (o->progress == NULL
        || o->progress(o->context, (double)p->done / (double)p->all))
        return LLL_OK;
    return lll_fail(err, LLL_ERR_INTERRUPTED, "%s: stopped; nothing was "
                    "written", p->path);
}
// @end convert-tensor

// @begin convert-rounds
static lll_status convert_tensor(convert_job *job, const gguf_tensor *tensor,
                                 dtype type, gguf_writer *out,
                                 convert_progress *p, lll_error *err)
{
    size_t n_rows = tensor->n_elements / (size_t)tensor->dims[0];
    lll_status status = convert_importance(p->options->importance, tensor,
                                           &job->importance, err);
    if (status == LLL_OK)
        status = convert_bytes(tensor, type, &job->to_bytes, err);
    job->tensor = tensor;
    job->type = type;
    job->n = (size_t)tensor->dims[0];
    job->from_bytes = tensor->n_bytes / n_rows;
    job->to_bytes /= n_rows;
    size_t most = job->codes_bytes / job->to_bytes;
    most = most < ROUND_ROWS ? most : ROUND_ROWS;
    for (size_t r = 0; r < n_rows && status == LLL_OK; r += most) {
        size_t n = n_rows - r < most ? n_rows - r : most;
        job->first = r;
        status = convert_round(job, n, out, err);
        if (status == LLL_OK)
            status = advance(p, n * job->from_bytes, err);
    }
    return status;
}
// @end convert-rounds

// @begin convert-announce
// Keys that are of the file's own: said anew, or not said. The result is in
// one file, and must not call itself a part.
static bool is_own(gguf_string key)
{
    return gguf_split_is_key(key) || gguf_string_is(key, "general.file_type")
           || gguf_string_is(key, "general.quantization_version");
}

// What the file will hold, in the order in which it is written below.
static void announce(gguf_writer *out, const gguf_file *from,
                     const recipe *r)
{
    for (size_t i = 0; i < from->n_values; i++)
        if (!is_own(from->values[i].key))
            gguf_copy_value(out, &from->values[i]);
    gguf_set_u32(out, "general.file_type", r->file_type);
    // Of all quantized types there is one version, 2, since 2023.
    gguf_set_u32(out, "general.quantization_version", 2);
    for (size_t i = 0; i < from->n_tensors; i++) {
        const gguf_tensor *tensor = &from->tensors[i];
        gguf_add_named(out, tensor->name,
                       recipe_choose(r, from, tensor).used, tensor->dims,
                       tensor->n_dims, NULL);
    }
}
// @end convert-announce

// @begin convert-room-needed
// A disk may be full. How much room would have been enough?
static void add_room(const gguf_file *from, const recipe *r, lll_error *err)
{
    size_t all = 0;
    char text[32];
    for (size_t i = 0; i < from->n_tensors; i++) {
        size_t bytes = from->tensors[i].n_bytes;
        recipe_choice choice = recipe_choose(r, from, &from->tensors[i]);
        (void)convert_bytes(&from->tensors[i], choice.used, &bytes, NULL);
        all = size_plus(all, bytes);
    }
    lll_error before = *err;
    size_text(all, text, sizeof text);
    lll_fail(err, before.code, "%s; its tensors alone take %s", before.text,
             text);
}
// @end convert-room-needed

// @begin convert-write
static lll_status write_converted(const gguf_file *from, const char *path,
                                  convert_job *job, convert_progress *p,
                                  lll_error *err)
{
    const recipe *r = &p->options->recipe;
    gguf_writer out;
    gguf_writer_init(&out);
    announce(&out, from, r);
    lll_status status = gguf_write_begin(&out, path, err);
    bool begun = status == LLL_OK;
    for (size_t i = 0; i < from->n_tensors && status == LLL_OK; i++) {
        const gguf_tensor *tensor = &from->tensors[i];
        recipe_choice choice = recipe_choose(r, from, tensor);
        if (choice.reason == RECIPE_ENCODE
            || choice.reason == RECIPE_FALLBACK) {
            status = convert_tensor(job, tensor, choice.used, &out, p, err);
            continue;
        }
        status = gguf_write_data(&out, tensor->data, tensor->n_bytes, err);
        if (status == LLL_OK)
            status = advance(p, tensor->n_bytes, err);
    }
    if (status == LLL_OK)
        status = gguf_write_end(&out, err);
    if (begun && status == LLL_ERR_IO && err != NULL)
        add_room(from, r, err);
    gguf_writer_free(&out);
    return status;
}
// @end convert-write

// @begin convert-file
lll_status convert_file(const gguf_file *from, const char *path,
                        const convert_options *options, lll_error *err)
{
    convert_job job = {0};
    convert_progress p = {options, path, 0, 0};
    bool same = file_is_same(from->path, path);
    for (size_t i = 0; i < from->n_others; i++)
        same = same || file_is_same(from->others[i].path, path);
    if (same)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: is the file that is "
                        "converted; choose another name for the result",
                        path);
    for (size_t i = 0; i < from->n_tensors; i++)
        p.all += from->tensors[i].n_bytes;
    lll_status status = start(&job, from, options->n_threads, err);
    if (status == LLL_OK)
        status = write_converted(from, path, &job, &p, err);
    threads_stop(job.team);
    arena_free(&job.memory);
    return status;
}
// @end convert-file
