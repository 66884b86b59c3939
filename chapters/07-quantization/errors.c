#include <math.h>
#include <stdio.h>

#include "common/arena.h"
#include "common/quant.h"
#include "common/size.h"
#include "common/terminal.h"

#include "show.h"

// @begin errors-measure
typedef struct {
    double squares, error_squares, largest, bytes, numbers;
} moved;

// One row there and back again: what is lost, added to `m`.
static lll_status measure_row(dtype type, const float *row, size_t n,
                              float *back, void *stored, moved *m,
                              lll_error *err)
{
    lll_status status = quant_encode(type, row, stored, n, err);
    if (status == LLL_OK)
        status = quant_decode(type, stored, back, n, err);
    for (size_t i = 0; i < n && status == LLL_OK; i++) {
        double error = fabs((double)back[i] - (double)row[i]);
        m->squares += (double)row[i] * (double)row[i];
        m->error_squares += error * error;
        if (error > m->largest)
            m->largest = error;
    }
    return status;
}
// @end errors-measure

// @begin errors-measure-2
static lll_status measure(const gguf_tensor *tensor, dtype type, moved *m,
                          lll_error *err)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    size_t n = (size_t)tensor->dims[0], floats, total;
    size_t n_rows = tensor->n_elements / n;
    size_t from_bytes = tensor->n_bytes / n_rows;
    arena memory;
    if (!size_mul(n, sizeof(float), &floats)
        || !size_mul(arena_round(floats), 3, &total))
        return lll_fail(err, LLL_ERR_OVERFLOW, "a row of %zu numbers does "
                        "not fit in memory", n);
    lll_status status = arena_init(&memory, total, err);
    if (status != LLL_OK)
        return status;
    float *row = arena_take(&memory, floats);
    float *back = arena_take(&memory, floats);
    void *stored = arena_take(&memory, floats);     // no type needs more
    for (size_t r = 0; r < n_rows && status == LLL_OK; r++) {
        status = quant_decode(tensor->type,
                              (const unsigned char *)tensor->data
                              + r * from_bytes, row, n, err);
        if (status == LLL_OK)
            status = measure_row(type, row, n, back, stored, m, err);
    }
    m->numbers += (double)tensor->n_elements;
    m->bytes += (double)tensor->n_elements * info->block_bytes
                / info->block_size;
    arena_free(&memory);
    return status;
}
// @end errors-measure-2

// @begin errors-table
static void print_line(const char *name, size_t n_bytes, dtype type,
                       const moved *m)
{
    char size[32];
    size_text((uint64_t)m->bytes, size, sizeof size);
    int width = terminal_text(stdout, name, n_bytes);
    printf("%*s %-5s %11s %6.2f %9.2e %9.2e %8.3f %%\n",
           width < 26 ? 26 - width : 0, "", dtype_name((uint32_t)type), size,
           8 * m->bytes / m->numbers,
           sqrt(m->error_squares / m->numbers), m->largest,
           m->squares > 0 ? 100 * sqrt(m->error_squares / m->squares) : 0);
}
// @end errors-table

// @begin errors-table-2
lll_status show_errors(const gguf_file *file, dtype type, lll_error *err)
{
    moved all = {0};
    lll_status status = LLL_OK;
    printf("%-26s %-5s %11s %6s %9s %9s %10s\n", "tensor", "as", "bytes",
           "bits", "RMS", "largest", "RMS of all");
    for (size_t i = 0; i < file->n_tensors && status == LLL_OK; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        moved one = {0};
        if (!is_convertible(tensor, type))
            continue;
        status = measure(tensor, type, &one, err);
        if (status != LLL_OK)
            break;
        print_line(tensor->name.bytes, tensor->name.n_bytes, type, &one);
        all.squares += one.squares;
        all.error_squares += one.error_squares;
        all.largest = fmax(all.largest, one.largest);
        all.bytes += one.bytes;
        all.numbers += one.numbers;
    }
    if (status == LLL_OK && all.numbers > 0)
        print_line("all of them", 11, type, &all);
    return status;
}
// @end errors-table-2
