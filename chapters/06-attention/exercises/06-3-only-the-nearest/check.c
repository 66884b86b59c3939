#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chapters/06-attention/lesson.h"
#include "common/attention.h"
#include "tools/exercise.h"

enum { SEEN = 4, WIDTH = 8, MOST = 300, KV_HEADS = 2, HEADS = 6 };

static float keys[KV_HEADS][MOST][WIDTH], values[KV_HEADS][MOST][WIDTH];

// In double, with all weights at hand.
static double expected(const float *q, int kv, int n, int channel)
{
    double total = 0, sum = 0, weight[MOST] = {0};
    for (int j = n > SEEN ? n - SEEN : 0; j < n; j++) {
        double score = 0;
        for (int i = 0; i < WIDTH; i++)
            score += (double)q[i] * (double)keys[kv][j][i];
        weight[j] = exp(score);
        total += weight[j];
    }
    for (int j = 0; j < n; j++)
        if (weight[j] > 0)
            sum += weight[j] * (double)values[kv][j][channel];
    return sum / total;
}

// What is outside the window is poison: whoever reads it gets no number.
static void fill(kv_cache *cache, int n)
{
    float poison[WIDTH];
    for (int i = 0; i < WIDTH; i++)
        poison[i] = NAN;
    for (int kv = 0; kv < KV_HEADS; kv++)
        for (int j = 0; j < cache->capacity; j++) {
            bool seen = j < n && j >= n - SEEN;
            kv_cache_store(cache, 0, kv, j, seen ? keys[kv][j] : poison,
                           seen ? values[kv][j] : poison);
        }
}

static void expect(const char *name, int n, int heads)
{
    kv_cache cache;
    size_t bytes = 0;
    float q[HEADS * WIDTH], out[HEADS * WIDTH];
    int group = heads / KV_HEADS;
    kv_cache_bytes(DTYPE_F32, 1, KV_HEADS, WIDTH, n + 1, &bytes, NULL);
    void *memory = malloc(bytes);
    float *room = malloc(attend_room(WIDTH, group) * sizeof *room);
    kv_cache_init(&cache, DTYPE_F32, 1, KV_HEADS, WIDTH, n + 1,
                  kv_encode_plain, memory);
    fill(&cache, n);
    for (int i = 0; i < heads * WIDTH; i++)
        q[i] = sinf(0.7f * (float)i + (float)n);
    attend_cached(&cache, 0, q, heads, n, room, out);
    double worst = 0;
    int at = 0;
    for (int i = 0; i < heads * WIDTH; i++) {
        int head = i / WIDTH;
        double off = fabs((double)out[i] - expected(q + head * WIDTH, head
                                                    / group, n, i % WIDTH));
        if (!(off <= worst)) {
            worst = off;
            at = head;
        }
    }
    if (isnan(worst))
        exercise_case(false, name, "head %d looked outside the window", at);
    else
        exercise_case(worst <= 1e-5, name, "head %d is off by %.2g", at,
                      worst);
    free(memory);
    free(room);
}

int main(void)
{
    for (int kv = 0; kv < KV_HEADS; kv++)
        for (int j = 0; j < MOST; j++)
            for (int i = 0; i < WIDTH; i++) {
                keys[kv][j][i] = cosf(0.9f * (float)(j * WIDTH + i + kv));
                values[kv][j][i] = sinf(1.3f * (float)(j * WIDTH + i - kv));
            }
    expect("a word alone", 1, 2);
    expect("three words", 3, 2);
    expect("as many as the window", 4, 2);
    expect("one more", 5, 2);
    expect("heads that share keys", 9, HEADS);
    expect("the last of a span", 128, HEADS);
    expect("the first of the next", 129, HEADS);
    expect("a window over two spans", 130, HEADS);
    expect("only the second span", 132, HEADS);
    expect("two spans too old", 290, HEADS);
    return exercise_end();
}
