#include "tests/ref.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *chapters = "chapters";
static const char *model = "data/tiny.gguf";

void ref_arguments(int argc, char **argv)
{
    if (argc > 1)
        chapters = argv[1];
    if (argc > 2)
        model = argv[2];
    if (argc > 3)
        cmocka_set_test_filter(argv[3]);
}

const char *ref_model(void)
{
    return model;
}

// The next word, or NULL at the end; skips comments.
static const char *next_word(FILE *file, char *word, size_t capacity)
{
    int c = fgetc(file);
    for (bool comment = false; c != EOF; c = fgetc(file)) {
        if (c == '#' || c == '\n')
            comment = c == '#';
        else if (c != ' ' && !comment)
            break;
    }
    size_t n = 0;
    while (c != EOF && c != ' ' && c != '\n' && n + 1 < capacity) {
        word[n++] = (char)c;
        c = fgetc(file);
    }
    ungetc(c, file);
    word[n] = '\0';
    return n > 0 ? word : NULL;
}

// "name 2 3\n", then the values.
static void read_array(FILE *file, ref_array *array)
{
    char word[64];
    int c;
    array->n = 1;
    while ((c = fgetc(file)) == ' ') {
        assert_non_null(next_word(file, word, sizeof word));
        assert_true(array->n_dims < 4);
        int dim = atoi(word);
        assert_true(dim > 0 && dim < 1 << 24);
        array->dims[array->n_dims++] = dim;
        array->n *= (size_t)dim;
    }
    assert_int_equal(c, '\n');
    array->values = calloc(array->n, sizeof *array->values);
    assert_non_null(array->values);
    for (size_t i = 0; i < array->n; i++) {
        char *end = word;
        if (next_word(file, word, sizeof word))
            array->values[i] = strtod(word, &end);
        if (end == word || *end != '\0')
            fail_msg("%s: value %zu of %zu is no number", array->name, i,
                     array->n);
    }
}

ref_file ref_read(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", chapters, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s: missing; run from the root, or make reference", path);
    ref_file out = {0};
    char word[64];
    while (next_word(file, word, sizeof word)) {
        out.arrays = realloc(out.arrays,
                             (out.n_arrays + 1) * sizeof *out.arrays);
        assert_non_null(out.arrays);
        ref_array *array = &out.arrays[out.n_arrays++];
        memset(array, 0, sizeof *array);
        snprintf(array->name, sizeof array->name, "%s", word);
        read_array(file, array);
    }
    fclose(file);
    return out;
}

void ref_free(ref_file *file)
{
    for (size_t i = 0; i < file->n_arrays; i++)
        free(file->arrays[i].values);
    free(file->arrays);
    memset(file, 0, sizeof *file);
}

const ref_array *ref_find(const ref_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_arrays; i++)
        if (strcmp(file->arrays[i].name, name) == 0)
            return &file->arrays[i];
    fail_msg("no reference values called %s", name);
    return NULL;
}

float *ref_floats(const ref_file *file, const char *name)
{
    const ref_array *array = ref_find(file, name);
    float *out = calloc(array->n, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < array->n; i++)
        out[i] = (float)array->values[i];
    return out;
}

int ref_int(const ref_file *file, const char *name)
{
    return (int)ref_find(file, name)->values[0];
}

void ref_compare(const char *label, const float *got, const ref_array *want,
                 double limit)
{
    ref_compare_values(label, got, want->values, want->n, limit);
}

void ref_compare_values(const char *label, const float *got,
                        const double *want, size_t n, double limit)
{
    double worst = 0, largest = 0;
    bool pass = true;
    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)got[i] - want[i]);
        if (difference > worst)
            worst = difference;
        pass = pass && !isnan(difference);
        if (fabs(want[i]) > largest)
            largest = fabs(want[i]);
    }
    if (largest > 0)
        worst /= largest;
    pass = pass && worst <= limit;
    printf("  %-44s %10.2e %8.0e  %s\n", label, worst, limit,
           pass ? "pass" : "FAIL");
    fflush(stdout);
    if (!pass)
        fail_msg("%s: difference %.3g, limit %.3g", label, worst, limit);
}

void ref_random(uint64_t seed, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        seed += 0x9E3779B97F4A7C15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        out[i] = (float)((double)(z >> 32) / 2147483648.0 - 1.0);
    }
}
