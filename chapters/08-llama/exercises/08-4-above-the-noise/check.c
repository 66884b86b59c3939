#include <math.h>
#include <string.h>

#include "chapters/08-llama/exercises/08-4-above-the-noise/noise.h"
#include "tools/exercise.h"

enum { MOST = 50000, MARK = -7 };

static int32_t kept[MOST + 1], wanted[MOST];
static float logits[MOST], copy[MOST];

static int right_answer(const float *from, int size, double n)
{
    long double sum = 0, squares = 0, largest = -INFINITY;
    int count = 0, n_wanted = 0;
    for (int i = 0; i < size; i++)
        if (isfinite(from[i])) {
            sum += (long double)from[i];
            count++;
            largest = fmaxl(largest, (long double)from[i]);
        }
    for (int i = 0; i < size; i++)
        if (isfinite(from[i])) {
            long double off = (long double)from[i] - sum / count;
            squares += off * off;
        }
    for (int i = 0; i < size; i++)
        if (isfinite(from[i])
            && (long double)from[i]
               >= largest - (long double)n * sqrtl(squares / count))
            wanted[n_wanted++] = i;
    return n_wanted;
}

static void expect(const char *name, const float *from, int size, double n)
{
    int n_wanted = right_answer(from, size, n);
    memcpy(copy, from, (size_t)size * sizeof *from);
    for (int i = 0; i <= size; i++)
        kept[i] = MARK;
    int got = above_noise(from, size, n, kept);
    if (memcmp(copy, from, (size_t)size * sizeof *from) != 0)
        exercise_case(false, name, "the logits were changed");
    else if (got != n_wanted)
        exercise_case(false, name, "expected %d tokens, got %d", n_wanted,
                      got);
    else if (memcmp(kept, wanted, (size_t)got * sizeof *kept) != 0)
        exercise_case(false, name, "expected other tokens, or in rising "
                      "order");
    else
        exercise_case(kept[size] == MARK, name, "wrote behind the end");
}

// A heap of a width, and a few that stick out.
static void fill(float mean, float width)
{
    for (int i = 0; i < MOST; i++)
        logits[i] = mean + width * (sinf((float)i * 1.7f)
                                    + sinf((float)i * 0.37f));
    for (int i = 0; i < 6; i++)
        logits[7001 * i + 3] = mean + width * (12 - 1.5f * (float)i);
}

int main(void)
{
    expect("one token", (float[]){3}, 1, 1);
    expect("all alike", (float[]){2, 2, 2}, 3, 1);
    expect("the best of four", (float[]){0, 8, 0, 0}, 4, 1);
    expect("two of four", (float[]){0, 8, 7, 0}, 4, 1);
    expect("no deviation, ties", (float[]){1, 5, 5, 0}, 4, 0);
    expect("all below zero", (float[]){-20, -12, -20, -13, -20},
           5, 1);
    expect("many deviations", (float[]){-20, -12, -20, -13, -20}, 5, 9);
    expect("impossible ones", (float[]){-INFINITY, 4, NAN, 0, 2.4f, NAN, 0,
                                        0}, 8, 1);
    expect("nothing is possible", (float[]){NAN, -INFINITY}, 2, 1);
    fill(0, 1);
    expect("fifty thousand", logits, MOST, 2);
    fill(10000, 1);
    expect("fifty thousand, far from zero", logits, MOST, 2);
    fill(-3, 2.5f);
    expect("a wider heap", logits, MOST, 5);
    return exercise_end();
}
