#include <stdint.h>

#include "tools/exercise.h"

// What an int holds after the product, without overflowing one.
static int64_t int_says(int64_t a, int64_t b)
{
    uint32_t product = (uint32_t)a * (uint32_t)b;
    return product <= INT32_MAX ? (int64_t)product
                                : (int64_t)product - 4294967296;
}

static const char *sign(int64_t n)
{
    return n == 0 ? "zero" : n < 0 ? "negative" : "positive";
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    int k = (int)exercise_pick(14, 18);
    int64_t a = (int64_t)1 << k;
    int64_t b = (int64_t)1 << (exercise_pick(32, 34) - k);
    exercise_whole("powers", int_says(a, b),
                   "How many numbers are in a tensor [%lld, %lld], as an int "
                   "counts them?", (long long)a, (long long)b);

    int64_t m = 2 * exercise_pick(33, 62) + 1;
    exercise_whole("mixed", int_says(m << 8, 131072),
                   "And in [%lld, 131072]?", (long long)(m << 8));

    int64_t odd = 2 * exercise_pick(12501, 29999) + 1;
    exercise_choice("sign", sign(int_says(odd, 65536)),
                    "zero, negative, positive",
                    "Is an int's count of [%lld, 65536] zero, negative or "
                    "positive?", (long long)odd);

    int64_t d = 2 * exercise_pick(1, 4) + 1;
    int64_t rest = d - 4294967296 % d + d * exercise_pick(0, 3);
    int64_t likely = (4294967296 + rest) / d;
    exercise_whole("likely", int_says(d, likely),
                   "How many numbers does an int find in [%lld, %lld]?",
                   (long long)d, (long long)likely);
    exercise_choice("dangerous", "likely", "powers, mixed, likely",
                    "Which of those three passes a program that refuses "
                    "counts below 1?");

    int64_t row = (int64_t)1 << exercise_pick(9, 16);
    exercise_whole("rows", INT32_MAX / row,
                   "How many rows of %lld numbers can an int count at most?",
                   (long long)row);
    return exercise_end();
}
