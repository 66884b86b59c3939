#include "common/progress.h"

#include <unistd.h>

#include "common/terminal.h"

// @begin progress-signals
static const int enders[] = {SIGINT, SIGTERM, SIGHUP};

enum { N_ENDERS = sizeof enders / sizeof enders[0] };

// A signal that is blocked waits, and can be seen waiting: that takes no
// handler, and no variable that all the program shares.
void progress_begin(progress *p, FILE *out, const char *label)
{
    p->out = out;
    p->label = label;
    p->percent = -1;
    sigemptyset(&p->watched);
    pthread_sigmask(SIG_SETMASK, NULL, &p->before);
    for (int i = 0; i < N_ENDERS; i++) {
        struct sigaction action;
        if (sigaction(enders[i], NULL, &action) == 0
            && action.sa_handler != SIG_IGN
            && sigismember(&p->before, enders[i]) == 0)
            sigaddset(&p->watched, enders[i]);
    }
    pthread_sigmask(SIG_BLOCK, &p->watched, NULL);
}

static bool is_asked_to_end(const progress *p)
{
    sigset_t waiting;
    sigemptyset(&waiting);
    sigpending(&waiting);
    for (int i = 0; i < N_ENDERS; i++)
        if (sigismember(&p->watched, enders[i]) == 1
            && sigismember(&waiting, enders[i]) == 1)
            return true;
    return false;
}
// @end progress-signals

// @begin progress-show
bool progress_show(void *context, double share)
{
    progress *p = context;
    int percent = (int)(100 * share);
    if (percent != p->percent)
        terminal_progress(p->out, p->label, share);
    p->percent = percent;
    return !is_asked_to_end(p);
}

void progress_end(progress *p)
{
    int number;
    // What is said next has a line of its own.
    if (p->percent >= 0 && p->percent < 100 && isatty(fileno(p->out)) == 1)
        fprintf(p->out, "\n");
    while (is_asked_to_end(p) && sigwait(&p->watched, &number) == 0)
        ;
    pthread_sigmask(SIG_SETMASK, &p->before, NULL);
}
// @end progress-show
