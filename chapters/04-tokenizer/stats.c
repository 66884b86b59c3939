#include "show.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/json_out.h"
#include "common/machine.h"

// @begin stats-files
typedef struct {
    size_t n_bytes, n_ids;
    double seconds;
} measure;
// @end stats-files

// @begin stats-files-2
static lll_status measure_file(const tokenizer *words, const char *path,
                               unsigned flags, measure *m, lll_error *err)
{
    text_file file;
    id_list list;
    lll_status status = text_open(&file, path, err);
    if (status != LLL_OK)
        return status;
    text_span text = file.text;
    // Read it once, so that the clock does not measure the disk.
    volatile unsigned sum = 0;
    for (size_t i = 0; i < text.n_bytes; i += 4096)
        sum += (unsigned char)text.bytes[i];
    (void)sum;
    double start = machine_seconds();
    status = encode(words, text, flags, &list, err);
    if (status == LLL_OK) {
        m->seconds = machine_seconds() - start;
        m->n_bytes = text.n_bytes;
        m->n_ids = list.n_ids;
        free(list.ids);
    }
    text_close(&file);
    return status;
}
// @end stats-files-2

// @begin stats-show
static void show_row(json_out *json, const char *name, const measure *m)
{
    double each = m->n_ids == 0 ? 0.0 : (double)m->n_bytes
                                        / (double)m->n_ids;
    if (json == NULL) {
        printf("%12zu %12zu %8.3f  %s\n", m->n_bytes, m->n_ids, each, name);
        return;
    }
    json_out_object(json);
    json_out_key(json, "file");
    json_out_text(json, name);
    json_out_key(json, "n_bytes");
    json_out_u64(json, m->n_bytes);
    json_out_key(json, "n_tokens");
    json_out_u64(json, m->n_ids);
    json_out_key(json, "bytes_per_token");
    json_out_f64(json, each);
    json_out_end(json);
}
// @end stats-show

// @begin stats-show-2
static lll_status show_rows(const char *const *items, int n_items,
                            const measure *each, bool json, lll_error *err)
{
    json_out out;
    measure all = {0, 0, 0.0};
    if (json) {
        json_out_begin(&out, stdout);
        json_out_array(&out);
    } else {
        printf("%12s %12s %8s  %s\n", "bytes", "tokens", "b/token", "file");
    }
    for (int i = 0; i < n_items; i++) {
        show_row(json ? &out : NULL, items[i], &each[i]);
        all.n_bytes += each[i].n_bytes;
        all.n_ids += each[i].n_ids;
        all.seconds += each[i].seconds;
    }
    if (!json && n_items > 1)
        show_row(NULL, "all", &all);
    fprintf(stderr, "%.1f MB/s (%zu bytes in %.3f s)\n",
            (double)all.n_bytes / 1e6
            / (all.seconds > 0.0 ? all.seconds : 1e-9),
            all.n_bytes, all.seconds);
    if (!json)
        return LLL_OK;
    json_out_end(&out);
    return json_out_finish(&out, err);
}
// @end stats-show-2

// @begin stats-show-3
lll_status show_stats(const tokenizer *words, const char *const *items,
                      int n_items, unsigned flags, bool json,
                      lll_error *err)
{
    lll_status status = LLL_OK;
    measure *each = calloc((size_t)n_items, sizeof *each);
    if (each == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for the measures of "
                        "%d files", n_items);
    // All of them first: half a JSON document is none.
    for (int i = 0; i < n_items && status == LLL_OK; i++)
        status = measure_file(words, items[i], flags, &each[i], err);
    if (status == LLL_OK)
        status = show_rows(items, n_items, each, json, err);
    free(each);
    return status;
}
// @end stats-show-3
