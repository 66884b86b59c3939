#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

// Work that takes a while: how far it is, and an end in good order when
// somebody has had enough of it.
//
//     progress_begin(&p, stderr, "converting");
//     while (there is more && progress_show(&p, share))
//         ...
//     progress_end(&p);
//
// Between begin and end, SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal is
// closed) stop nothing by themselves: progress_show() reports them. Those
// that the program ignores or has blocked stay as they are, so that work in
// the background and under nohup goes on. Taught in chapter 7.

// @begin progress-type
typedef struct {
    FILE *out;
    const char *label;          // borrowed
    int percent;                // shown last; -1: nothing yet
    sigset_t watched;           // signals that end the work
    sigset_t before;            // those that were blocked
} progress;
// @end progress-type

// Call it before threads are started: they inherit what is blocked.
void progress_begin(progress *p, FILE *out, const char *label);

// Show a bar where `out` is a terminal, and say whether to go on.
// context   the progress
bool progress_show(void *context, double share);

// End the bar's line, and put the signals back as they were. One that was
// reported is used up.
void progress_end(progress *p);

#endif
