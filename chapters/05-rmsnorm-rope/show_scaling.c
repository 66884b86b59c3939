#include <math.h>

#include "chapters/05-rmsnorm-rope/scaling.h"
#include "chapters/05-rmsnorm-rope/show.h"
#include "common/terminal.h"

enum { STRIP = 32, ROWS = 8 };

// @begin scaling-of
// What is asked of every method. The factors go to work[], which has room for
// a head, and nobody else needs it by then.
static scaling scaling_of(const material *m)
{
    return (scaling){.rope_dim = m->recorded.rope_dim,
                     .frequencies = m->frequencies,
                     .context = m->context, .stretch = m->stretch};
}
// @end scaling-of

// @begin show-strips
static void show_strips(const material *m, const scaling *s, FILE *out,
                        bool color)
{
    int n_pairs = s->rope_dim / 2;
    int step = (n_pairs + STRIP - 1) / STRIP;
    for (int method = 0; method < SCALING_METHODS; method++) {
        fprintf(out, "  %-8s|", scaling_methods[method].name);
        scaling_methods[method].factors(m->work, s);
        for (int i = 0; i < n_pairs; i += step)
            terminal_cell(out, color, s->stretch > 1
                          ? ((double)m->work[i] - 1) / (s->stretch - 1) : 0);
        fprintf(out, "|\n");
    }
}
// @end show-strips

// @begin show-periods
static void show_periods(const material *m, const scaling *s, FILE *out)
{
    const double turn = 2 * acos(-1.0);
    int n_pairs = s->rope_dim / 2;
    int step = (n_pairs + ROWS - 1) / ROWS;
    fprintf(out, "\n pair  turns in training  one turn in");
    for (int method = 0; method < SCALING_METHODS; method++)
        fprintf(out, " %8s", scaling_methods[method].name);
    for (int i = 0; i < n_pairs; i += step) {
        double period = turn / s->frequencies[i];
        fprintf(out, "\n %4d  %17.2f  %11.*f", i, s->context / period,
                period < 100 ? 1 : 0, period);
        for (int method = 0; method < SCALING_METHODS; method++) {
            scaling_methods[method].factors(m->work, s);
            double slower = period * (double)m->work[i];
            fprintf(out, " %8.*f", slower < 100 ? 1 : 0, slower);
        }
    }
    fprintf(out, "\n %-36s", "scores times");
    for (int method = 0; method < SCALING_METHODS; method++)
        fprintf(out, " %8.3f", scaling_methods[method].score_factor(s));
    fputc('\n', out);
}
// @end show-periods

// @begin show-scaling
void show_scaling(const material *m, FILE *out, bool color)
{
    scaling s = scaling_of(m);
    fprintf(out, "\nReading %g times as far as in training (%.0f positions): "
            "which pairs turn\nslower, the first at the left (empty: as "
            "before, full: %g times)\n\n", s.stretch, s.context, s.stretch);
    show_strips(m, &s, out, color);
    show_periods(m, &s, out);
}

void json_scaling(const material *m, json_out *json)
{
    scaling s = scaling_of(m);
    json_out_key(json, "scaling");
    json_out_object(json);
    for (int method = 0; method < SCALING_METHODS; method++) {
        scaling_methods[method].factors(m->work, &s);
        json_out_key(json, scaling_methods[method].name);
        json_out_object(json);
        json_out_key(json, "factors");
        json_out_array(json);
        for (int i = 0; i < s.rope_dim / 2; i++)
            json_out_f32(json, m->work[i]);
        json_out_end(json);
        json_out_key(json, "score_factor");
        json_out_f64(json, scaling_methods[method].score_factor(&s));
        json_out_end(json);
    }
    json_out_end(json);
}
// @end show-scaling
