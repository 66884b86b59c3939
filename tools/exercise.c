#include "tools/exercise.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/terminal.h"
#include "tools/exercise_sheet.h"

#ifndef EXERCISE_SECONDS
#define EXERCISE_SECONDS 10
#endif

enum { WHY_COLUMN = 36, WIDTH = 78 };

static int n_cases, n_wrong;
static bool ended;
static char last_case[64] = "the start";

// Read by the sanitizers, where there are any. A size that is too large must
// come back as NULL, as it does outside, so that an exercise can ask for it.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:hard_rss_limit_mb=2048";
}

static void say(const char *text)
{
    ssize_t written = write(STDOUT_FILENO, text, strlen(text));
    (void)written;                  // there is nobody left to tell
}

// From here on nothing of the answer can be trusted: no stdio.
static void too_long(int number)
{
    (void)number;
    say("no    stopped, still busy after ");
    say(last_case);
    say(": does a loop never end?\n");
    _exit(1);
}

static void at_exit(void)
{
    if (ended)
        return;
    say("no    stopped after ");
    say(last_case);
    say(": is there an exit() in your file?\n");
    _exit(1);
}

// Before main(), so that no check can forget it.
__attribute__((constructor)) static void set_limits(void)
{
    struct rlimit limit = {EXERCISE_SECONDS, EXERCISE_SECONDS + 5};
    struct sigaction action = {.sa_handler = too_long};
    sigaction(SIGXCPU, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    setrlimit(RLIMIT_CPU, &limit);
    alarm(6 * EXERCISE_SECONDS);    // an answer that sleeps uses no processor
    atexit(at_exit);
}

static void print_why(const char *name, const char *why)
{
    int column = 6 + (int)strlen(name);
    if (column < WHY_COLUMN && WHY_COLUMN + strlen(why) <= WIDTH)
        printf("%*s%s\n", WHY_COLUMN - column, "", why);
    else
        printf("\n          %s\n", why);
}

void exercise_case(bool ok, const char *name, const char *why, ...)
{
    n_cases++;
    terminal_paint(stdout, terminal_color(stdout), ok ? 2 : 1,
                   ok ? "ok" : "no");
    printf("    %s", name);
    if (ok) {
        putchar('\n');
    } else {
        char text[512];
        va_list args;
        n_wrong++;
        va_start(args, why);
        vsnprintf(text, sizeof text, why, args);
        va_end(args);
        print_why(name, text);
    }
    snprintf(last_case, sizeof last_case, "\"%s\"", name);
    fflush(stdout);             // the next case may crash
}

int exercise_end(void)
{
    bool checked = exercise_sheet_end();
    ended = true;
    if (!checked)
        return 0;
    if (n_wrong == 0)
        printf("all %d cases are right\n", n_cases);
    else
        printf("%d of %d cases are not right yet\n", n_wrong, n_cases);
    return n_wrong != 0;
}
