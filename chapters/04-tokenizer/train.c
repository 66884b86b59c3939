#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/bpe_train.h"
#include "common/gguf_write.h"
#include "common/json_out.h"
#include "common/machine.h"
#include "common/terminal.h"
#include "common/vocabulary_store.h"

// @begin train-texts
static lll_status check_output(const train_request *r, lll_error *err)
{
    for (int i = 0; r->output != NULL && i < r->n_paths; i++)
        if (strcmp(r->paths[i], "-") != 0
            && file_is_same(r->paths[i], r->output))
            return lll_fail(err, LLL_ERR_ARGUMENT, "%s: is one of the texts; "
                            "choose another name for the vocabulary",
                            r->output);
    return LLL_OK;
}

static lll_status add_texts(bpe_trainer *t, const train_request *r,
                            uint64_t *n_bytes, lll_error *err)
{
    lll_status status = LLL_OK;
    for (int i = 0; i < r->n_paths && status == LLL_OK; i++) {
        text_file file;
        status = text_open(&file, r->paths[i], err);
        if (status != LLL_OK)
            break;
        *n_bytes += file.text.n_bytes;
        status = bpe_trainer_add(t, file.text.bytes, file.text.n_bytes, err);
        text_close(&file);
        if (r->n_paths > 1)
            terminal_progress(stderr, "reading ",
                              (i + 1.0) / (double)r->n_paths);
    }
    return status;
}
// @end train-texts

// @begin train-watch
typedef struct {
    size_t first, last;     // tokens at the start, and wanted
    double shown;           // when, in seconds
} watcher;

static void watch(void *context, const bpe_trainer *t)
{
    watcher *w = context;
    double now = machine_seconds();
    if (now - w->shown < 0.1)
        return;
    w->shown = now;
    terminal_progress(stderr, "learning",
                      (double)(t->n_tokens - w->first)
                      / (double)(w->last - w->first + 1));
}

static lll_status learn(bpe_trainer *t, const train_request *r,
                        lll_error *err)
{
    watcher w = {t->n_tokens, r->vocab_size, machine_seconds()};
    double start = w.shown;
    lll_status status = bpe_trainer_run(t, r->vocab_size, r->min_count,
                                        watch, &w, err);
    if (w.shown > start)
        terminal_progress(stderr, "learning", 1);
    if (status == LLL_OK && t->n_tokens < r->vocab_size)
        fprintf(stderr, "note: %zu tokens of %zu: no pair is left that is "
                "there %" PRIu64 " time%s\n", t->n_tokens, r->vocab_size,
                r->min_count, r->min_count == 1 ? "" : "s");
    return status;
}
// @end train-watch

// @begin train-print
static int print_token(const bpe_trainer *t, size_t id)
{
    enum { MOST = 18 };
    size_t n;
    const char *bytes = (const char *)bpe_trainer_token(t, id, &n);
    int columns = 2;
    putchar('"');
    columns += terminal_text(stdout, bytes, n < MOST ? n : MOST);
    putchar('"');
    if (n > MOST)
        columns += printf("...");
    return columns;
}

static void print_merges(const bpe_trainer *t)
{
    printf("%8s %10s  %s\n", "token", "count", "is made of");
    for (size_t i = 0; i < t->n_merges; i++) {
        const trained_merge *merge = &t->merges[i];
        size_t id = t->n_special + BPE_N_BYTES + i;
        printf("%8zu %10" PRIu64 "  ", id, merge->count);
        int columns = print_token(t, merge->left);
        columns += printf(" + ");
        columns += print_token(t, merge->right);
        printf("%*s ", columns < 30 ? 30 - columns : 0, "");
        print_token(t, id);
        putchar('\n');
    }
}
// @end train-print

// @begin train-json
static lll_status json_merges(const bpe_trainer *t, lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "n_tokens");
    json_out_u64(&json, t->n_tokens);
    json_out_key(&json, "merges");
    json_out_array(&json);
    for (size_t i = 0; i < t->n_merges; i++) {
        const trained_merge *merge = &t->merges[i];
        size_t id = t->n_special + BPE_N_BYTES + i;
        const uint64_t values[] = {merge->left, merge->right, id,
                                   merge->count};
        static const char *const keys[] = {"left", "right", "token",
                                           "count"};
        size_t n;
        const unsigned char *bytes = bpe_trainer_token(t, id, &n);
        json_out_object(&json);
        for (int k = 0; k < 4; k++) {
            json_out_key(&json, keys[k]);
            json_out_u64(&json, values[k]);
        }
        json_text_and_bytes(&json, (const char *)bytes, n);
        json_out_end(&json);
    }
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end train-json

// @begin train-write
// A file with a vocabulary and nothing else. Readers want to know for which
// family of models it is before they look at it: ours.
static lll_status write_vocabulary(const bpe_trainer *t,
                                   const train_request *r, uint64_t n_bytes,
                                   lll_error *err)
{
    gguf_writer out;
    gguf_writer_init(&out);
    gguf_set_string(&out, "general.architecture", "llama", 5);
    gguf_set_string(&out, "general.type", "model", 5);
    gguf_set_string(&out, "general.name", "vocabulary", 10);
    gguf_set_u32(&out, "llama.vocab_size", (uint32_t)t->n_tokens);
    lll_status status = vocabulary_store(t, r->pre, &out, err);
    if (status == LLL_OK)
        status = gguf_write(&out, r->output, err);
    gguf_writer_free(&out);
    if (status == LLL_OK)
        fprintf(stderr, "%s: %zu tokens (%zu special, %d bytes, %zu learnt) "
                "from %" PRIu64 " bytes of text, %zu different words\n",
                r->output, t->n_tokens, t->n_special, BPE_N_BYTES,
                t->n_tokens - t->n_special - BPE_N_BYTES, n_bytes,
                t->words.n_words);
    return status;
}
// @end train-write

// @begin train-verb
lll_status train(const train_request *r, lll_error *err)
{
    const pretokenizer *rules;
    bpe_trainer t;
    uint64_t n_bytes = 0;
    lll_status status = check_output(r, err);
    if (status == LLL_OK)
        status = pretokenize_find(r->pre, strlen(r->pre), &rules, err);
    if (status == LLL_OK)
        status = bpe_trainer_init(&t, rules, r->special,
                                  (size_t)r->n_special, err);
    if (status != LLL_OK)
        return status;
    status = add_texts(&t, r, &n_bytes, err);
    if (status == LLL_OK)
        status = learn(&t, r, err);
    if (status == LLL_OK) {
        if (r->output != NULL)
            status = write_vocabulary(&t, r, n_bytes, err);
        else if (r->json)
            status = json_merges(&t, err);
        else
            print_merges(&t);
    }
    bpe_trainer_free(&t);
    return status;
}
// @end train-verb
