#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/size.h"
#include "common/terminal.h"

#include "numbers.h"
#include "show.h"

// @begin compare-state
// What the two walks share. A difference is one line, or one object: '-' is
// in the first file only, '+' in the second only, '~' in both.
typedef struct {
    const gguf_file *a, *b;
    json_out *json;             // NULL for text
    size_t n_keys, n_tensors;   // that differ
} comparison;

static void begin(const comparison *c, char sign, const char *kind,
                  gguf_string name)
{
    if (c->json == NULL) {
        printf("%c %s ", sign, kind);
        terminal_text(stdout, name.bytes, name.n_bytes);
        return;
    }
    json_out_object(c->json);
    json_out_key(c->json, kind);
    json_out_bytes(c->json, name.bytes, name.n_bytes);
    json_out_key(c->json, "change");
    json_out_text(c->json, sign == '-' ? "removed" : sign == '+' ? "added"
                                                                 : "changed");
}

static void end(const comparison *c)
{
    if (c->json != NULL)
        json_out_end(c->json);
    else
        putchar('\n');
}
// @end compare-state

// @begin compare-values
static bool same_value(const gguf_value *a, const gguf_value *b)
{
    size_t n_a = (size_t)(gguf_value_end(a) - a->bytes);
    size_t n_b = (size_t)(gguf_value_end(b) - b->bytes);
    return a->type == b->type && a->item_type == b->item_type
           && a->n_items == b->n_items && n_a == n_b
           && memcmp(a->bytes, b->bytes, n_a) == 0;
}

static void one_value(const comparison *c, const char *key,
                      const char *before, const gguf_value *value)
{
    if (value != NULL && c->json != NULL) {
        json_out_key(c->json, key);
        json_value(c->json, value);
    } else if (value != NULL) {
        printf("%s%s ", before, gguf_type_name(value->type));
        print_value(value, 30);
    }
}

static void value_differs(comparison *c, char sign, gguf_string key,
                          const gguf_value *a, const gguf_value *b)
{
    // Two texts or lists do not fit in one line.
    bool is_long = b != NULL && (b->type == GGUF_ARRAY
                                 || b->type == GGUF_STRING);
    c->n_keys++;
    begin(c, sign, "key", key);
    one_value(c, "from", ": ", a);
    one_value(c, "to", a == NULL ? ": " : is_long ? "\n    -> " : " -> ", b);
    end(c);
}
// @end compare-values

// @begin compare-numbers
typedef struct {
    size_t n_differ, n_unsound; // unsound: NaN or infinity in one of them
    double largest, squares;
    size_t at;                  // where the largest is
} distance;

static distance distance_of(const gguf_tensor *a, const gguf_tensor *b)
{
    double x[NUMBERS_AT_ONCE], y[NUMBERS_AT_ONCE];
    distance d = {0};
    for (size_t i = 0, n; i < a->n_elements; i += n) {
        n = numbers_take(a, i, x);
        numbers_take(b, i, y);
        for (size_t k = 0; k < n; k++) {
            double difference = fabs(x[k] - y[k]);
            if (x[k] == y[k] || (isnan(x[k]) && isnan(y[k])))
                continue;
            d.n_differ++;
            if (!isfinite(difference)) {
                d.n_unsound++;
                continue;
            }
            d.squares += difference * difference;
            if (difference > d.largest) {
                d.largest = difference;
                d.at = i + k;
            }
        }
    }
    return d;
}
// @end compare-numbers

// @begin compare-tensors
static void shape_of(const comparison *c, const char *key, const char *before,
                     const gguf_tensor *tensor)
{
    char dims[96], text[120];
    if (tensor == NULL)
        return;
    shape_text(tensor->dims, tensor->n_dims, dims, sizeof dims);
    snprintf(text, sizeof text, "%s %s", dtype_name((uint32_t)tensor->type),
             dims);
    if (c->json == NULL) {
        printf("%s%s", before, text);
    } else {
        json_out_key(c->json, key);
        json_out_text(c->json, text);
    }
}
// @end compare-tensors

