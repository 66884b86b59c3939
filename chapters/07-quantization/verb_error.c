#include <math.h>
#include <stdio.h>
#include <string.h>

#include "chapters/07-quantization/verbs.h"
#include "common/arena.h"
#include "common/convert.h"
#include "common/json_out.h"
#include "common/quant.h"
#include "common/quant_encode.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin error-measure
// What moved, summed up over a tensor or all of them.
typedef struct {
    double squares, error_squares, largest, bytes, numbers;
} moved;

// What is not a number is larger than any, and stays.
static double larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static void add_row(const float *row, const float *back, size_t n, moved *m)
{
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)back[i] - (double)row[i]);
        m->squares += (double)row[i] * (double)row[i];
        m->error_squares += error * error;
        m->largest = larger(m->largest, error);
    }
    m->numbers += (double)n;
}

static void add_all(const moved *one, moved *all)
{
    all->squares += one->squares;
    all->error_squares += one->error_squares;
    all->largest = larger(all->largest, one->largest);
    all->bytes += one->bytes;
    all->numbers += one->numbers;
}
// @end error-measure

// @begin error-relative
// As a share of what the numbers are themselves.
static double relative(const moved *m)
{
    return m->squares == 0 ? 0 : sqrt(m->error_squares / m->squares);
}
// @end error-relative

// @begin error-rows
// A tensor and its other form: of another file, or in another type.
typedef struct {
    const gguf_tensor *a, *b;       // b NULL: encoded on the way
    dtype type;                     // of the other form
    float *row, *back;
    void *stored;
} pair;

static lll_status measure_row(const pair *p, size_t r, size_t n, moved *m,
                              lll_error *err)
{
    size_t n_rows = p->a->n_elements / n;
    const unsigned char *from = p->a->data;
    const unsigned char *to = p->stored;
    lll_status status = quant_decode(p->a->type,
                                     from + r * (p->a->n_bytes / n_rows),
                                     p->row, n, err);
    if (p->b != NULL)
        to = (const unsigned char *)p->b->data
             + r * (p->b->n_bytes / n_rows);
    else if (status == LLL_OK)
        status = quant_encode_row(p->type, p->row, NULL, p->stored, n, err);
    if (status == LLL_OK)
        status = quant_decode(p->type, to, p->back, n, err);
    if (status == LLL_OK)
        add_row(p->row, p->back, n, m);
    return status;
}
// @end error-rows

// @begin error-tensor
static lll_status measure(pair *p, moved *m, lll_error *err)
{
    size_t n = (size_t)p->a->dims[0], bytes;
    size_t n_rows = p->a->n_elements / n;
    size_t floats = arena_round(size_times(n, sizeof(float)));
    arena memory;
    lll_status status = convert_bytes(p->a, p->type, &bytes, err);
    if (status == LLL_OK)
        status = arena_init(&memory, size_times(3, floats), err);
    if (status != LLL_OK)
        return status;
    p->row = arena_take(&memory, floats);
    p->back = arena_take(&memory, floats);
    p->stored = arena_take(&memory, floats);    // no type needs more
    for (size_t r = 0; r < n_rows && status == LLL_OK; r++)
        status = measure_row(p, r, n, m, err);
    m->bytes += (double)bytes;
    arena_free(&memory);
    return status;
}
// @end error-tensor

// @begin error-tensor-2
// The other form of tensor `a`; false where there is nothing to compare.
static lll_status find_other(const gguf_file *a, const gguf_file *b,
                             const recipe *r, pair *p, gguf_tensor *other,
                             bool *found, lll_error *err)
{
    char name[GGUF_MAX_NAME + 1] = {0};
    *found = quant_is_supported(p->a->type);
    if (b == NULL) {
        recipe_choice c = recipe_choose(r, a, p->a);
        *found = c.reason <= RECIPE_FALLBACK;
        p->type = c.used;
        return LLL_OK;
    }
    memcpy(name, p->a->name.bytes, p->a->name.n_bytes < GGUF_MAX_NAME
                                   ? p->a->name.n_bytes : GGUF_MAX_NAME);
    lll_status status = gguf_find_tensor(b, name, p->a->dims, p->a->n_dims,
                                         other, err);
    if (status != LLL_OK)
        return status;
    *found = *found && quant_is_supported(other->type);
    p->b = other;
    p->type = other->type;
    return LLL_OK;
}
// @end error-tensor-2

