// Chapter 6: who looks at whom in a real sentence, and what it costs.
//
//     ./chapter-06/run
//     ./chapter-06/run --layer 21 --head 8
//     ./chapter-06/run --cost

#include "chapters/06-attention/lesson.h"
#include "common/args.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin settings
typedef struct {
    const char *path;
    int64_t layer, head, token, from;
    bool cost, json;
} settings;
// @end settings

// @begin make-room
// Memory for the cache and everything computed, in one piece.
static lll_status make_room(lesson *l, lll_error *err)
{
    const trace *t = &l->recorded;
    size_t n = (size_t)t->n_tokens, heads = (size_t)t->n_heads;
    size_t width = heads * (size_t)t->head_dim, square, cache_bytes, total;
    int group = t->n_heads / t->n_kv_heads;
    // A cache of the trace's own type loses nothing.
    lll_status status = kv_cache_bytes(l->k.type, 1, t->n_kv_heads,
                                       t->head_dim, t->n_tokens,
                                       &cache_bytes, err);
    if (status != LLL_OK)
        return status;
    bool fits = size_mul(n, n, &square);
    size_t pieces[] = {width, width, width, heads * n, fits ? square : 0, n,
                       attend_room(t->head_dim, group)};
    float **where[] = {&l->q_scaled, &l->out, &l->plain, &l->token_weights,
                       &l->weights, &l->row, &l->room};
    total = arena_round(cache_bytes);
    for (int i = 0; i < 7 && fits; i++)
        fits = size_mul(pieces[i], sizeof(float), &pieces[i])
               && size_add(total, arena_round(pieces[i]), &total);
    if (!fits)
        return lll_fail(err, LLL_ERR_OVERFLOW, "%s: %zu tokens are too many "
                        "for a picture", t->file.path, n);
    status = arena_init(&l->memory, total, err);
    if (status != LLL_OK)
        return status;
    for (int i = 0; i < 7; i++)
        *where[i] = arena_take(&l->memory, pieces[i]);
    kv_cache_init(&l->cache, l->k.type, 1, t->n_kv_heads, t->head_dim,
                  t->n_tokens, kv_encode_plain,
                  arena_take(&l->memory, cache_bytes));
    return LLL_OK;
}
// @end make-room

// @begin load
static lll_status load(lesson *l, const settings *s, lll_error *err)
{
    trace *t = &l->recorded;
    lll_status status = trace_open(t, s->path, err);
    if (status == LLL_OK && s->layer < 0)
        l->layer = trace_last_layer(t);
    if (status == LLL_OK && s->head < 0)
        l->head = t->n_heads > 8 ? 8 : t->n_heads - 1;
    if (status == LLL_OK)
        status = trace_read(t, l->layer, "q_rope", &l->q, err);
    if (status == LLL_OK)
        status = trace_read(t, l->layer, "k_rope", &l->k, err);
    if (status == LLL_OK)
        status = trace_read(t, l->layer, "v", &l->v, err);
    if (status != LLL_OK)
        return status;
    if (s->head >= t->n_heads)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: no head %d, expected 0 "
                        "to %d", s->path, (int)s->head, t->n_heads - 1);
    if (s->token >= t->n_tokens || s->from >= t->n_tokens)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "%s: no token %d, expected 0 to %d", s->path,
                        (int)(s->token > s->from ? s->token : s->from),
                        t->n_tokens - 1);
    l->token = (int)s->token;
    if (s->token < 0)                   // "it", in the sentence we ship
        l->token = t->n_tokens > 8 ? 8 : t->n_tokens - 1;
    return make_room(l, err);
}
// @end load

// @begin draw
static lll_status draw(const lesson *l, const settings *s, double worst,
                       lll_error *err)
{
    const double limit = 1e-5;      // two orders of sums of the same numbers
    bool color = terminal_color(stdout);
    lll_status status;
    if (s->json) {
        json_out json;
        json_out_begin(&json, stdout);
        json_lesson(l, worst, &json);
        status = json_out_finish(&json, err);
    } else {
        show_triangle(l, (int)s->from, stdout, color);
        show_sharing(l, stdout, color);
        status = show_online(stdout, err);
        printf("\nThrough the cache against the plain sum: largest "
               "difference %.1e of the\nlargest value (limit %.0e)\n",
               worst, limit);
    }
    if (status == LLL_OK && !(worst <= limit))
        return lll_fail(err, LLL_ERR_FORMAT, "layer %d: attention through "
                        "the cache differs", l->layer);
    return status;
}
// @end draw

// @begin run
static lll_status run(const settings *s, lll_error *err)
{
    lesson l = {.layer = (int)s->layer, .head = (int)s->head};
    double worst;
    lll_status status = load(&l, s, err);
    if (status == LLL_OK) {
        attend_sentence(&l, &worst);
        status = draw(&l, s, worst, err);
    }
    trace_rows_free(&l.q);
    trace_rows_free(&l.k);
    trace_rows_free(&l.v);
    arena_free(&l.memory);
    trace_close(&l.recorded);
    return status;
}
// @end run

// @begin main-options
int main(int argc, char **argv)
{
    settings s = {.path = "data/trace.gguf", .layer = -1, .head = -1,
                  .token = -1};
    const args_option options[] = {
        ARGS_TEXT(NULL, "--trace", "FILE", &s.path, "recorded steps to read"),
        ARGS_INT(NULL, "--layer", "L", &s.layer, -1, 10000,
                 "which layer (-1: the last recorded)"),
        ARGS_INT(NULL, "--head", "H", &s.head, -1, 10000,
                 "which query head (-1: we choose)"),
        ARGS_INT(NULL, "--token", "I", &s.token, -1, 1e6,
                 "whose view through every head (-1: we choose)"),
        ARGS_INT(NULL, "--from", "I", &s.from, 0, 1e6,
                 "first of the 21 tokens in the triangle"),
        ARGS_FLAG(NULL, "--cost", &s.cost,
                  "time the next token with a cache and without"),
        ARGS_FLAG(NULL, "--json", &s.json, "print the data of the pictures"),
    };
    const args_program program = {
        args_name(argv[0], "./chapter-06/run"),
        "[--trace FILE] [--layer L] [--head H] [--cost]",
        "Show the attention of a recorded sentence.",
        options, sizeof options / sizeof options[0]};
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
    if (status == LLL_OK)
        status = s.cost ? show_cost(s.json, stdout, &err) : run(&s, &err);
    return args_finish(&program, status, &err);
}
// @end main-run
