// The softmax, and attention over the cache, against float64.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/attention.h"
#include "common/kernels.h"
#include "common/kv_cache.h"
#include "tests/ref.h"

// A score is a sum of head_dim products, its error is multiplied by nothing
// when it is exponentiated: a few units of 6e-8.
static const double LIMIT = 1e-5;

typedef struct {
    int n_heads, n_kv_heads, head_dim, n_past, n;
    float *q, *k, *v, *out;     // [rows, heads, head_dim]
    kv_cache cache;
    void *memory;
} attention_case;

static float *random_floats(uint64_t seed, size_t n)
{
    float *out = calloc(n, sizeof *out);
    assert_non_null(out);
    ref_random(seed, out, n);
    return out;
}

static void fill_cache(attention_case *c, dtype type)
{
    size_t bytes = 0;
    lll_error err;
    int total = c->n_past + c->n;
    assert_int_equal(kv_cache_bytes(type, 1, c->n_kv_heads, c->head_dim,
                                    total, &bytes, &err), LLL_OK);
    c->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(c->memory);
    kv_cache_init(&c->cache, type, 1, c->n_kv_heads, c->head_dim, total,
                  kv_encode_plain, c->memory);
    for (int i = 0; i < total; i++)
        for (int h = 0; h < c->n_kv_heads; h++) {
            size_t at = (size_t)(i * c->n_kv_heads + h)
                      * (size_t)c->head_dim;
            kv_cache_store(&c->cache, 0, h, i, c->k + at, c->v + at);
        }
    c->cache.length = total;
}

static attention_case read_case(const ref_file *file, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "%s.shape", name);
    const double *shape = ref_find(file, text)->values;
    snprintf(text, sizeof text, "%s.seed", name);
    uint64_t seed = 10 * (uint64_t)ref_int(file, text);
    attention_case c = {(int)shape[0], (int)shape[1], (int)shape[2],
                        (int)shape[3], (int)shape[4], NULL, NULL, NULL,
                        NULL, {0}, NULL};
    size_t row = (size_t)(c.n_kv_heads * c.head_dim);
    size_t n_q = (size_t)(c.n * c.n_heads * c.head_dim);
    c.q = random_floats(seed, n_q);
    c.k = random_floats(seed + 1, (size_t)(c.n_past + c.n) * row);
    c.v = random_floats(seed + 2, (size_t)(c.n_past + c.n) * row);
    c.out = calloc(n_q, sizeof *c.out);
    assert_non_null(c.out);
    for (size_t i = 0; i < n_q; i++)
        c.q[i] *= (float)shape[5] / sqrtf((float)c.head_dim);
    fill_cache(&c, shape[6] != 0 ? DTYPE_F16 : DTYPE_F32);
    return c;
}

static void free_case(attention_case *c)
{
    free(c->q), free(c->k), free(c->v), free(c->out), free(c->memory);
}

// One query of one head: span after span up to its own position.
static void attend_row(const attention_case *c, int row, int head,
                       void (*attend)(const attend_span *), float *scratch,
                       float *partial)
{
    int kv_head = head / (c->n_heads / c->n_kv_heads);
    size_t at = (size_t)(row * c->n_heads + head) * (size_t)c->head_dim;
    const char *keys = kv_cache_keys(&c->cache, 0, kv_head);
    const char *values = kv_cache_values(&c->cache, 0, kv_head);
    attend_state state = {-INFINITY, 0.0f, c->out + at};
    int end = c->n_past + row + 1;
    for (int i = 0; i < end; i += ATTENTION_SPAN) {
        float maximum, total;
        int n = end - i < ATTENTION_SPAN ? end - i : ATTENTION_SPAN;
        size_t skip = (size_t)i * c->cache.row_bytes;
        attend_span span = {
            .q = c->q + at, .n_rows = 1, .head_dim = c->head_dim,
            .type = c->cache.type, .keys = keys + skip,
            .values = values + skip, .row_bytes = c->cache.row_bytes,
            .n_positions = n, .scratch = scratch, .maximum = &maximum,
            .total = &total, .out = partial};
        attend(&span);
        attend_merge(&state, maximum, total, partial, c->head_dim);
    }
    attend_finish(&state, c->head_dim);
}

static void run_case(const attention_case *c,
                     void (*attend)(const attend_span *))
{
    size_t n_scratch = attention_scratch(c->head_dim);
    float *scratch = aligned_alloc(64, (n_scratch * 4 + 63) / 64 * 64);
    float *partial = aligned_alloc(64, (size_t)c->head_dim * 4 / 64 * 64
                                       + 64);
    assert_true(scratch && partial);
    memset(c->out, 0, (size_t)(c->n * c->n_heads * c->head_dim)
                      * sizeof *c->out);
    for (int row = 0; row < c->n; row++)
        for (int head = 0; head < c->n_heads; head++)
            attend_row(c, row, head, attend, scratch, partial);
    free(scratch), free(partial);
}

