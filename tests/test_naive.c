// Attention without a cache (chapters/06-attention/naive.c) and with one
// agree. The chapter's files are included, not linked: the tests link
// common/ alone, and check_wrong.py can put a wrong naive.c in the way.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "chapters/06-attention/cached.c"
#include "chapters/06-attention/naive.c"
#include "tests/ref.h"

// Two orders of sums over at most 300 numbers.
static const double LIMIT = 1e-5;

enum { D_MODEL = 24 };

typedef struct {
    toy_layer layer;
    int n;
    float *x, *room, *out;
} toy;

static float *floats(size_t n, uint64_t seed)
{
    float *x = calloc(n, sizeof *x);
    assert_non_null(x);
    if (seed > 0)
        ref_random(seed, x, n);
    return x;
}

static toy new_toy(int n_heads, int n_kv_heads, int head_dim, int n)
{
    toy t = {.layer = {.d_model = D_MODEL, .n_heads = n_heads,
                       .n_kv_heads = n_kv_heads, .head_dim = head_dim},
             .n = n};
    size_t q = (size_t)(n_heads * head_dim) * D_MODEL;
    size_t kv = (size_t)(n_kv_heads * head_dim) * D_MODEL;
    t.layer.wq = floats(q, 1);
    t.layer.wk = floats(kv, 2);
    t.layer.wv = floats(kv, 3);
    t.x = floats((size_t)n * D_MODEL, 4);
    t.room = floats(naive_room(&t.layer, n), 0);
    t.out = floats((size_t)(n * n_heads * head_dim), 0);
    return t;
}

static void free_toy(toy *t)
{
    free(t->layer.wq);
    free(t->layer.wk);
    free(t->layer.wv);
    free(t->x);
    free(t->room);
    free(t->out);
}

// Token after token through a cache, each compared with its row of t->out.
static void compare_with_cache(const toy *t)
{
    const toy_layer *l = &t->layer;
    int width = l->n_heads * l->head_dim, kv = l->n_kv_heads * l->head_dim;
    kv_cache cache;
    size_t bytes;
    assert_int_equal(kv_cache_bytes(DTYPE_F32, 1, l->n_kv_heads, l->head_dim,
                                    t->n, &bytes, NULL), LLL_OK);
    void *memory = aligned_alloc(64, bytes);
    assert_non_null(memory);
    kv_cache_init(&cache, DTYPE_F32, 1, l->n_kv_heads, l->head_dim, t->n,
                  kv_encode_plain, memory);
    float *q = floats((size_t)width, 0), *out = floats((size_t)width, 0);
    float *k = floats((size_t)kv, 0), *v = floats((size_t)kv, 0);
    float *room = floats(attend_room(l->head_dim,
                                     l->n_heads / l->n_kv_heads), 0);
    for (int i = 0; i < t->n; i++) {
        const float *x = t->x + i * D_MODEL, *want = t->out + i * width;
        double worst = 0, largest = 0;
        project(l->wq, x, width, D_MODEL, q);
        project(l->wk, x, kv, D_MODEL, k);
        project(l->wv, x, kv, D_MODEL, v);
        for (int head = 0; head < l->n_kv_heads; head++)
            kv_cache_store(&cache, 0, head, i, k + head * l->head_dim,
                           v + head * l->head_dim);
        for (int j = 0; j < width; j++)
            q[j] /= sqrtf((float)l->head_dim);
        attend_cached(&cache, 0, q, l->n_heads, i + 1, room, out);
        for (int j = 0; j < width; j++) {
            worst = fmax(worst, fabs((double)out[j] - (double)want[j]));
            largest = fmax(largest, fabs((double)want[j]));
        }
        assert_true(worst <= LIMIT * largest);
    }
    free(memory);
    free(q), free(k), free(v), free(out), free(room);
}

static void both_agree(void **state)
{
    (void)state;
    static const int shapes[][4] = {    // heads, key-value heads, width, n
        {4, 2, 16, 40}, {1, 1, 8, 5}, {6, 2, 10, 130}, {3, 3, 4, 17},
        {8, 1, 12, 300}, {2, 1, 32, 1},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        toy t = new_toy(s[0], s[1], s[2], s[3]);
        naive_attention(&t.layer, t.x, t.n, t.room, t.out);
        compare_with_cache(&t);
        free_toy(&t);
    }
}

// The first token sees itself alone: its result is its own value.
static void the_first_token_gets_its_value(void **state)
{
    (void)state;
    toy t = new_toy(2, 1, 8, 3);
    float value[8];
    naive_attention(&t.layer, t.x, t.n, t.room, t.out);
    project(t.layer.wv, t.x, 8, D_MODEL, value);
    for (int i = 0; i < 16; i++)
        assert_true(fabsf(t.out[i] - value[i % 8]) <= 1e-6f);
    free_toy(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_agree),
        cmocka_unit_test(the_first_token_gets_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
