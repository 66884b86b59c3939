// What files of one model are worth: size, error, quality and speed.
#include <stdlib.h>
#include <string.h>

#include "chapters/08-llama/compare_quant.h"
#include "chapters/08-llama/verbs.h"
#include "common/machine.h"
#include "common/score.h"
#include "common/weight_error.h"

// @begin compare-quant-words
// Equal numbers must stand for equal tokens, or nothing can be compared.
static lll_status same_words(const session *a, const session *b,
                             lll_error *err)
{
    const vocabulary *v = &a->words.words, *w = &b->words.words;
    size_t i = 0;
    if (a->config.vocab_size == b->config.vocab_size && v->kind == w->kind
        && v->n_tokens == w->n_tokens)
        while (i < v->n_tokens && v->tokens[i].n_bytes == w->tokens[i].n_bytes
               && memcmp(v->tokens[i].text, w->tokens[i].text,
                         v->tokens[i].n_bytes) == 0)
            i++;
    if (i == v->n_tokens)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_ARGUMENT, "%s: its vocabulary (%zu tokens) "
                    "is not that of %s (%zu), token %zu is another; expected "
                    "files of one model", b->file.path, w->n_tokens,
                    a->file.path, v->n_tokens, i);
}
// @end compare-quant-words

// @begin compare-quant-weights
static lll_status measure_weights(const session *first, const session *s,
                                  quant_row *row, lll_error *err)
{
    weight_error all = {0};
    lll_status status = LLL_OK;
    for (size_t i = 0; i < first->file.n_tensors && status == LLL_OK; i++) {
        const gguf_tensor *tensor = &first->file.tensors[i];
        gguf_tensor other;
        bool found = false;
        status = weight_error_find(tensor, &s->file, &other, &found, err);
        if (status == LLL_OK && found)
            status = weight_error_tensor(tensor, &other, other.type, &all,
                                         err);
    }
    row->bytes = all.bytes;
    row->bits = 8 * all.bytes / all.numbers;
    row->error = weight_error_relative(&all);
    return status;
}
// @end compare-quant-weights

// @begin compare-quant-median
enum { ROUNDS = 5, FED = 64, SAID = 32 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers, size_t n)
{
    qsort(numbers, n, sizeof numbers[0], by_size);
    return (numbers[(n - 1) / 2] + numbers[n / 2]) / 2;
}

static lll_status timed(session *s, const int32_t *ids, size_t n,
                        double *seconds, lll_error *err)
{
    const float *logits;
    double start = machine_seconds();
    lll_status status = generate_prefill(&s->model, 0, ids, n, NULL, &logits,
                                         err);
    *seconds = (machine_seconds() - start) / (double)n;
    return status;
}
// @end compare-quant-median

// @begin compare-quant-speed
// The text's beginning is fed some times, and behind it token after token: a
// single slow pass, the first of a cold file say, moves no median.
static lll_status measure_speed(session *s, const file_map *text,
                                quant_row *row, lll_error *err)
{
    tokenizer_encoder e;
    double fed[ROUNDS], said[SAID];
    int32_t *ids = s->model.ids;
    size_t half = (size_t)s->request.n_ctx / 2, n = 0, n_said = 0;
    lll_status status = session_text(s, (const char *)text->bytes,
                                     text->n_bytes, &e, err);
    if (status == LLL_OK && half > 0)
        status = tokenizer_more(&e, ids, half < FED ? half : FED, &n, err);
    if (status == LLL_OK && n == 0)
        status = lll_fail(err, LLL_ERR_ARGUMENT, "nothing to measure: "
                          "expected a text of at least 2 tokens, and a "
                          "context of 2 or more; use a larger -c");
    for (int i = 0; i < ROUNDS && status == LLL_OK; i++) {
        kv_cache_truncate(&s->model.caches[0], 0);
        status = timed(s, ids, n, &fed[i], err);
    }
    while (n_said < SAID && n_said < half && status == LLL_OK) {
        status = timed(s, ids + n_said % n, 1, &said[n_said], err);
        n_said++;
    }
    if (status != LLL_OK)
        return status;
    row->prefill = median(fed, ROUNDS);
    row->decode = median(said, n_said);
    return LLL_OK;
}
// @end compare-quant-speed