// @begin compare-tensor-numbers
static void numbers_of(const comparison *c, const gguf_tensor *a,
                       const gguf_tensor *b)
{
    if (!numbers_known(a->type) || !numbers_known(b->type)) {
        if (c->json == NULL)
            printf("\n    other bytes, of a type that we can not decode");
        return;
    }
    distance d = distance_of(a, b);
    double rms = sqrt(d.squares / (double)a->n_elements);
    if (c->json == NULL) {
        printf("\n    %zu of %zu numbers differ, by at most %.6g (number "
               "%zu), RMS %.6g", d.n_differ, a->n_elements, d.largest, d.at,
               rms);
        if (d.n_unsound > 0)
            printf("; %zu are not finite", d.n_unsound);
        return;
    }
    json_out_key(c->json, "differ");
    json_out_u64(c->json, d.n_differ);
    json_out_key(c->json, "not_finite");
    json_out_u64(c->json, d.n_unsound);
    json_out_key(c->json, "largest");
    json_out_f64(c->json, d.largest);
    json_out_key(c->json, "rms");
    json_out_f64(c->json, rms);
}
// @end compare-tensor-numbers

// @begin compare-tensor
static bool same_shape(const gguf_tensor *a, const gguf_tensor *b)
{
    return a->n_dims == b->n_dims
           && memcmp(a->dims, b->dims, sizeof a->dims) == 0;
}

static void tensor_differs(comparison *c, char sign, gguf_string name,
                           const gguf_tensor *a, const gguf_tensor *b)
{
    c->n_tensors++;
    begin(c, sign, "tensor", name);
    shape_of(c, "from", ": ", a);
    if (a == NULL || b == NULL || a->type != b->type || !same_shape(a, b))
        shape_of(c, "to", a != NULL ? " -> " : ": ", b);
    if (a != NULL && b != NULL && same_shape(a, b))
        numbers_of(c, a, b);
    end(c);
}

static bool same_tensor(const gguf_tensor *a, const gguf_tensor *b)
{
    return a->type == b->type && same_shape(a, b)
           && memcmp(a->data, b->data, a->n_bytes) == 0;
}
// @end compare-tensor

// @begin compare-walk
// Two sorted lists of names, walked side by side. -1: the next name is in
// the first list only; 1: in the second only; 0: in both.
static int next_name(const gguf_string *const *a, size_t i, size_t n_a,
                     const gguf_string *const *b, size_t k, size_t n_b)
{
    if (i == n_a || k == n_b)
        return i == n_a ? 1 : -1;
    int order = gguf_string_order(*a[i], *b[k]);
    return (order > 0) - (order < 0);
}

static void walk_values(comparison *c)
{
    const gguf_file *a = c->a, *b = c->b;
    size_t i = 0, k = 0;
    while (i < a->n_values || k < b->n_values) {
        int order = next_name(a->value_order, i, a->n_values, b->value_order,
                              k, b->n_values);
        const gguf_string *name = order <= 0 ? a->value_order[i]
                                             : b->value_order[k];
        const gguf_value *x = NULL, *y = NULL;
        if (order <= 0)
            x = (const void *)a->value_order[i++];
        if (order >= 0)
            y = (const void *)b->value_order[k++];
        if (order != 0 || !same_value(x, y))
            value_differs(c, "-~+"[order + 1], *name, x, y);
    }
}
// @end compare-walk

// @begin compare-walk-tensors
static void walk_tensors(comparison *c)
{
    const gguf_file *a = c->a, *b = c->b;
    size_t i = 0, k = 0;
    while (i < a->n_tensors || k < b->n_tensors) {
        int order = next_name(a->tensor_order, i, a->n_tensors,
                              b->tensor_order, k, b->n_tensors);
        const gguf_string *name = order <= 0 ? a->tensor_order[i]
                                             : b->tensor_order[k];
        const gguf_tensor *x = NULL, *y = NULL;
        if (order <= 0)
            x = (const void *)a->tensor_order[i++];
        if (order >= 0)
            y = (const void *)b->tensor_order[k++];
        if (order != 0 || !same_tensor(x, y))
            tensor_differs(c, "-~+"[order + 1], *name, x, y);
    }
}
// @end compare-walk-tensors

// @begin compare
lll_status compare(const gguf_file *a, const gguf_file *b, json_out *json,
                   lll_error *err)
{
    comparison c = {.a = a, .b = b, .json = json};
    if (json != NULL)
        json_out_array(json);
    walk_values(&c);
    walk_tensors(&c);
    if (json != NULL)
        json_out_end(json);
    if (c.n_keys + c.n_tensors == 0) {
        if (json == NULL)
            printf("the same metadata, the same tensors\n");
        return LLL_OK;
    }
    return lll_fail(err, LLL_ERR_FORMAT, "%s and %s differ: keys %zu, "
                    "tensors %zu", a->path, b->path, c.n_keys, c.n_tensors);
}
// @end compare
