#ifndef TOOLS_EXERCISE_H
#define TOOLS_EXERCISE_H

#include <stdbool.h>

// What the checks of the exercises share: a line for each case, the simple
// ones first, and a count at the end.

// "ok    NAME" or "no    NAME: why".
void exercise_case(bool ok, const char *name, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

// What main() returns: 0 when every case was right.
int exercise_end(void);

#endif
