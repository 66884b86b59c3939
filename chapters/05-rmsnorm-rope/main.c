// Chapter 5: what RMSNorm and RoPE do to the numbers inside a real model.
//
//     ./chapter-05/run
//     ./chapter-05/run --layer 0 --token 3 --pairing halves

#include <stdlib.h>
#include <string.h>

#include "chapters/05-rmsnorm-rope/show.h"
#include "common/args.h"
#include "common/rope.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin settings
typedef struct {
    const char *path, *pairing;
    int64_t layer, head, token, query, key, positions, stride, context;
    double theta, stretch;
    bool json;
} settings;
// @end settings

// @begin load-rows
// Reads everything of one layer; the caller gives it back with unload(),
// also after a failure.
static lll_status load_rows(material *m, lll_error *err)
{
    const struct {
        const char *name;
        trace_rows *rows;
    } steps[] = {
        {"input", &m->input}, {"attn_norm.weight", &m->weight},
        {"attn_norm", &m->after}, {"q", &m->q}, {"k", &m->k},
        {"q_rope", &m->q_rope}, {"k_rope", &m->k_rope},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        lll_status status = trace_read(&m->recorded, m->layer, steps[i].name,
                                       steps[i].rows, err);
        if (status != LLL_OK)
            return status;
    }
    return LLL_OK;
}
// @end load-rows