// @begin compare-quant-text
// Both read the text together, a batch by one and the same batch by the
// other, so nobody keeps the first one's rows of logits: those of a thousand
// tokens are 200 MB. The first reads it again for each of the others.
static lll_status read_text(session *first, session *s, const file_map *text,
                            quant_table *table, bool quiet, lll_error *err)
{
    score_rival rival = {.model = &s->model};
    text_score score = {.rival = &rival, .interrupted = table->stop};
    quant_row *row = &table->rows[table->n_rows];
    lll_status status = score_file(first, text, quiet, &score, err);
    // A score of the text's beginning is not one of the whole text.
    if (status != LLL_OK || *table->stop)
        return status;
    text_score own = {.n_scored = score.n_scored, .sum = rival.sum};
    status = name_model(s, score_finish(&own, err), err);
    table->n_scored = score.n_scored;
    table->rows[0].perplexity = score.perplexity;
    row->perplexity = own.perplexity;
    row->divergence = rival.divergence / (double)score.n_scored;
    row->same = (double)rival.n_same / (double)score.n_scored;
    table->n_rows += status == LLL_OK;
    return status;
}
// @end compare-quant-text

// @begin compare-quant-file
static lll_status measure_file(const session *first, session *s,
                               const file_map *text, quant_row *row,
                               lll_error *err)
{
    *row = (quant_row){.path = s->file.path, .same = 1};
    lll_status status = measure_weights(first, s, row, err);
    if (status == LLL_OK)
        status = measure_speed(s, text, row, err);
    return status;
}

static lll_status compare_file(session *first, const settings *set,
                               const char *path, const file_map *text,
                               quant_table *table, lll_error *err)
{
    session s;
    quant_row *row = &table->rows[table->n_rows];
    lll_status status = open_session(&s, path, set, SCORED_AT_ONCE, err);
    if (status == LLL_OK)
        status = measure_file(first, &s, text, row, err);
    if (status == LLL_OK)
        status = read_text(first, &s, text, table, set->quiet, err);
    row->path = path;                   // longer than the session
    session_close(&s);
    return status;
}
// @end compare-quant-file

// @begin compare-quant-check
// What all files must have in common, asked before anything takes an hour:
// their words, and a context that is long enough for none of them to refuse.
static lll_status check_files(const settings *set, int64_t *n_ctx,
                              lll_error *err)
{
    settings own = *set;
    session first;
    own.plan = true;                    // opened without the model's memory
    lll_status status = open_session(&first, set->compare_quant, &own, 1,
                                     err);
    if (status == LLL_OK)
        *n_ctx = first.request.n_ctx;
    for (int i = 0; i < set->others.n_items && status == LLL_OK; i++) {
        session s;
        status = open_session(&s, set->others.items[i], &own, 1, err);
        if (status == LLL_OK)
            status = same_words(&first, &s, err);
        if (status == LLL_OK && s.request.n_ctx < *n_ctx)
            *n_ctx = s.request.n_ctx;
        session_close(&s);
    }
    session_close(&first);
    return status;
}
// @end compare-quant-check

// @begin compare-quant-all
static lll_status compare_all(session *first, const settings *set,
                              const file_map *text, quant_table *table,
                              lll_error *err)
{
    lll_status status = measure_file(first, first, text, &table->rows[0],
                                     err);
    table->rows[0].path = set->compare_quant;
    table->n_rows = 1;
    for (int i = 0; i < set->others.n_items && status == LLL_OK
                    && !*table->stop; i++)
        status = compare_file(first, set, set->others.items[i], text, table,
                              err);
    return status;
}
// @end compare-quant-all

// @begin compare-quant-show
// What took an hour is shown, whatever became of the rest.
static lll_status show_rows(const quant_table *table, const settings *set,
                            lll_status status, lll_error *err)
{
    if (table->n_rows < 2)
        return status != LLL_OK ? status
             : lll_fail(err, LLL_ERR_INTERRUPTED, "interrupted before two "
                        "files were compared");
    lll_status shown = quant_table_print(table, set, err);
    return status == LLL_OK || status == LLL_ERR_INTERRUPTED ? shown : status;
}
// @end compare-quant-show

// @begin compare-quant-verb
lll_status verb_compare_quant(session *none, const settings *set,
                              lll_error *err)
{
    quant_row rows[QUANT_FILES];
    session first = {0};
    settings own = *set;
    file_map text = {NULL, 0};
    quant_table table = {.rows = rows, .stop = watch_interrupt(false),
                         .text = set->prompt_file != NULL ? set->prompt_file
                                                          : "data/tiny.txt"};
    lll_status status = file_map_open(&text, table.text, err);
    (void)none;
    if (status != LLL_OK && set->prompt_file == NULL && err != NULL)
        status = lll_fail(err, status, "%s; give a text with -f", err->text);
    if (status == LLL_OK)
        status = check_files(set, &own.n_ctx, err);
    if (status == LLL_OK)
        status = open_session(&first, set->compare_quant, &own,
                              SCORED_AT_ONCE, err);
    table.n_ctx = (int)own.n_ctx;
    if (status == LLL_OK)
        status = compare_all(&first, &own, &text, &table, err);
    status = show_rows(&table, set, status, err);
    session_close(&first);
    file_map_close(&text);
    return status;
}
// @end compare-quant-verb
