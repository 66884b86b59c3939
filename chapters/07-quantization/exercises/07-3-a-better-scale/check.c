#include <math.h>
#include <stddef.h>
#include <string.h>

#include "chapters/07-quantization/exercises/07-3-a-better-scale/best.h"
#include "tools/exercise.h"

static double squares(const float *values, const q4_0_block *block)
{
    float back[QUANT_BLOCK];
    double sum = 0;
    quant_decode(DTYPE_Q4_0, block, back, QUANT_BLOCK, NULL);
    for (int i = 0; i < QUANT_BLOCK; i++)
        sum += ((double)values[i] - (double)back[i])
               * ((double)values[i] - (double)back[i]);
    return sum;
}

// The least error that a divisor from 7.0 to 9.0 leaves.
static double least(const float *values)
{
    double best = INFINITY;
    float farthest = 0;
    for (int i = 0; i < QUANT_BLOCK; i++)
        if (fabsf(values[i]) > fabsf(farthest))
            farthest = values[i];
    for (int tenth = 70; tenth <= 90; tenth++) {
        float scale = -farthest * 10 / (float)tenth;
        float held = f16_to_f32(f32_to_f16(scale));
        double sum = 0;
        for (int i = 0; i < QUANT_BLOCK; i++) {
            float code = floorf(values[i] / scale + 8.5f);
            double back = (double)held
                          * (double)(fminf(fmaxf(code, 0), 15) - 8);
            sum += ((double)values[i] - back) * ((double)values[i] - back);
        }
        best = fmin(best, sum);
    }
    return best;
}

static void expect(const char *name, const float *values)
{
    float copy[QUANT_BLOCK];
    struct { q4_0_block block; uint8_t mark; } at = {.mark = 42};
    memcpy(copy, values, sizeof copy);
    encode_best(values, &at.block);
    double wanted = least(values), got = squares(values, &at.block);
    if (memcmp(copy, values, sizeof copy) != 0)
        exercise_case(false, name, "the values were changed");
    else if (at.mark != 42)
        exercise_case(false, name, "wrote behind the block");
    else
        exercise_case(got <= 1.001 * wanted + 1e-12, name, "the squared "
                      "errors add up to %.4g, %.4g can be had", got, wanted);
}

// Out of a normal distribution, more or less; block after block.
static void fill(float *values, float size, int which)
{
    for (int i = 0; i < QUANT_BLOCK; i++) {
        values[i] = 0;
        for (int j = 1; j <= 6; j++)
            values[i] += size * sinf((float)(which * 977 + i * 37 + 11)
                                     * (float)(j * j) * 0.61f);
    }
}

int main(void)
{
    float values[QUANT_BLOCK] = {0};
    q4_0_block zero;
    encode_best(values, &zero);
    exercise_case(squares(values, &zero) <= 0, "nothing but zeros",
                  "they do not come back as zeros");
    for (int i = 0; i < QUANT_BLOCK; i++)
        values[i] = -1.5f;
    expect("all the same", values);
    for (int i = 0; i < QUANT_BLOCK; i++)
        values[i] = i % 2 == 0 ? 1 : -1;
    expect("as far up as down", values);
    fill(values, 1, 0);
    expect("a row of a weight", values);
    for (int i = 0; i < QUANT_BLOCK; i++)
        values[i] = -values[i];
    expect("its mirror image", values);
    fill(values, 1e-3f, 1);
    expect("small numbers", values);
    fill(values, 1, 2);
    values[31] = 12;
    expect("one giant", values);
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"a third row", "a fourth",
                                            "a fifth", "a sixth"};
        fill(values, 0.02f, 3 + i);
        expect(names[i], values);
    }
    return exercise_end();
}