// @begin error-print
typedef struct {
    json_out json;
    bool as_json;
    size_t n_same;              // tensors in which no number moved
} listing;

static void print_numbers(json_out *json, const moved *m)
{
    const struct { const char *key; double value; } numbers[] = {
        {"bytes", m->bytes},
        {"bits_per_weight", 8 * m->bytes / m->numbers},
        {"rms", sqrt(m->error_squares / m->numbers)},
        {"largest", m->largest},
        {"relative_rms", relative(m)},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_out_key(json, numbers[i].key);
        json_out_f64(json, numbers[i].value);
    }
}
// @end error-print

// @begin error-print-2
static void print_line(listing *out, const char *name, size_t n_bytes,
                       const char *type, const moved *m)
{
    char size[32];
    if (out->as_json) {
        json_out_object(&out->json);
        json_out_key(&out->json, "name");
        json_out_bytes(&out->json, name, n_bytes);
        json_out_key(&out->json, "type");
        json_out_text(&out->json, type);
        print_numbers(&out->json, m);
        json_out_end(&out->json);
        return;
    }
    size_text((uint64_t)m->bytes, size, sizeof size);
    int width = terminal_text(stdout, name, n_bytes);
    printf("%*s %-5s %10s %6.2f %9.2e %9.2e %7.3f %%\n",
           width < 25 ? 25 - width : 0, "", type, size,
           8 * m->bytes / m->numbers, sqrt(m->error_squares / m->numbers),
           m->largest, 100 * relative(m));
}
// @end error-print-2

// @begin error-list
static lll_status list(const gguf_file *a, const gguf_file *b,
                       const request *r, listing *out, moved *all,
                       lll_error *err)
{
    lll_status status = LLL_OK;
    for (size_t i = 0; i < a->n_tensors && status == LLL_OK; i++) {
        const gguf_tensor *tensor = &a->tensors[i];
        pair p = {.a = tensor};
        gguf_tensor other;
        moved one = {0};
        bool found;
        status = find_other(a, b, &r->recipe, &p, &other, &found, err);
        if (status == LLL_OK && found)
            status = measure(&p, &one, err);
        if (status != LLL_OK || !found)
            continue;
        add_all(&one, all);
        if (one.error_squares == 0 && !out->as_json && b != NULL)
            out->n_same++;
        else
            print_line(out, tensor->name.bytes, tensor->name.n_bytes,
                       dtype_name((uint32_t)p.type), &one);
    }
    return status;
}
// @end error-list

// @begin error-begin
// Has every tensor its other form? Asked before anything is printed: half a
// document is worse than none.
static lll_status find_all(const gguf_file *a, const gguf_file *b,
                           const request *r, lll_error *err)
{
    lll_status status = LLL_OK;
    for (size_t i = 0; i < a->n_tensors && status == LLL_OK; i++) {
        pair p = {.a = &a->tensors[i]};
        gguf_tensor other;
        bool found;
        status = find_other(a, b, &r->recipe, &p, &other, &found, err);
    }
    return status;
}

static void print_head(listing *out)
{
    if (!out->as_json) {
        printf("%-25s %-5s %10s %6s %9s %9s %9s\n", "tensor", "as", "bytes",
               "bits", "RMS", "largest", "of all");
        return;
    }
    json_out_begin(&out->json, stdout);
    json_out_object(&out->json);
    json_out_key(&out->json, "tensors");
    json_out_array(&out->json);
}
// @end error-begin

// @begin error-verb
lll_status verb_error(const gguf_file *a, const gguf_file *b,
                      const request *r, lll_error *err)
{
    static const char last[] = "all of them";
    listing out = {.as_json = r->json};
    moved all = {0};
    lll_status status = find_all(a, b, r, err);
    if (status != LLL_OK)
        return status;
    print_head(&out);
    status = list(a, b, r, &out, &all, err);
    if (status != LLL_OK)
        return status;
    if (out.as_json) {
        json_out_end(&out.json);
        json_out_key(&out.json, "total");
        json_out_object(&out.json);
        if (all.numbers > 0)
            print_numbers(&out.json, &all);
        json_out_end(&out.json);
        json_out_end(&out.json);
        return json_out_finish(&out.json, err);
    }
    if (out.n_same > 0)
        printf("%zu tensor%s: no number moved\n", out.n_same,
               out.n_same == 1 ? "" : "s");
    if (all.numbers > 0)
        print_line(&out, last, sizeof last - 1, "", &all);
    return LLL_OK;
}
// @end error-verb
