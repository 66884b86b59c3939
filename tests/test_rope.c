// RoPE against float64.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/rope.h"
#include "tests/ref.h"

// A rotation is two products and a sum; the angle is computed in double.
static const double LIMIT = 1e-5;

typedef struct {
    int head_dim, rope_dim, n_positions;
    double frequencies[64];
    const ref_array *positions;
    float *x;
} rope_case;

static const ref_array *find(const ref_file *file, const char *name,
                             const char *part)
{
    char text[64];
    snprintf(text, sizeof text, "%s.%s", name, part);
    return ref_find(file, text);
}

static rope_case read_case(const ref_file *file, const char *name)
{
    rope_case c = {0};
    char text[64];
    const ref_array *shape = find(file, name, "shape");
    c.head_dim = (int)shape->values[0];
    c.rope_dim = (int)shape->values[1];
    assert_true(c.rope_dim <= 128);
    c.positions = find(file, name, "positions");
    c.n_positions = (int)c.positions->n;
    snprintf(text, sizeof text, "%s.x", name);
    c.x = ref_floats(file, text);
    float *factors = NULL;
    if (strcmp(name, "llama3") == 0)
        factors = ref_floats(file, "llama3.factors");
    rope_frequencies(c.frequencies, c.rope_dim,
                     find(file, name, "theta")->values[0],
                     find(file, name, "scale")->values[0], factors);
    free(factors);
    return c;
}

static void compare_frequencies(const ref_file *file, const char *name,
                                const rope_case *c)
{
    char label[80];
    float values[64];
    for (int i = 0; i < c->rope_dim / 2; i++)
        values[i] = (float)c->frequencies[i];
    const ref_array *want = find(file, name, "frequencies");
    assert_int_equal(want->n, c->rope_dim / 2);
    snprintf(label, sizeof label, "frequencies, %s", name);
    // Relative to each, not to the largest: the slow ones matter as much.
    for (size_t i = 0; i < want->n; i++)
        assert_true(fabs(values[i] - want->values[i])
                    <= 1e-6 * want->values[i]);
    ref_compare(label, values, want, LIMIT);
}

static void compare_rotation(const ref_file *file, const char *name,
                             const rope_case *c, const char *pairing)
{
    char label[80];
    size_t width = (size_t)c->head_dim;
    float *out = calloc((size_t)c->n_positions * width, sizeof *out);
    assert_non_null(out);
    for (int i = 0; i < c->n_positions; i++) {
        float table[128], *row = out + (size_t)i * width;
        memcpy(row, c->x, width * sizeof *row);
        rope_table(table, c->frequencies, c->rope_dim,
                   (int)c->positions->values[i]);
        if (strcmp(pairing, "halves") == 0)
            rope_rotate_halves(row, table, c->rope_dim);
        else
            rope_rotate(row, table, c->rope_dim);
    }
    snprintf(label, sizeof label, "rope %s, %s", pairing, name);
    ref_compare(label, out, find(file, name, pairing), LIMIT);
    free(out);
}

static void against_reference(void **state)
{
    static const char *const cases[] = {"pencil", "tiny", "smollm2",
                                        "partial", "linear", "llama3"};
    (void)state;
    ref_file file = ref_read("05-rmsnorm-rope/expected/rope.ref");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rope_case c = read_case(&file, cases[i]);
        compare_frequencies(&file, cases[i], &c);
        compare_rotation(&file, cases[i], &c, "out");
        compare_rotation(&file, cases[i], &c, "halves");
        free(c.x);
    }
    ref_free(&file);
}

// The point of RoPE: moving both by the same distance changes nothing.
static void only_the_distance_counts(void **state)
{
    (void)state;
    double frequencies[32];
    float first = 0;
    rope_frequencies(frequencies, 64, 10000.0, 1.0, NULL);
    for (int shift = 0; shift < 4000; shift += 500) {
        float q[64], k[64], table[64], sum = 0;
        ref_random(7, q, 64);
        ref_random(8, k, 64);
        rope_table(table, frequencies, 64, 12 + shift);
        rope_rotate(q, table, 64);
        rope_table(table, frequencies, 64, 5 + shift);
        rope_rotate(k, table, 64);
        for (int i = 0; i < 64; i++)
            sum += q[i] * k[i];
        if (shift == 0)
            first = sum;
        assert_true(fabsf(sum - first) < 1e-5f * 64);
    }
}

static void position_zero_changes_nothing(void **state)
{
    (void)state;
    double frequencies[8];
    float x[16], y[16], table[16];
    rope_frequencies(frequencies, 16, 10000.0, 1.0, NULL);
    rope_table(table, frequencies, 16, 0);
    ref_random(9, x, 16);
    memcpy(y, x, sizeof y);
    rope_rotate(y, table, 16);
    rope_rotate_halves(y, table, 16);
    assert_memory_equal(x, y, sizeof x);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_reference),
        cmocka_unit_test(only_the_distance_counts),
        cmocka_unit_test(position_zero_changes_nothing),
    };
    ref_arguments(argc, argv);
    return cmocka_run_group_tests_name("rope", tests, NULL, NULL);
}
