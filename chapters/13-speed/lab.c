// What all experiments share: limits, clocks, the check, the table.
#include "chapters/13-speed/lab.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/machine.h"
#include "common/peak.h"
#include "common/probe.h"
#include "common/size.h"

// @begin lab-measure
static lll_status measure(lab *l, lll_error *err)
{
    memory_speed memory;
    arithmetic_speed peak;
    size_t block = probe_block_bytes(machine_read_memory().available,
                                     machine_cache_bytes());
    if (block == 0)
        return lll_fail(err, LLL_ERR_MEMORY, "measuring this machine: found "
                        "too little free memory, expected twice its caches; "
                        "end other programs");
    lll_status status = probe_memory(block, l->n_threads, 0.1, &memory, err);
    if (status == LLL_OK)
        status = peak_measure(l->table, l->n_threads, 0.05, &peak, err);
    if (status == LLL_OK)
        l->limits = (limits){fmax(memory.all_cores, memory.one_core),
                             fmax(peak.q8_all_cores, peak.q8_one_core),
                             fmax(peak.f32_all_cores, peak.f32_one_core)};
    return status;
}
// @end lab-measure

// @begin lab-open
lll_status lab_open(lab *l, const request *asked, lll_error *err)
{
    memset(l, 0, sizeof *l);
    l->asked = asked;
    l->n_threads = asked->n_threads > 0 ? (int)asked->n_threads
                                        : machine_cores();
    size_t own = threads_bytes(1), all = threads_bytes(l->n_threads);
    lll_status status = kernels_select(asked->isa, &l->table, err);
    if (status == LLL_OK)
        status = arena_init(&l->memory, own + all + 2 * ARENA_ALIGNMENT, err);
    if (status == LLL_OK)
        status = threads_start(&l->alone, 1, arena_take(&l->memory, own),
                               err);
    if (status == LLL_OK)
        status = threads_start(&l->team, l->n_threads,
                               arena_take(&l->memory, all), err);
    if (status == LLL_OK)
        status = measure(l, err);
    if (status != LLL_OK)
        lab_close(l);
    return status;
}

void lab_close(lab *l)
{
    threads_stop(l->team);
    threads_stop(l->alone);
    arena_free(&l->memory);
    memset(l, 0, sizeof *l);
}
// @end lab-open

// @begin lab-take
lll_status lab_take(arena *memory, const size_t *bytes, void **at, int n,
                    lll_error *err)
{
    size_t all = 0;
    for (int i = 0; i < n; i++)
        all = size_plus(all, arena_round(bytes[i]));
    lll_status status = arena_init(memory, all, err);
    for (int i = 0; i < n && status == LLL_OK; i++)
        at[i] = arena_take(memory, bytes[i]);
    return status;
}
// @end lab-take

// @begin lab-time
float lab_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

// Seconds of the best pass: whatever else runs can only make one slower.
static double best_seconds(const experiment *e, const version *v,
                           double seconds)
{
    double start = machine_seconds(), best = INFINITY;
    for (int pass = 0; pass < 2 || machine_seconds() - start < seconds;
         pass++) {
        double begin = machine_seconds();
        e->run(e->context, v);
        best = fmin(best, machine_seconds() - begin);
    }
    return best;
}

// Root mean square of what `out` is away from `first`, over that of `first`.
static double distance(const experiment *e)
{
    double away = 0, all = 0;
    for (int i = 0; i < e->n_out; i++) {
        double d = (double)e->out[i] - (double)e->first[i];
        away += d * d;
        all += (double)e->first[i] * (double)e->first[i];
    }
    return sqrt(away / all);
}
// @end lab-time

// @begin lab-least
// The roofline: nothing is faster than reading everything once, or than
// multiplying everything at the peak.
static double least_seconds(const lab *l, const experiment *e)
{
    return fmax(e->bytes / l->limits.memory, e->multiply_adds / e->peak);
}
// @end lab-least

// @begin lab-row
// `away` is below zero where nothing was compared.
static void show_row(lab *l, const version *v, const experiment *e,
                     double seconds, double away)
{
    const struct { const char *name; double value; } numbers[] = {
        {"seconds", seconds}, {"bytes_per_second", e->bytes / seconds},
        {"multiply_adds_per_second", e->multiply_adds / seconds},
        {"limit_share", least_seconds(l, e) / seconds},
    };
    if (l->json == NULL) {
        printf("%-21s %9.3f ms %8.3f GB/s %8.2f G/s %5.1f %%", v->name,
               1e3 * numbers[0].value, numbers[1].value / 1e9,
               numbers[2].value / 1e9, 100 * numbers[3].value);
        if (away >= 0)
            printf(" %8.1e", away);
        putchar('\n');
        return;
    }
    json_out_object(l->json);
    json_out_key(l->json, "version");
    json_out_text(l->json, v->name);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_out_key(l->json, numbers[i].name);
        json_out_f64(l->json, numbers[i].value);
    }
    json_out_key(l->json, "difference");
    if (away >= 0)
        json_out_f64(l->json, away);
    else
        json_out_null(l->json);
    json_out_end(l->json);
}
// @end lab-row

// @begin lab-show-limits
// Only here does JSON begin: what is refused before has printed nothing.
static void begin_json(lab *l)
{
    const struct { const char *name; double value; } rows[] = {
        {"memory_bytes_per_second", l->limits.memory},
        {"q8_multiply_adds_per_second", l->limits.q8},
        {"f32_multiply_adds_per_second", l->limits.f32},
    };
    json_out_begin(l->json, stdout);
    json_out_object(l->json);
    json_out_key(l->json, "isa");
    json_out_text(l->json, l->table->name);
    json_out_key(l->json, "threads");
    json_out_u64(l->json, (uint64_t)l->n_threads);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_out_key(l->json, rows[i].name);
        json_out_f64(l->json, rows[i].value);
    }
}

lll_status lab_show_limits(lab *l, lll_error *err)
{
    (void)err;
    if (l->json != NULL)
        begin_json(l);
    else
        printf("%s, %d thread%s: reads %.1f GB/s from memory; %.0f G "
               "multiply-adds/s of\ncodes, %.0f G of floats\n",
               l->table->name, l->n_threads, l->n_threads == 1 ? "" : "s",
               l->limits.memory / 1e9, l->limits.q8 / 1e9,
               l->limits.f32 / 1e9);
    return LLL_OK;
}
// @end lab-show-limits

// @begin lab-versions
lll_status lab_versions(lab *l, const version *versions, int n,
                        const experiment *e, lll_error *err)
{
    lll_status status = LLL_OK;
    if (l->json != NULL) {
        begin_json(l);
        json_out_key(l->json, "versions");
        json_out_array(l->json);
    }
    int start = l->asked->best ? n - 1 : 0;
    for (int i = start; i < n && status == LLL_OK; i++) {
        // Each writes all of it, or is found out.
        for (int k = 0; k < e->n_out; k++)
            e->out[k] = NAN;
        double seconds = best_seconds(e, &versions[i], l->asked->seconds);
        if (i == 0)
            memcpy(e->first, e->out, (size_t)e->n_out * sizeof *e->out);
        double away = start == 0 ? distance(e) : -1;
        if (!(away <= e->allowed))
            status = lll_fail(err, LLL_ERR_IO, "\"%s\": found numbers that "
                              "are %.2g away from those of \"%s\", expected "
                              "%.2g at most", versions[i].name, away,
                              versions[start].name, e->allowed);
        else
            show_row(l, &versions[i], e, seconds, away);
    }
    if (l->json != NULL)
        json_out_end(l->json);
    return status;
}
// @end lab-versions
