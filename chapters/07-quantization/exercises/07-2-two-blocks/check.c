#include <stdint.h>

#include "tools/exercise.h"

enum { GIVEN = 4, BLOCK = 32 };

typedef struct {
    int code[GIVEN], k[GIVEN];      // of the weights, of the activations
    double scale, minimum, x_scale;
} blocks;

static blocks pick(void)
{
    blocks b;
    for (int i = 0; i < GIVEN; i++) {
        b.code[i] = (int)exercise_pick(0, 15);
        b.k[i] = (int)exercise_pick(1, 12) * 10;
    }
    b.k[1] = -b.k[1];
    b.k[3] = -b.k[3] + 7;
    b.scale = (double)exercise_pick(1, 8) / 4;
    b.minimum = -(double)exercise_pick(2, 9);
    b.x_scale = 1 / (double)(1 << exercise_pick(1, 4));
    return b;
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    blocks b = pick();
    int rows = 64 * (int)exercise_pick(4, 24);
    int products = 0, sum = 0;
    for (int i = 0; i < GIVEN; i++) {
        products += b.code[i] * b.k[i];
        sum += b.k[i];
    }
    double first = b.scale * b.x_scale * products;
    exercise_whole("products", products, "Weights: scale %g, minimum %g, "
                   "codes %d, %d, %d, %d, and 28 more. Activations: scale "
                   "%g, codes %d, %d, %d, %d, the other 28 are 0. What is "
                   "the sum of the products of codes?", b.scale, b.minimum,
                   b.code[0], b.code[1], b.code[2], b.code[3], b.x_scale,
                   b.k[0], b.k[1], b.k[2], b.k[3]);
    exercise_whole("sum", sum, "What is the sum of the activation codes?");
    exercise_number("both", first + b.minimum * b.x_scale * sum, 1e-3,
                    "What is the product of the two blocks?");
    exercise_number("forgotten", first, 1e-3, "What is it if somebody "
                    "forgets the minimum?");
    exercise_whole("once", 1, "The weight has %d rows. How many times must "
                   "the sum of these activation codes be made?", rows);
    exercise_whole("most", BLOCK * 15 * 127, "How large can the sum of the "
                   "products of codes of a block be at most? Activation "
                   "codes go from -127 to 127.");
    exercise_choice("fits", "no", "yes, no", "Does it always fit in 16 bits "
                    "with a sign?");
    exercise_whole("bytes", INT16_MAX / (128 * 127), "Weights of Q8_0 have "
                   "codes from -128 to 127. How many products of codes can "
                   "be added up in 16 bits without fear?");
    return exercise_end();
}
