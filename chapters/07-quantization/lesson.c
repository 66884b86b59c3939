#include <math.h>
#include <stdio.h>

#include "chapters/07-quantization/verbs.h"
#include "common/quant.h"
#include "common/terminal.h"

// @begin lesson-row
// Thirty-two numbers like those of a weight: small, of both signs, and one
// that sticks out.
static void lesson_row(float *row)
{
    for (int i = 0; i < QUANT_BLOCK; i++)
        row[i] = 0.1f * sinf(1.7f * (float)(i + 1))
                 + 0.03f * cosf(0.9f * (float)(i * i));
    row[20] = -0.75f;
}

static void print_values(const float *values)
{
    for (int i = 0; i < QUANT_BLOCK; i++)
        printf("%s%8.4f", i % 8 > 0 ? "" : i > 0 ? "\n          "
                                                 : "  values  ",
               (double)values[i]);
    printf("\n");
}

static void print_fields(const q4_0_block *block)
{
    printf("  scale    %-12.6g F16 %04x\n  codes   ",
           (double)f16_to_f32(block->scale), block->scale);
    for (int i = 0; i < QUANT_BLOCK; i++)
        printf("%s%4d", i > 0 && i % 16 == 0 ? "\n          " : "",
               quant_nibble(block->nibbles, i));
    printf("\n");
}
// @end lesson-row

// @begin lesson-types
static void compare_types(const float *row)
{
    static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16,
                                  DTYPE_Q8_0, DTYPE_Q5_1, DTYPE_Q5_0,
                                  DTYPE_Q4_1, DTYPE_Q4_0};
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
// @end lesson-types

// @begin lesson
void show_lesson(void)
{
    float row[QUANT_BLOCK], back[QUANT_BLOCK];
    q4_0_block block;
    lesson_row(row);
    printf("A row of 32 numbers, 128 bytes as F32\n");
    print_values(row);
    (void)quant_encode(DTYPE_Q4_0, row, &block, QUANT_BLOCK, NULL);
    (void)quant_decode(DTYPE_Q4_0, &block, back, QUANT_BLOCK, NULL);
    printf("\nAs one block of Q4_0, 18 bytes: value = scale * (code - 8)\n");
    print_fields(&block);
    print_values(back);
    printf("\nOne number that sticks out sets the scale for all 32.\n");
    compare_types(row);
}
// @end lesson
