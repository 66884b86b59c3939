#include "chapters/08-llama/exercises/08-5-half-of-a-stop/stop.h"

#include <string.h>

size_t let_out(const char *held, size_t n_held, const char *const *stops,
               int n_stops, bool *stopped)
{
    // From the front: what is found first is the earliest whole stop text;
    // before anything is let out, that search must have come to the end.
    size_t safe = n_held;
    *stopped = false;
    for (size_t at = 0; at < n_held; at++)
        for (int i = 0; i < n_stops; i++) {
            size_t left = n_held - at, length = strlen(stops[i]);
            size_t common = length < left ? length : left;
            if (length == 0 || memcmp(held + at, stops[i], common) != 0)
                continue;
            if (length <= left) {
                *stopped = true;
                return at;
            }
            if (at < safe)
                safe = at;
        }
    return safe;
}
