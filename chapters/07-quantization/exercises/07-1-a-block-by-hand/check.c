#include <math.h>
#include <stddef.h>

#include "common/quant.h"
#include "tools/exercise.h"

enum { AT = 3, HALF = 16 };

static q4_0_block encode(const float *x, float *back)
{
    q4_0_block block;
    quant_encode(DTYPE_Q4_0, x, &block, QUANT_BLOCK, NULL);
    quant_decode(DTYPE_Q4_0, &block, back, QUANT_BLOCK, NULL);
    return block;
}

static void ask_four_bits(float *x, float step, float sign)
{
    float back[QUANT_BLOCK];
    int away = (int)exercise_pick(2, 6);
    x[0] = 8 * step * sign;
    x[HALF] = -x[0];
    x[AT] = ((float)away + 0.25f) * step * sign;
    x[AT + HALF] = -2 * step * sign;
    q4_0_block block = encode(x, back);
    exercise_number("scale", (double)f16_to_f32(block.scale), 1e-3,
                    "A block of Q4_0: number 0 is %g, number %d is %g, "
                    "number %d is %g, number %d is %g, all others are 0. "
                    "What is its scale?", (double)x[0], AT, (double)x[AT],
                    HALF, (double)x[HALF], AT + HALF, (double)x[AT + HALF]);
    exercise_whole("code", quant_nibble(block.nibbles, AT), "What is the "
                   "code of number %d?", AT);
    exercise_whole("zero", quant_nibble(block.nibbles, 1), "And the code of "
                   "a number that is 0?");
    exercise_whole("byte", block.nibbles[AT], "What stands in byte %d of the "
                   "16 bytes of codes?", AT);
    exercise_number("back", (double)back[AT], 1e-3, "What does number %d "
                    "come back as?", AT);
    exercise_number("clipped", (double)back[HALF], 1e-3, "And number %d?",
                    HALF);
    exercise_number("error", (double)fabsf(x[HALF] - back[HALF]), 1e-3,
                    "What is the largest error of the block?");
}

int main(int argc, char **argv)
{
    float x[QUANT_BLOCK] = {0}, back[QUANT_BLOCK];
    q8_0_block bytes;
    exercise_sheet(argc, argv);
    float step = (float)exercise_pick(1, 6) / 4;
    float sign = exercise_pick(0, 1) == 1 ? 1 : -1;
    ask_four_bits(x, step, sign);

    quant_encode(DTYPE_Q8_0, x, &bytes, QUANT_BLOCK, NULL);
    exercise_whole("eight", bytes.code[HALF], "The same block in Q8_0. What "
                   "is the code of number %d?", HALF);
    exercise_number("half", 0.5 * (double)f16_to_f32(bytes.scale), 1e-2,
                    "How large can an error of this block be at most in "
                    "Q8_0? (Two digits are enough.)");
    for (int i = 0; i < QUANT_BLOCK; i++)
        x[i] = 3 * step;
    encode(x, back);
    exercise_number("flat", (double)fabsf(x[0] - back[0]), 1e-3, "Another "
                    "block has %g in all 32 places. What is its largest "
                    "error in Q4_0?", (double)x[0]);
    exercise_number("bits", 8.0 * sizeof(q4_0_block) / QUANT_BLOCK, 1e-3,
                    "How many bits does a number of Q4_0 take, all told?");
    return exercise_end();
}
