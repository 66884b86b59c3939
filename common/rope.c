#include "common/rope.h"

#include <math.h>
#include <stddef.h>

// @begin rope-frequencies
void rope_frequencies(double *frequencies, int rope_dim, double theta,
                      double scale, const float *factors)
{
    for (int i = 0; i < rope_dim / 2; i++) {
        double factor = factors != NULL ? (double)factors[i] : 1.0;
        frequencies[i] = pow(theta, -2.0 * i / rope_dim) / scale / factor;
    }
}
// @end rope-frequencies

// @begin rope-table
void rope_table(float *table, const double *frequencies, int rope_dim,
                int position)
{
    for (int i = 0; i < rope_dim / 2; i++) {
        // In double: at position 100000 a float angle has a spacing of
        // 0.0078, and the cosine would be wrong in its third digit.
        double angle = position * frequencies[i];
        table[2 * i] = (float)cos(angle);
        table[2 * i + 1] = (float)sin(angle);
    }
}
// @end rope-table

// @begin rope-rotate
void rope_rotate(float *head, const float *table, int rope_dim)
{
    for (int i = 0; i < rope_dim; i += 2) {
        float c = table[i], s = table[i + 1];
        float x = head[i], y = head[i + 1];
        head[i] = x * c - y * s;
        head[i + 1] = x * s + y * c;
    }
}
// @end rope-rotate

// @begin rope-rotate-halves
void rope_rotate_halves(float *head, const float *table, int rope_dim)
{
    int half = rope_dim / 2;
    for (int i = 0; i < half; i++) {
        float c = table[2 * i], s = table[2 * i + 1];
        float x = head[i], y = head[i + half];
        head[i] = x * c - y * s;
        head[i + half] = x * s + y * c;
    }
}
// @end rope-rotate-halves
