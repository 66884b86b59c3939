#include "show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/quant.h"
#include "common/terminal.h"

// @begin show-codes
// Scale, minimum and codes of a block of 32, as they stand in the file.
static void print_fields(dtype type, const void *block)
{
    const q8_0_block *q8_0 = block;
    const q4_0_block *q4_0 = block;
    const q4_1_block *q4_1 = block;
    uint16_t scale = type == DTYPE_Q8_0 ? q8_0->scale
                   : type == DTYPE_Q4_0 ? q4_0->scale : q4_1->scale;
    printf("  scale    %-12.6g F16 %04x\n", (double)f16_to_f32(scale), scale);
    if (type == DTYPE_Q4_1)
        printf("  minimum  %-12.6g F16 %04x\n",
               (double)f16_to_f32(q4_1->minimum), q4_1->minimum);
    printf("  codes   ");
    for (int i = 0; i < QUANT_BLOCK; i++) {
        int code = type == DTYPE_Q8_0 ? q8_0->code[i]
                 : type == DTYPE_Q4_0 ? quant_nibble(q4_0->nibbles, i)
                                      : quant_nibble(q4_1->nibbles, i);
        printf("%s%4d", i > 0 && i % 16 == 0 ? "\n          " : "", code);
    }
    printf("\n");
}

static void print_values(const char *label, const float *values, int n)
{
    printf("  %-8s", label);
    for (int i = 0; i < n; i++)
        printf("%s%8.4f", i > 0 && i % 8 == 0 ? "\n          " : "",
               (double)values[i]);
    printf("\n");
}
// @end show-codes

// @begin show-block
lll_status show_block(const gguf_file *file, const char *name,
                      uint64_t number, lll_error *err)
{
    gguf_tensor tensor;
    lll_status status = gguf_find_tensor(file, name, NULL, 0, &tensor, err);
    if (status != LLL_OK)
        return status;
    const dtype_info *info = dtype_find((uint32_t)tensor.type);
    uint64_t n_numbers = quant_is_blocked(tensor.type) ? QUANT_BLOCK : 1;
    uint64_t n_blocks = tensor.n_elements / n_numbers;
    if (number >= n_blocks)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: %s has %llu blocks, "
                        "found no block %llu", file->path, name,
                        (unsigned long long)n_blocks,
                        (unsigned long long)number);
    const unsigned char *block = (const unsigned char *)tensor.data
                                 + number * (size_t)info->block_bytes;
    float values[QUANT_BLOCK];
    status = quant_decode(tensor.type, block, values, n_numbers, err);
    if (status != LLL_OK)
        return status;
    printf("%s, %s, block %llu of %llu: %d bytes for %d number%s\n", name,
           info->name, (unsigned long long)number,
           (unsigned long long)n_blocks, info->block_bytes, info->block_size,
           info->block_size == 1 ? "" : "s");
    if (quant_is_blocked(tensor.type))
        print_fields(tensor.type, block);
    print_values("values", values, (int)n_numbers);
    return LLL_OK;
}
// @end show-block

// @begin show-lesson
// Thirty-two numbers like those of a weight: small, of both signs, and one
// that sticks out.
static void lesson_row(float *row)
{
    for (int i = 0; i < QUANT_BLOCK; i++)
        row[i] = 0.1f * sinf(1.7f * (float)(i + 1))
                 + 0.03f * cosf(0.9f * (float)(i * i));
    row[20] = -0.75f;
}

static void compare_types(const float *row)
{
    static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16,
                                  DTYPE_Q8_0, DTYPE_Q4_1, DTYPE_Q4_0};
    printf("\nThe same row in every type\n"
           "type   bytes  bits a number   RMS error  largest error\n");
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        const dtype_info *info = dtype_find((uint32_t)types[t]);
        float stored[QUANT_BLOCK], back[QUANT_BLOCK];
        double squares = 0, largest = 0;
        (void)quant_encode(types[t], row, stored, QUANT_BLOCK, NULL);
        (void)quant_decode(types[t], stored, back, QUANT_BLOCK, NULL);
        for (int i = 0; i < QUANT_BLOCK; i++) {
            double error = fabs((double)back[i] - (double)row[i]);
            squares += error * error;
            largest = fmax(largest, error);
        }
        int bytes = info->block_bytes * QUANT_BLOCK / info->block_size;
        printf("%-5s %6d %14.1f %11.6f %14.6f  ", info->name, bytes,
               8.0 * bytes / QUANT_BLOCK, sqrt(squares / QUANT_BLOCK),
               largest);
        terminal_bar(stdout, terminal_color(stdout), bytes / 128.0, 16);
        printf("\n");
    }
}
// @end show-lesson

// @begin show-lesson-2
void show_lesson(void)
{
    float row[QUANT_BLOCK], back[QUANT_BLOCK];
    q4_0_block block;
    lesson_row(row);
    printf("A row of 32 numbers, 128 bytes as F32\n");
    print_values("values", row, QUANT_BLOCK);
    (void)quant_encode(DTYPE_Q4_0, row, &block, QUANT_BLOCK, NULL);
    (void)quant_decode(DTYPE_Q4_0, &block, back, QUANT_BLOCK, NULL);
    printf("\nAs one block of Q4_0, 18 bytes: value = scale * (code - 8)\n");
    print_fields(DTYPE_Q4_0, &block);
    print_values("values", back, QUANT_BLOCK);
    printf("\nOne number that sticks out sets the scale for all 32.\n");
    compare_types(row);
}
// @end show-lesson-2
