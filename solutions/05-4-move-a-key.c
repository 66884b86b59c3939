#include "chapters/05-rmsnorm-rope/exercises/05-4-move-a-key/move.h"
#include "common/rope.h"

// Turning by one angle and then by another is turning by their sum: what is
// missing is the angle of the distance, whatever the position was.
void move_key(float *head, const double *frequencies, int rope_dim, int by)
{
    float table[256];
    rope_table(table, frequencies, rope_dim, by);
    rope_rotate(head, table, rope_dim);
}
