#include <math.h>
#include <stdint.h>
#include <time.h>

#include "chapters/06-attention/lesson.h"
#include "common/terminal.h"

// The price of the next token, with a cache and without, for one small layer
// of seeded numbers.

enum { LONGEST = 512, SHORTEST = 16, ROUNDS = 3, BAR = 26 };
#define COST_LIMIT 1e-5     // two orders of sums over at most 512 numbers

// @begin cost-type
typedef struct {
    toy_layer layer;
    arena memory;
    kv_cache cache;
    float *x;                       // [LONGEST, d_model]
    float *q, *k, *v, *room, *out;  // of one token, with the cache
    float *naive_room, *naive_out;  // of LONGEST tokens, without
} cost;

typedef struct {
    int n;                          // the new token is number n
    double naive_seconds, cached_seconds;
    double naive_products, cached_products;
    double difference;              // largest, over the largest value
} cost_row;
// @end cost-type

// @begin cost-init
static lll_status cost_init(cost *c, lll_error *err)
{
    toy_layer *l = &c->layer;
    *l = (toy_layer){.d_model = 64, .n_heads = 4, .n_kv_heads = 2,
                     .head_dim = 16};
    size_t d = 64, q = 4 * 16, kv = 2 * 16, total, cache_bytes;
    lll_status status = kv_cache_bytes(DTYPE_F32, 1, 2, 16, LONGEST,
                                       &cache_bytes, err);
    if (status != LLL_OK)
        return status;
    const struct {
        float **where;
        size_t count;
    } pieces[] = {
        {&l->wq, q * d}, {&l->wk, kv * d}, {&l->wv, kv * d},
        {&c->x, LONGEST * d}, {&c->q, q}, {&c->k, kv}, {&c->v, kv},
        {&c->room, attend_room(16, 2)}, {&c->out, q},
        {&c->naive_room, naive_room(l, LONGEST)},
        {&c->naive_out, LONGEST * q},
    };
    size_t n_pieces = sizeof pieces / sizeof pieces[0];
    total = arena_round(cache_bytes);
    for (size_t i = 0; i < n_pieces; i++)
        total += arena_round(pieces[i].count * sizeof(float));
    status = arena_init(&c->memory, total, err);
    if (status != LLL_OK)
        return status;
    for (size_t i = 0; i < n_pieces; i++)
        *pieces[i].where = arena_take(&c->memory,
                                      pieces[i].count * sizeof(float));
    kv_cache_init(&c->cache, DTYPE_F32, 1, 2, 16, LONGEST,
                  kv_encode_plain, arena_take(&c->memory, cache_bytes));
    return LLL_OK;
}
// @end cost-init

// @begin cost-fill
// Numbers from -size to size, the same on every machine.
static void fill(float *x, size_t n, uint32_t seed, float size)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = size * ((float)(seed >> 8) / 8388608.0f - 1.0f);
    }
}
// @end cost-fill

// @begin cost-step
// What a cache leaves to do for token number `position`: one query, one key,
// one value, and attention of that query alone.
static void cached_step(cost *c, int position)
{
    const toy_layer *l = &c->layer;
    int q_width = l->n_heads * l->head_dim;
    int kv_width = l->n_kv_heads * l->head_dim;
    const float *x = c->x + (size_t)position * (size_t)l->d_model;
    project(l->wq, x, q_width, l->d_model, c->q);
    project(l->wk, x, kv_width, l->d_model, c->k);
    project(l->wv, x, kv_width, l->d_model, c->v);
    for (int head = 0; head < l->n_kv_heads; head++)
        kv_cache_store(&c->cache, 0, head, position,
                       c->k + head * l->head_dim, c->v + head * l->head_dim);
    c->cache.length = position + 1;
    for (int i = 0; i < q_width; i++)
        c->q[i] /= sqrtf((float)l->head_dim);
    attend_cached(&c->cache, 0, c->q, l->n_heads, position + 1, c->room,
                  c->out);
}
// @end cost-step

// @begin cost-products
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Multiplications: the projections of a token, and one score and one average
// for each head and position.
static double products(const toy_layer *l, double n_new, double n_pairs)
{
    double heads = l->n_heads + 2.0 * l->n_kv_heads;
    return n_new * heads * l->head_dim * l->d_model
           + n_pairs * 2.0 * l->n_heads * l->head_dim;
}
// @end cost-products

