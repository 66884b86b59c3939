#include <math.h>
#include <string.h>

#include "chapters/05-rmsnorm-rope/exercises/05-5-which-pairing/pairing.h"
#include "common/dtype.h"
#include "common/rope.h"
#include "tools/exercise.h"

static const char *const names[] = {"NEITHER", "NEIGHBOURS", "HALVES",
                                    "EITHER"};

static void expect(const char *name, const float *before, const float *after,
                   const float *table, int n, pairing wanted)
{
    float copies[3][256];
    memcpy(copies[0], before, (size_t)n * sizeof(float));
    memcpy(copies[1], after, (size_t)n * sizeof(float));
    memcpy(copies[2], table, (size_t)n * sizeof(float));
    pairing got = which_pairing(before, after, table, n);
    bool same = memcmp(copies[0], before, (size_t)n * sizeof(float)) == 0
                && memcmp(copies[1], after, (size_t)n * sizeof(float)) == 0
                && memcmp(copies[2], table, (size_t)n * sizeof(float)) == 0;
    if (!same)
        exercise_case(false, name, "one of the inputs was changed");
    else
        exercise_case(got == wanted, name, "expected %s, got %s",
                      names[wanted],
                      (unsigned)got < 4 ? names[got] : "another number");
}

// A head of n numbers, turned at `position`; `turn` may be NULL.
static void make(int n, int position, float size,
                 void (*turn)(float *, const float *, int), float *before,
                 float *after, float *table)
{
    double frequencies[128];
    rope_frequencies(frequencies, n, 10000, 1, NULL);
    rope_table(table, frequencies, n, position);
    for (int i = 0; i < n; i++)
        before[i] = size * sinf(1.7f * (float)i + 0.3f);
    memcpy(after, before, (size_t)n * sizeof(float));
    if (turn != NULL)
        turn(after, table, n);
    for (int i = 0; i < n; i++) {           // as a file of halves has it
        before[i] = f16_to_f32(f32_to_f16(before[i]));
        after[i] = f16_to_f32(f32_to_f16(after[i]));
    }
}

int main(void)
{
    float before[256], after[256], table[256];
    make(64, 5, 1, rope_rotate, before, after, table);
    expect("neighbours, position 5", before, after, table, 64, NEIGHBOURS);
    make(64, 5, 1, rope_rotate_halves, before, after, table);
    expect("halves, position 5", before, after, table, 64, HALVES);
    make(64, 0, 1, rope_rotate, before, after, table);
    expect("position 0", before, after, table, 64, EITHER);
    make(64, 5, 1, NULL, before, after, table);
    expect("not turned at all", before, after, table, 64, NEITHER);
    make(2, 9, 1, rope_rotate, before, after, table);
    expect("a single pair", before, after, table, 2, EITHER);
    make(256, 100000, 1, rope_rotate_halves, before, after, table);
    expect("256 numbers, position 100000", before, after, table, 256, HALVES);
    make(64, 5, 0, rope_rotate, before, after, table);
    expect("nothing but zeros", before, after, table, 64, EITHER);
    make(64, 5, 0.001f, rope_rotate, before, after, table);
    expect("small numbers", before, after, table, 64, NEIGHBOURS);
    make(64, 5, 5000, rope_rotate_halves, before, after, table);
    expect("large numbers", before, after, table, 64, HALVES);
    make(64, 5, 1, rope_rotate, before, after, table);
    after[63] += 0.01f;
    expect("one number off", before, after, table, 64, NEITHER);
    after[63] = NAN;
    expect("one number not a number", before, after, table, 64, NEITHER);
    return exercise_end();
}
