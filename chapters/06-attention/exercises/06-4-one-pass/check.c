#include <math.h>
#include <stddef.h>

#include "chapters/06-attention/exercises/06-4-one-pass/stream.h"
#include "tools/exercise.h"

typedef struct {
    const float *scores, *values;
    size_t n, at;
    int after_end;              // calls after the end was reported
} pairs;

static bool next(void *stream, float *score, float *value)
{
    pairs *p = stream;
    if (p->at == p->n) {
        p->after_end++;
        return false;
    }
    *score = p->scores[p->at];
    *value = p->values[p->at];
    p->at++;
    return true;
}

// In double and with all scores at hand.
static double expected(const float *scores, const float *values, size_t n)
{
    double largest = -INFINITY, total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, (double)scores[i]);
    for (size_t i = 0; i < n; i++) {
        double weight = exp((double)scores[i] - largest);
        total += weight;
        sum += weight * (double)values[i];
    }
    return n > 0 ? sum / total : 0;
}

static void expect(const char *name, const float *scores,
                   const float *values, size_t n)
{
    pairs p = {scores, values, n, 0, 0};
    double wanted = expected(scores, values, n);
    float got = stream_average(next, &p);
    double limit = 1e-5 * fmax(1, fabs(wanted));
    if (p.at < n)
        exercise_case(false, name, "read %zu of %zu pairs", p.at, n);
    else
        exercise_case(fabs((double)got - wanted) <= limit, name,
                      "expected %.6g, got %.6g", wanted, (double)got);
}

int main(void)
{
    enum { MANY = 5000 };
    static float scores[MANY], values[MANY];
    expect("one pair", (float[]){3}, (float[]){7}, 1);
    expect("equal scores", (float[]){1, 1}, (float[]){4, 8}, 2);
    expect("2, 4, 3", (float[]){2, 4, 3}, (float[]){10, 20, 30}, 3);
    expect("falling scores", (float[]){3, 2, 1}, (float[]){1, 2, 3}, 3);
    expect("rising scores", (float[]){1, 2, 3}, (float[]){1, 2, 3}, 3);
    expect("scores near 1000", (float[]){1000, 1002, 1001},
           (float[]){1, 2, 3}, 3);
    expect("scores near -1000", (float[]){-1000, -1002, -1001},
           (float[]){1, 2, 3}, 3);
    expect("a jump from -500 to 500", (float[]){-500, 500, 499},
           (float[]){9, 2, 4}, 3);
    expect("no pair at all", NULL, NULL, 0);
    expect("hidden positions first", (float[]){-INFINITY, -INFINITY, 1, 2},
           (float[]){5, 6, 7, 8}, 4);
    expect("hidden positions last", (float[]){1, 2, -INFINITY},
           (float[]){7, 8, 5}, 3);
    for (int i = 0; i < MANY; i++) {
        scores[i] = 20 * sinf(0.37f * (float)i);
        values[i] = cosf(0.11f * (float)i);
    }
    expect("five thousand pairs", scores, values, MANY);
    return exercise_end();
}
