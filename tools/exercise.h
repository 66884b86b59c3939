#ifndef TOOLS_EXERCISE_H
#define TOOLS_EXERCISE_H

#include <stdbool.h>
#include <stdint.h>

// What the checks of the exercises share. A check is a program, check.c in
// the exercise's folder, of one of two kinds; book/exercises.md tells how to
// write one.
//
// It may run for ten seconds of the processor, or a minute by the clock; then
// it ends and says after which case. It may use two GiB.

// A check of code: linked with the reader's file, it calls exercise_case()
// for each case, the simple ones first. Prints "ok    NAME", or "no    NAME"
// and why, which may say what was expected.
void exercise_case(bool ok, const char *name, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

// A check of answers that are typed into a text file, a sheet. The same calls
// print the questions, check the answers and give them, so that these three
// cannot differ; which of the three is wanted stands in main's arguments:
// ask SEED, check FILE or solve SEED.
void exercise_sheet(int argc, char **argv);

// A number from lowest to highest, both included, that follows from the seed
// and from how many were picked before: the same on every machine.
int64_t exercise_pick(int64_t lowest, int64_t highest);

// A question whose answer is a whole number. `name` is a word of letters,
// digits and '_'. The reader may group digits: 4,294,967,296.
void exercise_whole(const char *name, int64_t right, const char *question,
                    ...)
    __attribute__((format(printf, 3, 4)));

// A number that may be off by `tolerance`, a share of the right one (of 1,
// where 0 is right). The reader may write 0.125, 1e-3, 1/8 or 2^-3.
void exercise_number(const char *name, double right, double tolerance,
                     const char *question, ...)
    __attribute__((format(printf, 4, 5)));

// One of several words, as in "yes, no, neither"; capitals do not matter.
void exercise_choice(const char *name, const char *right, const char *choices,
                     const char *question, ...)
    __attribute__((format(printf, 4, 5)));

// What main() returns: 0 when every case was right.
int exercise_end(void);

#endif
