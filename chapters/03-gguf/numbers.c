#include "numbers.h"

#include <math.h>
#include <string.h>

#include "common/quant.h"

// @begin numbers-plain
// Number i of a type that is not made for weights.
static double plain_number(dtype type, const void *data, size_t i)
{
    const unsigned char *bytes = data;
    double real;
    int64_t whole = 0;
    switch (type) {
    case DTYPE_F64:
        memcpy(&real, bytes + i * sizeof real, sizeof real);
        return real;
    case DTYPE_I8:
        return (double)((const int8_t *)data)[i];
    case DTYPE_I16:
        memcpy(&whole, bytes + i * 2, 2);
        return (double)(int16_t)whole;
    case DTYPE_I32:
        memcpy(&whole, bytes + i * 4, 4);
        return (double)(int32_t)whole;
    default:                    // I64; above 2^53 the last digits are lost
        memcpy(&whole, bytes + i * 8, 8);
        return (double)whole;
    }
}

static bool is_plain(dtype type)
{
    return type == DTYPE_F64 || type == DTYPE_I8 || type == DTYPE_I16
           || type == DTYPE_I32 || type == DTYPE_I64;
}
// @end numbers-plain

// @begin numbers-take
bool numbers_known(dtype type)
{
    return is_plain(type) || quant_is_supported(type);
}

size_t numbers_take(const gguf_tensor *tensor, size_t first,
                    double numbers[NUMBERS_AT_ONCE])
{
    const dtype_info *info = dtype_find((uint32_t)tensor->type);
    const char *at = tensor->data;
    float values[NUMBERS_AT_ONCE] = {0};
    size_t n = tensor->n_elements - first;
    if (n > NUMBERS_AT_ONCE)
        n = NUMBERS_AT_ONCE;
    at += first / (size_t)info->block_size * (size_t)info->block_bytes;
    bool plain = is_plain(tensor->type);
    if (!plain)                 // zeros, should the type be none of ours
        quant_decode(tensor->type, at, values, n, NULL);
    for (size_t i = 0; i < n; i++)
        numbers[i] = plain ? plain_number(tensor->type, at, i)
                           : (double)values[i];
    return n;
}
// @end numbers-take

// @begin numbers-spread-of
static void add_numbers(spread *s, const double *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(numbers[i])) {
            s->n_nan++;
        } else if (isinf(numbers[i])) {
            s->n_infinite++;
        } else {
            s->n_finite++;
            s->sum += numbers[i];
            s->smallest = fmin(s->smallest, numbers[i]);
            s->largest = fmax(s->largest, numbers[i]);
        }
    }
}
// @end numbers-spread-of

// @begin numbers-histogram
spread spread_of(const gguf_tensor *tensor, size_t count[BINS])
{
    double numbers[NUMBERS_AT_ONCE];
    spread s = {.smallest = INFINITY, .largest = -INFINITY};
    size_t n_all = tensor->n_elements, n;
    for (size_t first = 0; first < n_all; first += n) {
        n = numbers_take(tensor, first, numbers);
        add_numbers(&s, numbers, n);
    }
    // Halves, because the difference of two large numbers may overflow.
    double half = (s.largest / 2 - s.smallest / 2) / BINS;
    memset(count, 0, BINS * sizeof *count);
    for (size_t first = 0; first < n_all; first += n) {
        n = numbers_take(tensor, first, numbers);
        for (size_t i = 0; i < n; i++) {
            double place = half > 0
                ? (numbers[i] / 2 - s.smallest / 2) / half : 0;
            if (isfinite(numbers[i]))
                count[place < BINS ? (size_t)place : BINS - 1]++;
        }
    }
    return s;
}
// @end numbers-histogram
