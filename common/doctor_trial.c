#include "common/doctor_trial.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/rope.h"
#include "common/size.h"

// @begin doctor-reorder
static size_t row_bytes(const linear *l)
{
    const dtype_info *info = dtype_find((uint32_t)l->type);
    return (size_t)(l->n_inputs / info->block_size)
           * (size_t)info->block_bytes;
}

// The rows of one matrix as they would be if its halves were neighbours: row
// i of the first half of a head goes to 2i, of the second to 2i + 1.
static linear reordered(const linear *from, const model_config *c,
                        float *bias, unsigned char *weight)
{
    linear to = *from;
    size_t head = (size_t)c->head_dim, half = (size_t)c->rope_dim / 2;
    size_t bytes = row_bytes(from);
    for (size_t i = 0; i < (size_t)from->n_outputs; i++) {
        size_t in_head = i % head, source = i;
        if (in_head < 2 * half)
            source = i - in_head + in_head / 2 + in_head % 2 * half;
        memcpy(weight + i * bytes,
               (const unsigned char *)from->weight + source * bytes, bytes);
        if (from->bias != NULL)
            bias[i] = from->bias[source];
    }
    to.weight = weight;
    to.bias = from->bias != NULL ? bias : NULL;
    return to;
}
// @end doctor-reorder

// @begin doctor-reorder-2
// A bias and its matrix, and what follows aligned as both want it.
static size_t copy_bytes(const linear *l)
{
    size_t n = (size_t)l->n_outputs * (sizeof(float) + row_bytes(l));
    return (n + 15) / 16 * 16;
}

// The file is mapped for reading, so the rows are copied: as many bytes as
// the matrices have there.
static lll_status make_others(doctor_trials *t, const llama *m,
                              lll_error *err)
{
    const model_config *c = &m->config;
    const layer_weights *layers = m->weights.layers;
    size_t bytes = 0;
    for (int i = 0; i < c->n_layers; i++)
        bytes = size_plus(bytes, copy_bytes(&layers[i].q)
                                 + copy_bytes(&layers[i].k));
    t->others = calloc((size_t)c->n_layers * 2, sizeof *t->others);
    unsigned char *rows = t->rows = malloc(bytes);
    if (t->others == NULL || rows == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for %zu bytes of "
                        "queries and keys in another order", bytes);
    for (int i = 0; i < 2 * c->n_layers; i++) {
        const layer_weights *w = &layers[i / 2];
        const linear *from = i % 2 == 0 ? &w->q : &w->k;
        float *bias = (float *)(void *)rows;
        t->others[i] = reordered(from, c, bias, (unsigned char *)
                                 (bias + from->n_outputs));
        rows += copy_bytes(from);
    }
    return LLL_OK;
}
// @end doctor-reorder-2

// @begin doctor-exchange
static void swap_linears(linear *a, linear *b)
{
    linear held = *a;
    *a = *b;
    *b = held;
}

void doctor_exchange(doctor_trials *t, doctor_trial *trial, llama *m)
{
    model_config *c = &m->config;
    double *own = trial->check == DOCTOR_BASE ? &c->rope_theta
                                              : &c->norm_eps;
    bool number = trial->check == DOCTOR_BASE
                  || trial->check == DOCTOR_EPSILON;
    double held = *own;
    if (number) {
        *own = trial->value;
        trial->value = held;
    }
    if (trial->check == DOCTOR_BASE)
        rope_frequencies(m->frequencies, c->rope_dim, c->rope_theta,
                         c->rope_scale, m->weights.rope_factors);
    for (int i = 0; i < c->n_layers && !number; i++) {
        layer_weights *w = &m->weights.layers[i];
        if (trial->check == DOCTOR_GATE) {
            swap_linears(&w->gate, &w->up);
        } else {
            swap_linears(&w->q, &t->others[2 * i]);
            swap_linears(&w->k, &t->others[2 * i + 1]);
        }
    }
}
// @end doctor-exchange

// @begin doctor-add-trial
// A file keeps both as floats.
static bool same(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

// Another value than the model's, and than those that are listed.
static void add_value(doctor_trials *t, doctor_check check, double own,
                      double value, const char *published_by)
{
    bool there = same(own, value);
    for (int i = 0; i < t->n; i++)
        there |= t->list[i].check == check && same(t->list[i].value, value);
    if (!there && t->n < DOCTOR_TRIALS)
        t->list[t->n++] = (doctor_trial){
            .check = check, .name = published_by, .value = value,
            .published = published_by != NULL};
}
// @end doctor-add-trial

// @begin doctor-trials-list
lll_status doctor_trials_list(doctor_trials *t, const llama *model,
                              lll_error *err)
{
    static const double bases[] = {1e4, 1e5, 5e5, 1e6};
    static const double epsilons[] = {1e-5, 1e-6};
    const model_config *c = &model->config;
    double base = c->rope_theta, epsilon = c->norm_eps;
    *t = (doctor_trials){.n = 2, .list = {
        {.check = DOCTOR_PAIRS, .name = "halves as pairs"},
        {.check = DOCTOR_GATE, .name = "gate and up exchanged"}}};
    for (const doctor_model *m = doctor_known(c, NULL); m != NULL;
         m = doctor_known(c, m)) {
        t->base_usual |= same(base, m->rope_theta);
        t->epsilon_usual |= same(epsilon, m->norm_eps);
        add_value(t, DOCTOR_BASE, base, m->rope_theta, m->name);
        add_value(t, DOCTOR_EPSILON, epsilon, m->norm_eps, m->name);
    }
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++)
        add_value(t, DOCTOR_BASE, base, bases[i], NULL);
    for (size_t i = 0; i < sizeof epsilons / sizeof epsilons[0]; i++) {
        t->epsilon_listed |= same(epsilon, epsilons[i]);
        add_value(t, DOCTOR_EPSILON, epsilon, epsilons[i], NULL);
    }
    return make_others(t, model, err);
}

void doctor_trials_free(doctor_trials *t)
{
    free(t->others);
    free(t->rows);
    memset(t, 0, sizeof *t);
}
// @end doctor-trials-list
