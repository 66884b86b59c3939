#include "tools/exercise.h"

#include <stdarg.h>
#include <stdio.h>

static int n_cases, n_wrong;

void exercise_case(bool ok, const char *name, const char *why, ...)
{
    n_cases++;
    printf("%s    %s", ok ? "ok" : "no", name);
    if (!ok) {
        va_list args;
        n_wrong++;
        fputs(": ", stdout);
        va_start(args, why);
        vprintf(why, args);
        va_end(args);
    }
    putchar('\n');
    fflush(stdout);             // the next case may crash
}

int exercise_end(void)
{
    if (n_wrong == 0)
        printf("all %d cases are right\n", n_cases);
    else
        printf("%d of %d cases are not right yet\n", n_wrong, n_cases);
    return n_wrong != 0;
}
