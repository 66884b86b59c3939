#include <math.h>

#include "common/dtype.h"
#include "tools/exercise.h"

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    // One pick a statement: C does not say which operand comes first.
    int half = (int)exercise_pick(16, 21) << 10;
    half |= (int)exercise_pick(1, 3) << 8;
    exercise_number("value", (double)f16_to_f32((uint16_t)half), 1e-9,
                    "Which number is the half 0x%04x?", (unsigned)half);

    int whole = (int)exercise_pick(9, 15);
    float number = ldexpf((float)whole, (int)exercise_pick(-4, 4));
    int bits = f32_to_f16(number);
    exercise_whole("exponent", bits >> 10,
                   "The half that is %g: what is its e, the number in its "
                   "five bits?", (double)number);
    exercise_whole("fraction", bits & 1023, "And its f?");

    int middle = 2049 + 2 * (int)exercise_pick(0, 900);
    exercise_whole("tie", (int64_t)f16_to_f32(f32_to_f16((float)middle)),
                   "Between 2048 and 4096 halves are the even numbers. Which "
                   "half does %d become?", middle);

    int k = (int)exercise_pick(-6, 9);
    exercise_number("gap", ldexp(1, k - 10), 0.05,
                    "How far is it from %g to the next larger half? Two "
                    "digits are enough; 1/1024 and 2^-10 are read, too.",
                    ldexp(1, k));

    int small = (int)exercise_pick(2, 9);
    exercise_number("subnormal", small * 0x1p-24, 0.01,
                    "Which number is the half 0x%04x? Two digits are enough: "
                    "6.0e-8 is 2^-24.", (unsigned)small);

    int large = (int)exercise_pick(65505, 65540);
    exercise_choice("large", large < 65520 ? "65504" : "infinity",
                    "65504, infinity",
                    "65504 is the largest half; if there were one more, it "
                    "would be 65536. What does %d become?", large);
    return exercise_end();
}
