#include "common/size.h"

#include <inttypes.h>
#include <stdio.h>

// @begin size-mul
bool size_mul(size_t a, size_t b, size_t *product)
{
    // Ask before multiplying: afterwards the top bits are already gone.
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *product = a * b;
    return true;
}

bool size_add(size_t a, size_t b, size_t *sum)
{
    if (a > SIZE_MAX - b)
        return false;
    *sum = a + b;
    return true;
}
// @end size-mul

// @begin size-saturate
size_t size_times(size_t a, size_t b)
{
    size_t product;
    return size_mul(a, b, &product) ? product : SIZE_MAX;
}

size_t size_plus(size_t a, size_t b)
{
    size_t sum;
    return size_add(a, b, &sum) ? sum : SIZE_MAX;
}
// @end size-saturate

// @begin shape-text
void shape_text(const uint64_t *shape, int n_dims, char *text,
                size_t capacity)
{
    size_t n = 0;
    if (capacity > 0)
        text[0] = '\0';
    for (int i = 0; i < n_dims; i++) {
        char one[32];
        int length = snprintf(one, sizeof one, "%s%" PRIu64,
                              i == 0 ? "" : " x ", shape[i]);
        if (n + (size_t)length + 4 > capacity) {
            snprintf(text + n, capacity - n, "...");
            return;
        }
        snprintf(text + n, capacity - n, "%s", one);
        n += (size_t)length;
    }
}
// @end shape-text

// @begin size-text
void size_text(uint64_t n_bytes, char *text, size_t capacity)
{
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB", "PiB",
                                       "EiB"};
    if (n_bytes < 1024) {
        snprintf(text, capacity, "%" PRIu64 " B", n_bytes);
        return;
    }
    double value = (double)n_bytes / 1024.0;
    int i = 0;
    // 1023.995 would print as "1024.00 KiB": move on just before it.
    while (value >= 1023.995 && i < 5) {
        value /= 1024.0;
        i++;
    }
    snprintf(text, capacity, "%.2f %s", value, unit[i]);
}
// @end size-text

// @begin size-overflow
// `unit` is nothing for a count, or " in bytes".
static lll_status overflow(const uint64_t *shape, int n_dims,
                           const char *unit, size_t limit, lll_error *err)
{
    char text[128];
    int bits = 0;
    shape_text(shape, n_dims, text, sizeof text);
    while (bits < 64 && limit >> bits != 0)
        bits++;
    // INT32_MAX fills 31 bits; the 32nd holds the sign.
    bool has_sign = bits % 8 == 7;
    return lll_fail(err, LLL_ERR_OVERFLOW,
                    "tensor size overflow: %s%s does not fit in %d bits%s",
                    text, unit, has_sign ? bits + 1 : bits,
                    has_sign ? " with a sign" : "");
}
// @end size-overflow

// @begin tensor-count
// The product of the dimensions, each at least 1, at most `limit`.
static lll_status count_elements(const uint64_t *shape, int n_dims,
                                 size_t limit, size_t *n, lll_error *err)
{
    for (int i = 0; i < n_dims; i++)
        if (shape[i] == 0) {
            char text[128];
            shape_text(shape, n_dims, text, sizeof text);
            return lll_fail(err, LLL_ERR_ARGUMENT,
                            "tensor shape %s: dimension %d is 0, expected at "
                            "least 1", text, i + 1);
        }

    size_t count = 1;
    for (int i = 0; i < n_dims; i++)
        // shape[i] is a uint64_t: on a 32-bit machine it may not even fit
        // in size_t, and the first comparison keeps the cast honest.
        if (shape[i] > limit || !size_mul(count, (size_t)shape[i], &count)
            || count > limit)
            return overflow(shape, n_dims, "", limit, err);
    *n = count;
    return LLL_OK;
}
// @end tensor-count

// @begin tensor-rows
// A function of its own, so that a sentence is only made when it is needed:
// whoever opens a file with a thousand tensors asks a thousand times.
static lll_status odd_rows(const dtype_info *info, const uint64_t *shape,
                           int n_dims, lll_error *err)
{
    char text[128];
    shape_text(shape, n_dims, text, sizeof text);
    return lll_fail(err, LLL_ERR_FORMAT,
                    "tensor shape %s: rows of %" PRIu64 " are not whole "
                    "blocks of %d (%s)", text, shape[n_dims - 1],
                    info->block_size, info->name);
}
// @end tensor-rows

// @begin tensor-size
lll_status tensor_size(dtype type, const uint64_t *shape, int n_dims,
                       size_t limit, size_t *n_elements, size_t *n_bytes,
                       lll_error *err)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    if (info == NULL)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "the number %d names no storage type", (int)type);
    if (n_dims < 1 || n_dims > TENSOR_MAX_DIMS)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "a tensor has 1 to %d dimensions, not %d",
                        TENSOR_MAX_DIMS, n_dims);
    size_t count = 0, bytes = 0;
    lll_status status = count_elements(shape, n_dims, limit, &count, err);
    if (status != LLL_OK)
        return status;

    if (shape[n_dims - 1] % (uint64_t)info->block_size != 0)
        return odd_rows(info, shape, n_dims, err);
    // Divide first: whole rows are whole blocks, so nothing is lost.
    if (!size_mul(count / (size_t)info->block_size,
                  (size_t)info->block_bytes, &bytes))
        return overflow(shape, n_dims, " in bytes", SIZE_MAX, err);
    if (n_elements != NULL)
        *n_elements = count;
    if (n_bytes != NULL)
        *n_bytes = bytes;
    return LLL_OK;
}
// @end tensor-size
