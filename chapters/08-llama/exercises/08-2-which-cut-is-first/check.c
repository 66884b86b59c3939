#include <math.h>

#include "tools/exercise.h"

enum { N = 5 };

// All in whole hundredths, so that nothing depends on rounding.
static int kept_by_top_p(const int *weight, int n, int percent)
{
    int all = 0, sum = 0, kept = 0;
    for (int i = 0; i < n; i++)
        all += weight[i];
    while (kept < n && 100 * sum < percent * all)
        sum += weight[kept++];
    return kept;
}

static int drawn(const int *weight, int n, int percent)
{
    int sum = 0, i = 0;
    for (int j = 0; j < n; j++)
        sum += weight[j];
    for (int point = percent * sum; i < n - 1; i++) {
        point -= 100 * weight[i];
        if (point < 0)
            break;
    }
    return i;
}

static void ask_cuts(const int *w)
{
    int percent = 5 * (int)exercise_pick(14, 19);
    int share = 5 * (int)exercise_pick(1, 12), left = 0;
    int die = (int)exercise_pick(30, 95);
    while (left < N && w[left] >= share)
        left++;
    int kept = kept_by_top_p(w, N, percent);
    exercise_whole("top_p", kept, "Five candidates weigh 1, 0.%02d, 0.%02d, "
                   "0.%02d and 0.%02d. How many does top-p %g keep?", w[1],
                   w[2], w[3], w[4], percent / 100.0);
    exercise_whole("min_p", left, "How many does min-p %g keep?",
                   share / 100.0);
    exercise_whole("both", kept_by_top_p(w, 3, percent), "Top-k 3 comes "
                   "first, then top-p %g. How many are left?",
                   percent / 100.0);
    exercise_whole("drawn", drawn(w, kept, die) + 1, "Those that top-p %g "
                   "kept are drawn from. The die shows 0.%02d. Which comes, "
                   "1 (the best) to 5?", percent / 100.0, die);
    double squares = 0;
    for (int i = 0; i < kept; i++)
        squares += (double)w[i] * w[i];
    exercise_number("cold", 10000 / squares, .01, "With what probability "
                    "comes the best of them at temperature 1/2?");
}

int main(int argc, char **argv)
{
    int w[N] = {100};
    exercise_sheet(argc, argv);
    w[1] = (int)exercise_pick(55, 95);
    w[2] = (int)exercise_pick(25, 50);
    w[3] = (int)exercise_pick(10, 22);
    w[4] = (int)exercise_pick(2, 9);
    ask_cuts(w);
    exercise_choice("sure", "top-k", "top-k, top-p, min-p", "A model is "
                    "sure: one of 1000 candidates has 99 of 100. Which of "
                    "top-k 40, top-p 0.95 and min-p 0.05 still lets in what "
                    "is nearly impossible?");
    exercise_choice("no_idea", "top-k", "top-k, top-p, min-p", "A model has "
                    "no idea: 1000 candidates weigh the same. Which of the "
                    "three keeps the fewest?");
    exercise_whole("all_equal", 1000, "How many of those 1000 does min-p "
                   "0.05 keep?");
    return exercise_end();
}
