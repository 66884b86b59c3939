#include <math.h>

#include "common/attention.h"
#include "tools/exercise.h"

enum { WIDTH = 4, WORDS = 3 };

// The weights of a row in which a word has `own` with itself, 0 with others.
static void weights_of(float *row, int n, double own)
{
    for (int i = 0; i < n; i++)
        row[i] = i == n - 1 ? (float)own : 0;
    softmax(row, n);
}

static void ask_triangle(void)
{
    int tenths = 5 * (int)exercise_pick(3, 7);
    double a = tenths / 10.0, own = a * a / sqrt(WIDTH);
    float row[WORDS];
    exercise_number("score", own, 1e-3, "The number of each word is %g. What "
                    "is the score of a word with itself?", a);
    weights_of(row, 1, own);
    exercise_number("alone", (double)row[0], 1e-3, "Word 0 looks. What is "
                    "the weight of word 0?");
    weights_of(row, 2, own);
    exercise_number("second", (double)row[1], 1e-2, "Word 1 looks. What is "
                    "the weight of word 1?");
    weights_of(row, 3, own);
    exercise_number("third", (double)row[2], 1e-2, "Word 2 looks. What is "
                    "the weight of word 2?");
    exercise_number("channel", a * (double)row[0], 1e-2, "What stands in "
                    "channel 0 of what word 2 receives?");
    weights_of(row, 3, a * a);
    exercise_number("undivided", (double)row[2], 1e-2, "Somebody forgets the "
                    "root. How sure of itself is word 2 now: what is its own "
                    "weight?");
}

static void ask_online(void)
{
    int first = (int)exercise_pick(1, 5);
    int step = (int)exercise_pick(1, 3);
    int third = first + (int)exercise_pick(-2, -1);
    int value = (int)exercise_pick(1, 9);
    float s[3] = {(float)first, (float)(first + step), (float)third};
    double factor = exp(-step);
    exercise_number("factor", factor, 1e-2, "The scores %d, %d, %d come one "
                    "at a time, with the values %d, %d, %d. By what are both "
                    "sums multiplied when %d has arrived?", first,
                    first + step, third, 10 * value, 20 * value, 30 * value,
                    first + step);
    exercise_number("total", factor + 1, 1e-2, "What is the sum of the "
                    "weights after two scores?");
    exercise_number("sum", 10 * value * factor + 20 * value, 1e-2, "What is "
                    "the sum of the weighted values after two?");
    softmax(s, 3);
    exercise_number("average", 10 * value * ((double)s[0] + 2 * (double)s[1]
                    + 3 * (double)s[2]), 1e-2, "And the average after all "
                    "three?");
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    ask_triangle();
    ask_online();
    return exercise_end();
}
