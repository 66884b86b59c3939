// The question of exercise 08-5.
#include <stdbool.h>
#include <stddef.h>

// held      [n_held] bytes, not ended by a zero
// stops     [n_stops] texts; an empty one stops nothing
// *stopped  is set, to true or false
size_t let_out(const char *held, size_t n_held, const char *const *stops,
               int n_stops, bool *stopped);
