#include <math.h>
#include <stddef.h>

#include "common/rope.h"
#include "tools/exercise.h"

int main(int argc, char **argv)
{
    const double turn = 2 * acos(-1.0);
    double frequencies[32];
    int slow = 0;
    exercise_sheet(argc, argv);
    // One pick a statement: in one expression C leaves their order open.
    int first = (int)exercise_pick(2, 9);
    int base = first * (int)exercise_pick(1, 9) * 1000;
    int pair = 2 * (int)exercise_pick(4, 13);
    int times = (int)exercise_pick(2, 8);
    rope_frequencies(frequencies, 32 * 2, base, 1, NULL);
    for (int i = 0; i < 32; i++)
        slow += 30 * frequencies[i] < turn / 20;

    exercise_number("period", turn / frequencies[pair], .02, "Run the "
                    "program with --theta %d. In how many positions does "
                    "pair %d turn once?", base, pair);
    exercise_choice("pair_0", "as before", "slower, as before, faster",
                    "How does pair 0 turn, compared with the recorded "
                    "base of 100000?");
    exercise_choice("pair_31", "faster", "slower, as before, faster",
                    "And the last pair?");
    exercise_whole("slow", slow, "How many of the 32 pairs turn by less than "
                   "a twentieth of a circle in 30 positions?");
    exercise_choice("check", "the norm", "the norm, RoPE, both, neither",
                    "What does the check at the end still find to be as "
                    "recorded?");
    exercise_number("ntk", base * pow(times, 64.0 / 62), .01, "Run it with "
                    "--theta %d --stretch %d: what NTK does is nothing but "
                    "another, larger base. Which one? (Three digits are "
                    "enough.)", base, times);
    return exercise_end();
}
