#include <math.h>
#include <stdio.h>

#include "chapters/07-quantization/verbs.h"
#include "common/json_out.h"
#include "common/quant.h"
#include "common/size.h"
#include "common/terminal.h"
#include "common/weight_error.h"

// @begin error-other
// The other form of tensor `a`: its type, and in a second file the tensor;
// *found is false where there is nothing to compare.
static lll_status find_other(const gguf_tensor *a, const gguf_file *file,
                             const gguf_file *b, const recipe *r,
                             gguf_tensor *other, bool *found, lll_error *err)
{
    if (b != NULL)
        return weight_error_find(a, b, other, found, err);
    recipe_choice c = recipe_choose(r, file, a);
    *found = quant_is_supported(a->type) && c.reason <= RECIPE_FALLBACK;
    other->type = c.used;
    return LLL_OK;
}
// @end error-other

// @begin error-print
typedef struct {
    json_out json;
    bool as_json;
    size_t n_same;              // tensors in which no number moved
} listing;

static void print_numbers(json_out *json, const weight_error *m)
{
    const struct { const char *key; double value; } numbers[] = {
        {"bytes", m->bytes},
        {"bits_per_weight", 8 * m->bytes / m->numbers},
        {"rms", sqrt(m->error_squares / m->numbers)},
        {"largest", m->largest},
        {"relative_rms", weight_error_relative(m)},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_out_key(json, numbers[i].key);
        json_out_f64(json, numbers[i].value);
    }
}
// @end error-print

// @begin error-print-2
static void print_line(listing *out, const char *name, size_t n_bytes,
                       const char *type, const weight_error *m)
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
           m->largest, 100 * weight_error_relative(m));
}
// @end error-print-2

// @begin error-list
static lll_status list(const gguf_file *a, const gguf_file *b,
                       const request *r, listing *out, weight_error *all,
                       lll_error *err)
{
    lll_status status = LLL_OK;
    for (size_t i = 0; i < a->n_tensors && status == LLL_OK; i++) {
        const gguf_tensor *tensor = &a->tensors[i];
        gguf_tensor other;
        weight_error one = {0};
        bool found;
        status = find_other(tensor, a, b, &r->recipe, &other, &found, err);
        if (status == LLL_OK && found)
            status = weight_error_tensor(tensor, b != NULL ? &other : NULL,
                                         other.type, &one, err);
        if (status != LLL_OK || !found)
            continue;
        weight_error_add(&one, all);
        if (one.error_squares == 0 && !out->as_json && b != NULL)
            out->n_same++;
        else
            print_line(out, tensor->name.bytes, tensor->name.n_bytes,
                       dtype_name((uint32_t)other.type), &one);
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
        gguf_tensor other;
        bool found;
        status = find_other(&a->tensors[i], a, b, &r->recipe, &other, &found,
                            err);
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
    weight_error all = {0};
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
