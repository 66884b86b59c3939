#include <math.h>
#include <stddef.h>

#include "common/norm.h"
#include "common/rope.h"
#include "tools/exercise.h"

static const float ones[4] = {1, 1, 1, 1};

static void ask_norm(void)
{
    int a = (int)exercise_pick(2, 9), w = (int)exercise_pick(2, 5);
    int times = (int)exercise_pick(2, 9) * 100;
    int giant = (int)exercise_pick(5, 20) * 100;
    float x[4] = {(float)(3 * a), (float)(-4 * a), 0, 0}, out[4];
    float weights[4] = {(float)w, 1, 1, 1};
    exercise_number("size", 2.5 * a, 1e-3, "What is the size (root mean "
                    "square) of the vector %d, %d, 0, 0?", 3 * a, -4 * a);
    rmsnorm(out, x, weights, 4, 1e-9f);
    exercise_number("first", (double)out[0], 1e-3, "What does RMSNorm make "
                    "of its first channel if that channel's weight is %d? "
                    "(Without epsilon, as in all of these.)", w);
    for (int i = 0; i < 4; i++)
        x[i] *= (float)times;
    rmsnorm(out, x, ones, 4, 1e-9f);
    exercise_number("second", (double)out[1], 1e-3, "The whole vector is "
                    "multiplied by %d. With weights 1, what does RMSNorm "
                    "make of its second channel now?", times);
    rmsnorm(out, out, ones, 4, 1e-9f);
    exercise_number("twice", (double)out[1], 1e-3, "And if that result is "
                    "normalised once more, again with weights 1?");
    float loud[4] = {1, 1, 1, (float)giant};
    rmsnorm(out, loud, ones, 4, 1e-9f);
    // Two digits of 0.00105 are up to 5 % away from it.
    exercise_number("quiet", (double)out[0], .05, "One channel is a giant: "
                    "1, 1, 1, %d. What is left of the first channel? (Two "
                    "digits are enough.)", giant);
}

static void ask_rope(void)
{
    const double turn = 2 * acos(-1.0);
    int degrees = 15 * (int)exercise_pick(1, 4);
    int n = (int)exercise_pick(1, 9), distance = (int)exercise_pick(1, 5);
    int further = (int)exercise_pick(3, 50), k = (int)exercise_pick(2, 9);
    exercise_number("product", cos(turn * distance * degrees / 360), .02,
                    "A query and a key are the same arrow of length 1 and "
                    "turn by %d degrees for each position. What is their "
                    "product with the query at %d and the key at %d?",
                    degrees, n + distance, n);
    exercise_choice("moved", "stays", "shrinks, stays, grows",
                    "Both move %d positions on. What happens to their "
                    "product?", further);
    double frequencies[2];
    rope_frequencies(frequencies, 4, 100.0 * k * k, 1, NULL);
    exercise_number("turn", turn / frequencies[1], .01, "A head of 4 numbers "
                    "with base %d has two pairs. In how many positions does "
                    "the second go round once?", 100 * k * k);
    exercise_choice("first_pair", "no", "yes, no", "Would the first pair "
                    "turn at another speed if the base were larger?");
}

// What no example of the text answers with other numbers.
static void ask_further(void)
{
    const double turn = 2 * acos(-1.0);
    int c = (int)exercise_pick(1, 5);
    int x = 2 * (int)exercise_pick(2, 4), y = 2 * (int)exercise_pick(1, 4);
    int behind = 5 * (int)exercise_pick(2, 5);
    double thirty = turn / 12, alpha = turn * behind / 360;
    double square = c * c * 1e-6;
    exercise_number("epsilon", c * 1e-3 / sqrt(square + 1e-5), .01,
                    "Now with an epsilon of 0.00001: all channels of a very "
                    "quiet vector are 0.00%d. Without epsilon RMSNorm would "
                    "make each of them 1. What does it make with it?", c);
    exercise_number("turned_x", x * cos(thirty) - y * sin(thirty), .02,
                    "The pair %d, %d is turned by 30 degrees. What is its "
                    "first number now?", x, y);
    exercise_number("turned_y", x * sin(thirty) + y * cos(thirty), .02,
                    "And its second?");
    exercise_number("before", cos(alpha + 2 * thirty), .05, "Query and key "
                    "are arrows of length 1, and before they are turned the "
                    "key points %d degrees behind the query. They turn by 30 "
                    "degrees for each position. What is their product if the "
                    "key stands two positions before the query?", behind);
    exercise_number("after", cos(alpha - 2 * thirty), .02, "And if it stands "
                    "two positions after the query?");
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    ask_norm();
    ask_rope();
    ask_further();
    return exercise_end();
}
