#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/size.h"
#include "common/terminal.h"

#include "numbers.h"
#include "show.h"

// @begin tensor-histogram
static void histogram(const spread *s, const size_t count[BINS])
{
    size_t most = 1;
    for (int i = 0; i < BINS; i++)
        most = count[i] > most ? count[i] : most;
    for (int i = 0; i < BINS; i++) {
        double part = (double)i / BINS;
        printf("  from %11.4g  ", s->smallest * (1 - part)
                                  + s->largest * part);
        terminal_bar(stdout, terminal_color(stdout),
                     (double)count[i] / (double)most, 40);
        printf(" %zu\n", count[i]);
    }
}
// @end tensor-histogram

// @begin tensor-numbers
static void show_numbers(const gguf_tensor *tensor)
{
    double numbers[NUMBERS_AT_ONCE];
    size_t count[BINS];
    spread s = spread_of(tensor, count);
    size_t n = numbers_take(tensor, 0, numbers);
    printf("first      ");
    for (size_t i = 0; i < n && i < 6; i++)
        printf(" %.6g", numbers[i]);
    printf("%s\n", tensor->n_elements > 6 ? " ..." : "");
    if (s.n_finite > 0)
        printf("range       %.6g to %.6g, mean %.6g\n", s.smallest, s.largest,
               s.sum / (double)s.n_finite);
    printf("unsound     %zu NaN, %zu infinite\n", s.n_nan, s.n_infinite);
    if (s.n_finite > 0)
        histogram(&s, count);
}
// @end tensor-numbers

// @begin tensor-find
static int digit(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c);
    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

// A name as terminal_text() shows it: \xNN is a byte.
static gguf_string as_printed(const char *name, char bytes[GGUF_MAX_NAME])
{
    gguf_string raw = {bytes, 0};
    for (; *name != '\0' && raw.n_bytes < GGUF_MAX_NAME; name++) {
        int high = -1, low = -1;
        if (name[0] == '\\' && name[1] == 'x')
            high = digit(name[2]);
        if (high >= 0)
            low = digit(name[3]);
        bytes[raw.n_bytes++] = low < 0 ? *name : (char)(16 * high + low);
        name += low < 0 ? 0 : 3;
    }
    return raw;
}

lll_status find_tensor(const gguf_file *file, const char *name,
                       gguf_tensor *tensor, lll_error *err)
{
    char bytes[GGUF_MAX_NAME];
    gguf_string raw = as_printed(name, bytes);
    lll_status status = gguf_find_tensor(file, name, NULL, 0, tensor, err);
    for (size_t i = 0; i < file->n_tensors && status != LLL_OK; i++)
        if (gguf_string_order(file->tensors[i].name, raw) == 0) {
            *tensor = file->tensors[i];
            status = LLL_OK;
        }
    return status;
}
// @end tensor-find

// @begin tensor-show
lll_status show_tensor(const gguf_file *file, const char *name,
                       lll_error *err)
{
    gguf_tensor tensor;
    char dims[96], bytes[32];
    lll_status status = find_tensor(file, name, &tensor, err);
    if (status != LLL_OK)
        return status;
    const char *type = dtype_name((uint32_t)tensor.type);
    const dtype_info *info = dtype_find((uint32_t)tensor.type);
    shape_text(tensor.dims, tensor.n_dims, dims, sizeof dims);
    number_text(tensor.n_bytes, bytes, sizeof bytes);
    printf("tensor      ");
    terminal_text(stdout, tensor.name.bytes, tensor.name.n_bytes);
    printf("\ntype        %s\n", type);
    printf("dims        %s, fastest first\n", dims);
    printf("bytes       %s from byte %zu", bytes,
           gguf_data_at(file, &tensor));
    if (file->n_others > 0)
        printf(" of part %zu", tensor.part + 1);
    putchar('\n');
    if (numbers_known(tensor.type))
        show_numbers(&tensor);
    else
        printf("numbers     in blocks of %d, %d bytes each; %s is a type "
               "that we can not\n            decode\n", info->block_size,
               info->block_bytes, type);
    return LLL_OK;
}
// @end tensor-show
