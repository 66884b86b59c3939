#include "common/weight_error.h"

#include <math.h>
#include <string.h>

#include "common/arena.h"
#include "common/convert.h"
#include "common/quant.h"
#include "common/quant_encode.h"
#include "common/size.h"

// @begin weight-error-add
// What is not a number is larger than any, and stays.
static double larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static void add_row(const float *row, const float *back, size_t n,
                    weight_error *e)
{
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)back[i] - (double)row[i]);
        e->squares += (double)row[i] * (double)row[i];
        e->error_squares += error * error;
        e->largest = larger(e->largest, error);
    }
    e->numbers += (double)n;
}

void weight_error_add(const weight_error *one, weight_error *all)
{
    all->squares += one->squares;
    all->error_squares += one->error_squares;
    all->largest = larger(all->largest, one->largest);
    all->bytes += one->bytes;
    all->numbers += one->numbers;
}
// @end weight-error-add

// @begin weight-error-relative
double weight_error_relative(const weight_error *e)
{
    return e->squares == 0 ? 0 : sqrt(e->error_squares / e->squares);
}
// @end weight-error-relative

// @begin weight-error-find
lll_status weight_error_find(const gguf_tensor *tensor,
                             const gguf_file *other, gguf_tensor *out,
                             bool *found, lll_error *err)
{
    char name[GGUF_MAX_NAME + 1] = {0};
    memcpy(name, tensor->name.bytes, tensor->name.n_bytes < GGUF_MAX_NAME
                                     ? tensor->name.n_bytes : GGUF_MAX_NAME);
    lll_status status = gguf_find_tensor(other, name, tensor->dims,
                                         tensor->n_dims, out, err);
    if (status == LLL_OK)
        *found = quant_is_supported(tensor->type)
                 && quant_is_supported(out->type);
    return status;
}
// @end weight-error-find

// @begin weight-error-row
// A tensor and its other form, with room for a row of each.
typedef struct {
    const gguf_tensor *a, *b;       // b NULL: encoded on the way
    dtype type;                     // of the other form
    float *row, *back;
    void *stored;
} pair;

static lll_status measure_row(const pair *p, size_t r, size_t n,
                              weight_error *e, lll_error *err)
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
        add_row(p->row, p->back, n, e);
    return status;
}
// @end weight-error-row

// @begin weight-error-tensor
lll_status weight_error_tensor(const gguf_tensor *tensor,
                               const gguf_tensor *other, dtype type,
                               weight_error *sum, lll_error *err)
{
    pair p = {.a = tensor, .b = other,
              .type = other != NULL ? other->type : type};
    size_t n = (size_t)tensor->dims[0], bytes;
    size_t n_rows = tensor->n_elements / n;
    size_t floats = arena_round(size_times(n, sizeof(float)));
    arena memory;
    lll_status status = convert_bytes(tensor, p.type, &bytes, err);
    if (status == LLL_OK)
        status = arena_init(&memory, size_times(3, floats), err);
    if (status != LLL_OK)
        return status;
    p.row = arena_take(&memory, floats);
    p.back = arena_take(&memory, floats);
    p.stored = arena_take(&memory, floats);     // no type needs more
    for (size_t r = 0; r < n_rows && status == LLL_OK; r++)
        status = measure_row(&p, r, n, sum, err);
    sum->bytes += (double)bytes;
    arena_free(&memory);
    return status;
}
// @end weight-error-tensor