// @begin cost-measure
static void measure(cost *c, int n, cost_row *row)
{
    int q_width = c->layer.n_heads * c->layer.head_dim;
    *row = (cost_row){n, INFINITY, INFINITY,
                      products(&c->layer, n, 0.5 * n * (n + 1)),
                      products(&c->layer, 1, n), 0};
    for (int i = (int)c->cache.length; i < n - 1; i++)
        cached_step(c, i);
    // The least of a few rounds: what disturbs a machine only adds time.
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds();
        naive_attention(&c->layer, c->x, n, c->naive_room, c->naive_out);
        double middle = seconds();
        cached_step(c, n - 1);
        row->cached_seconds = fmin(row->cached_seconds, seconds() - middle);
        row->naive_seconds = fmin(row->naive_seconds, middle - start);
    }
    row->difference = trace_difference(
        c->out, c->naive_out + (size_t)(n - 1) * (size_t)q_width,
        (size_t)q_width);
}
// @end cost-measure

// @begin cost-print
static void print_row(const cost_row *row, double longest, FILE *out,
                      bool color)
{
    fprintf(out, "%4d  without %9.1f us  ", row->n, 1e6 * row->naive_seconds);
    terminal_bar(out, color, row->naive_seconds / longest, BAR);
    fprintf(out, "  %6.1f times\n", row->naive_seconds
                                    / fmax(row->cached_seconds, 1e-9));
    fprintf(out, "      with    %9.1f us  ", 1e6 * row->cached_seconds);
    terminal_bar(out, color, row->cached_seconds / longest, BAR);
    fputc('\n', out);
}

static void json_row(const cost_row *row, json_out *json)
{
    const struct {
        const char *key;
        double value;
    } fields[] = {
        {"positions", row->n},
        {"naive_seconds", row->naive_seconds},
        {"cached_seconds", row->cached_seconds},
        {"naive_products", row->naive_products},
        {"cached_products", row->cached_products},
        {"difference", row->difference},
    };
    json_out_object(json);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        json_out_key(json, fields[i].key);
        json_out_f64(json, fields[i].value);
    }
    json_out_end(json);
}
// @end cost-print

// @begin cost-rows
static lll_status print_rows(const cost_row *rows, int n_rows, bool json,
                             FILE *out, lll_error *err)
{
    json_out data;
    if (!json) {
        fputs("The next token after so many, one small layer, without a "
              "cache and with one:\n\n", out);
        for (int i = 0; i < n_rows; i++)
            print_row(&rows[i], rows[n_rows - 1].naive_seconds, out,
                      terminal_color(out));
        return LLL_OK;
    }
    json_out_begin(&data, out);
    json_out_array(&data);
    for (int i = 0; i < n_rows; i++)
        json_row(&rows[i], &data);
    json_out_end(&data);
    return json_out_finish(&data, err);
}
// @end cost-rows

// @begin show-cost
lll_status show_cost(bool json, FILE *out, lll_error *err)
{
    cost c = {0};
    cost_row rows[16];
    int n_rows = 0;
    double worst = 0;
    lll_status status = cost_init(&c, err);
    if (status != LLL_OK)
        return status;
    const toy_layer *l = &c.layer;
    fill(l->wq, 64 * 64, 1, 0.4f);
    fill(l->wk, 32 * 64, 2, 0.4f);
    fill(l->wv, 32 * 64, 3, 0.4f);
    fill(c.x, (size_t)LONGEST * 64, 4, 1.0f);
    for (int n = SHORTEST; n <= LONGEST; n *= 2, n_rows++) {
        measure(&c, n, &rows[n_rows]);
        // A NaN must not hide behind a comparison that is false.
        if (!(rows[n_rows].difference <= worst))
            worst = rows[n_rows].difference;
    }
    arena_free(&c.memory);
    status = print_rows(rows, n_rows, json, out, err);
    if (status == LLL_OK && !(worst <= COST_LIMIT))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "with and without a cache differ by %.2e of the "
                        "largest value, the limit is %.0e", worst,
                        COST_LIMIT);
    return status;
}
// @end show-cost