static const char *const CASES[] = {
    "every_head_its_own", "groups_of_three", "one_for_all", "odd_head_dim",
    "many_spans", "span_border", "large_scores", "half_precision"};
enum { N_CASES = sizeof CASES / sizeof *CASES };

static void attention_against_reference(void **state)
{
    (void)state;
    ref_file file = ref_read("06-attention/expected/attention.ref");
    for (size_t i = 0; i < N_CASES; i++) {
        char name[64], label[80];
        attention_case c = read_case(&file, CASES[i]);
        snprintf(name, sizeof name, "%s.out", CASES[i]);
        snprintf(label, sizeof label, "attention, %s", CASES[i]);
        run_case(&c, attend_span_scalar);
        ref_compare(label, c.out, ref_find(&file, name),
                    LIMIT);
        free_case(&c);
    }
    ref_free(&file);
}

// Whatever kernels this machine has, they give the taught version's bits.
static void kernels_give_the_same_bits(void **state)
{
    (void)state;
    const kernels *fastest = NULL;
    lll_error err;
    assert_int_equal(kernels_select(NULL, &fastest, &err), LLL_OK);
    ref_file file = ref_read("06-attention/expected/attention.ref");
    for (size_t i = 0; i < N_CASES; i++) {
        attention_case c = read_case(&file, CASES[i]);
        size_t bytes = (size_t)(c.n * c.n_heads * c.head_dim) * 4;
        run_case(&c, attend_span_scalar);
        float *scalar = malloc(bytes);
        assert_non_null(scalar);
        memcpy(scalar, c.out, bytes);
        run_case(&c, fastest->attend);
        assert_memory_equal(c.out, scalar, bytes);
        free(scalar);
        free_case(&c);
    }
    ref_free(&file);
}

static void softmax_against_reference(void **state)
{
    static const char *const cases[] = {"pencil", "one", "equal",
                                        "far_apart", "large", "many"};
    (void)state;
    ref_file file = ref_read("06-attention/expected/softmax.ref");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[64], label[80];
        snprintf(name, sizeof name, "%s.x", cases[i]);
        float *x = ref_floats(&file, name);
        snprintf(name, sizeof name, "%s.out", cases[i]);
        const ref_array *want = ref_find(&file, name);
        softmax(x, (int)want->n);
        snprintf(label, sizeof label, "softmax, %s", cases[i]);
        ref_compare(label, x, want, LIMIT);
        free(x);
    }
    ref_free(&file);
}

// attention.h: within 2 units of the last place, relative.
static void exponential_is_exact_enough(void **state)
{
    (void)state;
    double worst = 0;
    for (int i = -86999; i < 88000; i++) {
        float x = (float)i * 0.001f;
        double want = exp((double)x);
        double difference = fabs((double)exp_f32(x) - want) / want;
        if (!(difference <= worst))
            worst = difference;
    }
    printf("  %-44s %10.2e %8.0e  %s\n", "exp_f32, -87 to 88", worst, 2.4e-7,
           worst <= 2.4e-7 ? "pass" : "FAIL");
    assert_true(worst <= 2.4e-7);
    assert_true(exp_f32(0.0f) == 1.0f);
    assert_true(exp_f32(-1000.0f) == 0.0f);
    assert_true(exp_f32(-INFINITY) == 0.0f);
    assert_true(isnan(exp_f32(NAN)));
}

static void dot_product_sums_in_the_stated_order(void **state)
{
    (void)state;
    float a[100], b[100];
    ref_random(11, a, 100);
    ref_random(12, b, 100);
    for (int n = 0; n <= 100; n++) {
        float sums[16] = {0};
        for (int i = 0; i < n; i++)
            sums[i % 16] = fmaf(a[i], b[i], sums[i % 16]);
        for (int step = 8; step >= 1; step /= 2)
            for (int j = 0; j < step; j++)
                sums[j] += sums[j + step];
        assert_true(dot_f32(a, b, n) == sums[0]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_against_reference),
        cmocka_unit_test(attention_against_reference),
        cmocka_unit_test(kernels_give_the_same_bits),
        cmocka_unit_test(exponential_is_exact_enough),
        cmocka_unit_test(dot_product_sums_in_the_stated_order),
    };
    ref_arguments(argc, argv);
    return cmocka_run_group_tests_name("attention", tests, NULL, NULL);
}
