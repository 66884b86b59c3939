#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/size.h"
#include "common/terminal.h"

#include "show.h"

// @begin tensor-number
bool tensor_number(const gguf_tensor *tensor, size_t i, double *number)
{
    float single;
    uint16_t half;
    const unsigned char *data = tensor->data;
    switch (tensor->type) {
    case DTYPE_F32:
        memcpy(&single, data + i * sizeof single, sizeof single);
        *number = (double)single;
        return true;
    case DTYPE_F16:
        memcpy(&half, data + i * sizeof half, sizeof half);
        *number = (double)f16_to_f32(half);
        return true;
    case DTYPE_BF16:
        memcpy(&half, data + i * sizeof half, sizeof half);
        *number = (double)bf16_to_f32(half);
        return true;
    case DTYPE_F64:
        memcpy(number, data + i * sizeof *number, sizeof *number);
        return true;
    default:
        return false;
    }
}
// @end tensor-number

// @begin tensor-spread
typedef struct {
    double smallest, largest, sum;
    size_t n_finite, n_nan, n_infinite;
} spread;

static spread spread_of(const gguf_tensor *tensor)
{
    spread s = {.smallest = INFINITY, .largest = -INFINITY};
    for (size_t i = 0; i < tensor->n_elements; i++) {
        double number = 0;
        tensor_number(tensor, i, &number);
        if (isnan(number)) {
            s.n_nan++;
        } else if (isinf(number)) {
            s.n_infinite++;
        } else {
            s.n_finite++;
            s.sum += number;
            s.smallest = fmin(s.smallest, number);
            s.largest = fmax(s.largest, number);
        }
    }
    return s;
}
// @end tensor-spread

// @begin tensor-histogram
enum { BINS = 15 };

static void histogram(const gguf_tensor *tensor, const spread *s)
{
    size_t count[BINS] = {0}, most = 1;
    double width = (s->largest - s->smallest) / BINS;
    for (size_t i = 0; i < tensor->n_elements; i++) {
        double number = 0;
        tensor_number(tensor, i, &number);
        if (!isfinite(number))
            continue;
        double place = width > 0 ? (number - s->smallest) / width : 0;
        size_t bin = place < BINS ? (size_t)place : BINS - 1;
        if (++count[bin] > most)
            most = count[bin];
    }
    for (int i = 0; i < BINS; i++) {
        printf("  from %11.4g  ", s->smallest + i * width);
        terminal_bar(stdout, terminal_color(stdout),
                     (double)count[i] / (double)most, 40);
        printf(" %zu\n", count[i]);
    }
}
// @end tensor-histogram

// @begin tensor-show
static void show_numbers(const gguf_tensor *tensor)
{
    spread s = spread_of(tensor);
    size_t n = tensor->n_elements < 6 ? tensor->n_elements : 6;
    printf("first      ");
    for (size_t i = 0; i < n; i++) {
        double number = 0;
        tensor_number(tensor, i, &number);
        printf(" %.6g", number);
    }
    printf("%s\n", n < tensor->n_elements ? " ..." : "");
    if (s.n_finite > 0)
        printf("range       %.6g to %.6g, mean %.6g\n", s.smallest, s.largest,
               s.sum / (double)s.n_finite);
    printf("unsound     %zu NaN, %zu infinite\n", s.n_nan, s.n_infinite);
    if (s.n_finite > 0)
        histogram(tensor, &s);
}
// @end tensor-show

// @begin tensor-command
lll_status show_tensor(const gguf_file *file, const char *name,
                       lll_error *err)
{
    gguf_tensor tensor;
    char dims[80], bytes[32];
    double number;
    lll_status status = gguf_find_tensor(file, name, NULL, 0, &tensor, err);
    if (status != LLL_OK)
        return status;
    shape_text(tensor.dims, tensor.n_dims, dims, sizeof dims);
    number_text(tensor.n_bytes, bytes, sizeof bytes);
    printf("tensor      %s\n", name);
    printf("type        %s\n", dtype_name((uint32_t)tensor.type));
    printf("dims        %s, fastest first\n", dims);
    printf("bytes       %s\n", bytes);
    if (tensor_number(&tensor, 0, &number))
        show_numbers(&tensor);
    else
        printf("numbers     packed in blocks of %d, %d bytes each; chapter 7 "
               "opens them\n",
               dtype_find((uint32_t)tensor.type)->block_size,
               dtype_find((uint32_t)tensor.type)->block_bytes);
    return LLL_OK;
}
// @end tensor-command
