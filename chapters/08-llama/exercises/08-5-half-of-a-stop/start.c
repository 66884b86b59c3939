#include "chapters/08-llama/exercises/08-5-half-of-a-stop/stop.h"

size_t let_out(const char *held, size_t n_held, const char *const *stops,
               int n_stops, bool *stopped)
{
    (void)held;                 // your work begins here
    (void)stops;
    (void)n_stops;
    *stopped = false;
    return n_held;
}
