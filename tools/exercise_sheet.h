#ifndef TOOLS_EXERCISE_SHEET_H
#define TOOLS_EXERCISE_SHEET_H

#include <stdbool.h>

// Between exercise.c and exercise_sheet.c: reports answers to no question.
// False where questions or answers were printed, and nothing was checked.
bool exercise_sheet_end(void);

#endif
