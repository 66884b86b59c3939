// The stream of exercise 06-4.
#include <stdbool.h>

// Puts the next score and value where they belong; false when there are no
// more, and then both are left as they were.
typedef bool next_pair(void *stream, float *score, float *value);

// sum softmax(scores)_i * value_i, and 0 for an empty stream.
float stream_average(next_pair *next, void *stream);