// @begin make-room
static lll_status make_room(material *m, lll_error *err)
{
    const trace *t = &m->recorded;
    int widest = t->n_heads * t->head_dim;      // trace_open() has a bound
    size_t work;
    if (t->d_model > widest)
        widest = t->d_model;
    // Two heads more: score() turns a query and a key there.
    if (size_mul((size_t)t->n_tokens + 2, (size_t)widest, &work)
        && size_mul(work, sizeof *m->work, &work))
        m->work = malloc(work);
    m->table = calloc((size_t)t->rope_dim, sizeof *m->table);
    m->frequencies = calloc((size_t)t->rope_dim / 2, sizeof *m->frequencies);
    if (m->work == NULL || m->table == NULL || m->frequencies == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory to work in");
    return LLL_OK;
}

static void unload(material *m)
{
    trace_rows *rows[] = {&m->input, &m->weight, &m->after, &m->q, &m->k,
                          &m->q_rope, &m->k_rope};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        trace_rows_free(rows[i]);
    free(m->work);
    free(m->table);
    free(m->frequencies);
    trace_close(&m->recorded);
}
// @end make-room

// @begin choose
// What was asked for, if the trace has it; a token that nobody asked for (-1)
// is our favourite or, in a short trace, the last.
static lll_status choose(material *m, const settings *s, lll_error *err)
{
    const trace *t = &m->recorded;
    const struct {
        const char *option;
        int64_t asked;
        int favourite, count, *target;
    } numbers[] = {
        {"--head", s->head, 8, t->n_heads, &m->head},
        {"--token", s->token, 18, t->n_tokens, &m->token},
        {"--query", s->query, 8, t->n_tokens, &m->query},
        {"--key", s->key, 1, t->n_tokens, &m->key},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int last = numbers[i].count - 1, favourite = numbers[i].favourite;
        if (numbers[i].asked > last)
            return lll_fail(err, LLL_ERR_ARGUMENT,
                            "%s: %s %lld is not there, expected 0 to %d",
                            t->file.path, numbers[i].option,
                            (long long)numbers[i].asked, last);
        *numbers[i].target = (int)numbers[i].asked;
        if (numbers[i].asked < 0)
            *numbers[i].target = favourite < last ? favourite : last;
    }
    m->theta = s->theta > 0 ? s->theta : t->rope_theta;
    rope_frequencies(m->frequencies, t->rope_dim, m->theta, t->rope_scale,
                     t->rope_factors);
    return LLL_OK;
}
// @end choose

// @begin choose-context
// How far the model was trained to read; not every trace says it.
static void choose_context(material *m, const settings *s)
{
    uint64_t trained = 8192;
    gguf_get_u64(&m->recorded.file, "llama.context_length", &trained, NULL);
    m->context = s->context > 0 ? (double)s->context : (double)trained;
    m->stretch = s->stretch;
}
// @end choose-context

// @begin run
static lll_status run(const settings *s, lll_error *err)
{
    // What is not named here is zero, and unload() takes it as it is.
    material m = {.layer = (int)s->layer, .stride = (int)s->stride};
    lll_status status = trace_open(&m.recorded, s->path, err);
    if (status != LLL_OK)
        return status;
    if (s->layer < 0)
        m.layer = trace_last_layer(&m.recorded);
    status = load_rows(&m, err);
    if (status == LLL_OK)
        status = make_room(&m, err);
    if (status == LLL_OK)
        status = choose(&m, s, err);
    if (status == LLL_OK)
        choose_context(&m, s);
    // @end run
    // @begin run-2
    if (status == LLL_OK && s->json) {
        json_out json;
        json_out_begin(&json, stdout);
        json_out_object(&json);
        json_norm(&m, &json);
        json_angles(&m, (int)s->positions, &json);
        json_scores(&m, (int)s->positions, &json);
        json_scaling(&m, &json);
        status = report(&m, s->pairing, NULL, &json, err);
        json_out_end(&json);
        lll_status written = json_out_finish(&json, status == LLL_OK ? err
                                                                     : NULL);
        if (status == LLL_OK)
            status = written;
    } else if (status == LLL_OK) {
        bool color = terminal_color(stdout);
        show_norm(&m, stdout, color);
        show_angles(&m, (int)s->positions, stdout, color);
        show_scores(&m, (int)s->positions, stdout, color);
        show_scaling(&m, stdout, color);
        status = report(&m, s->pairing, stdout, NULL, err);
    }
    unload(&m);
    return status;
}
// @end run-2

// @begin main-options
int main(int argc, char **argv)
{
    settings s = {.path = "data/trace.gguf", .pairing = "adjacent",
                  .layer = -1, .head = -1, .token = -1, .query = -1,
                  .key = -1, .positions = 30, .stride = 1, .stretch = 4};
    const args_option options[] = {
        ARGS_TEXT(NULL, "--trace", "FILE", &s.path, "recorded steps to read"),
        ARGS_INT(NULL, "--layer", "L", &s.layer, -1, 10000,
                 "which layer (-1: the last recorded)"),
        ARGS_INT(NULL, "--head", "H", &s.head, -1, 10000,
                 "which query head (-1: we choose)"),
        ARGS_INT(NULL, "--token", "I", &s.token, -1, 1e6,
                 "whose channels to show (-1: we choose)"),
        ARGS_INT(NULL, "--query", "I", &s.query, -1, 1e6,
                 "whose query to carry around (-1: we choose)"),
        ARGS_INT(NULL, "--key", "J", &s.key, -1, 1e6,
                 "and whose key (-1: we choose)"),
        ARGS_INT(NULL, "--positions", "N", &s.positions, 1, 512,
                 "positions (the pictures stop at 30 and 12)"),
        ARGS_INT(NULL, "--stride", "N", &s.stride, 1, 1e6,
                 "positions from one column of the angles to the next"),
        ARGS_REAL(NULL, "--theta", "BASE", &s.theta, 0, 1e12,
                  "base of the angles (0: as recorded)"),
        ARGS_REAL(NULL, "--stretch", "TIMES", &s.stretch, 1, 1024,
                  "how many times as far as trained to read"),
        ARGS_INT(NULL, "--context", "N", &s.context, 0, 1e9,
                 "positions the model was trained for (0: as recorded)"),
        ARGS_TEXT(NULL, "--pairing", "KIND", &s.pairing,
                  "adjacent or halves: which one the check expects"),
        ARGS_FLAG(NULL, "--json", &s.json, "print the data of the pictures"),
    };
    const args_program program = {
        args_name(argv[0], "./chapter-05/run"), "[--trace FILE] [--layer L] "
        "[--head H]", "Show what RMSNorm and RoPE do to a model's "
        "activations.", options, sizeof options / sizeof options[0]};
// @end main-options
// @begin main-run
    args_list rest;
    lll_error err;
    bool help = false;

    lll_status status = args_parse(&program, argc, argv, &rest, &help, &err);
    if (help) {
        args_help(&program, stdout);
        return args_finish(&program, LLL_OK, &err);
    }
    if (status == LLL_OK && rest.n_items > 0)
        status = lll_fail(&err, LLL_ERR_USAGE, "unexpected argument %s",
                          rest.items[0]);
    if (status == LLL_OK && strcmp(s.pairing, "adjacent") != 0
        && strcmp(s.pairing, "halves") != 0)
        status = lll_fail(&err, LLL_ERR_USAGE, "--pairing %s: expected "
                          "adjacent or halves", s.pairing);
    if (status == LLL_OK)
        status = run(&s, &err);
    return args_finish(&program, status, &err);
}
// @end main-run
