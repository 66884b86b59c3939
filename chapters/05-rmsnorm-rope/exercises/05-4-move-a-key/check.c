#include <math.h>
#include <stdio.h>
#include <string.h>

#include "chapters/05-rmsnorm-rope/exercises/05-4-move-a-key/move.h"
#include "common/rope.h"
#include "tools/exercise.h"

enum { MOST = 256 };

static void make(float *head, const double *frequencies, int width,
                 int rope_dim, int position)
{
    float table[MOST];
    for (int i = 0; i < width; i++)
        head[i] = sinf(1.7f * (float)i + 0.3f);
    rope_table(table, frequencies, rope_dim, position);
    rope_rotate(head, table, rope_dim);
}

static void expect(const char *name, int width, int rope_dim, int from,
                   int to)
{
    double frequencies[MOST / 2], copy[MOST / 2];
    float moved[MOST], wanted[MOST], worst = 0;
    rope_frequencies(frequencies, rope_dim, 10000, 1, NULL);
    memcpy(copy, frequencies, sizeof copy[0] * (size_t)rope_dim / 2);
    make(moved, frequencies, width, rope_dim, from);
    make(wanted, frequencies, width, rope_dim, to);
    move_key(moved, frequencies, rope_dim, to - from);
    int at = 0;
    for (int i = 0; i < width; i++)
        if (!(fabsf(moved[i] - wanted[i]) <= worst)) {
            worst = fabsf(moved[i] - wanted[i]);
            at = i;
        }
    if (memcmp(copy, frequencies, sizeof copy[0] * (size_t)rope_dim / 2) != 0)
        exercise_case(false, name, "the frequencies were changed");
    else
        exercise_case(worst <= 1e-6f, name, "number %d is off by %.2g", at,
                      (double)worst);
}

static float largest_error(const float *a, const float *b, int n)
{
    float worst = 0;
    for (int i = 0; i < n; i++)
        if (!(fabsf(a[i] - b[i]) <= worst))
            worst = fabsf(a[i] - b[i]);
    return worst;
}

// What the prediction was about: a thousand moves, and one.
static void compare_moves(void)
{
    double frequencies[32];
    float wanted[64], once[64], often[64];
    char name[80];
    rope_frequencies(frequencies, 64, 10000, 1, NULL);
    make(wanted, frequencies, 64, 64, 1010);
    make(once, frequencies, 64, 64, 10);
    memcpy(often, once, sizeof often);
    move_key(once, frequencies, 64, 1000);
    for (int i = 0; i < 1000; i++)
        move_key(often, frequencies, 64, 1);
    float one = largest_error(once, wanted, 64);
    float many = largest_error(often, wanted, 64);
    snprintf(name, sizeof name, "a thousand moves by one: %.0f times the "
             "error of one move", (double)(many / one));
    exercise_case(many <= 1e-4f, name, "off by %.2g", (double)many);
}

int main(void)
{
    expect("not moved at all", 64, 64, 5, 5);
    expect("one pair, one position on", 2, 2, 0, 1);
    expect("one position on", 64, 64, 7, 8);
    expect("a hundred back", 64, 64, 450, 350);
    expect("back to position 0", 64, 64, 3000, 0);
    expect("half of the head turns", 64, 32, 9, 20);
    expect("256 numbers, far on", 256, 256, 17, 100000);
    expect("256 numbers, far back", 256, 256, 131071, 4);
    compare_moves();
    return exercise_end();
}
