#include "chapters/05-rmsnorm-rope/show.h"

#include <math.h>
#include <string.h>

#include "common/norm.h"
#include "common/rope.h"
#include "common/terminal.h"

enum { CELLS = 36, LINES = 4, N_LARGEST = 5, CELL_MAPS = 3 };

// @begin show-strip
// A vector as LINES x CELLS cells: each the largest |x| of a few channels.
static void show_strip(const char *label, const float *x, int n, FILE *out,
                       bool color)
{
    int per_cell = (n + LINES * CELLS - 1) / (LINES * CELLS);
    float largest = 0;
    for (int i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    fprintf(out, "  %s, a full cell is %.4g\n", label, (double)largest);
    for (int cell = 0; cell < LINES * CELLS; cell++) {
        float here = 0;
        for (int i = cell * per_cell; i < (cell + 1) * per_cell && i < n; i++)
            here = fmaxf(here, fabsf(x[i]));
        if (cell % CELLS == 0)
            fputs("   |", out);
        terminal_cell(out, color, largest > 0 ? here / largest : 0);
        if (cell % CELLS == CELLS - 1)
            fputs("|\n", out);
    }
}
// @end show-strip

// @begin show-largest
// The channel that comes after `last` when they are in order, the largest |x|
// first and of equals the first; last is -1 to begin with, the result -1 at
// the end.
static int next_largest(const float *x, int n, int last)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        bool comes = last < 0 || fabsf(x[i]) < fabsf(x[last])
                     || (i > last && fabsf(x[i]) <= fabsf(x[last]));
        if (comes && (best < 0 || fabsf(x[i]) > fabsf(x[best])))
            best = i;
    }
    return best;
}

static void show_largest(const float *x, const float *weight,
                         const float *after, int n, double size, FILE *out)
{
    fputs("  channel      before    / size  x weight   = after\n", out);
    int c = -1;
    for (int i = 0; i < N_LARGEST; i++) {
        c = next_largest(x, n, c);
        if (c < 0)
            break;
        fprintf(out, "  %7d  %10.3f  %8.3f  %8.4f  %8.4f\n", c, (double)x[c],
                (double)x[c] / size, (double)weight[c], (double)after[c]);
    }
}
// @end show-largest

// @begin show-norm
static const float *row_of(const trace_rows *rows, int row)
{
    return rows->values + (size_t)row * (size_t)rows->n_columns;
}

static double root_mean_square(const float *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum / n);
}

void show_norm(const material *m, FILE *out, bool color)
{
    const float *x = row_of(&m->input, m->token);
    int n = m->input.n_columns;
    gguf_string token = m->recorded.tokens[m->token];
    rmsnorm(m->work, x, m->weight.values, n, m->recorded.norm_eps);

    fprintf(out, "RMSNorm at layer %d, token %d, \"", m->layer, m->token);
    terminal_text(out, token.bytes, token.n_bytes);
    double size = root_mean_square(x, n), size_after;
    size_after = root_mean_square(m->work, n);
    fprintf(out, "\": size %.3f before, %.3f after\n\n", size, size_after);
    show_strip("before", x, n, out, color);
    show_strip("weight", m->weight.values, n, out, color);
    show_strip("after", m->work, n, out, color);
    fputc('\n', out);
    show_largest(x, m->weight.values, m->work, n, size, out);
}
// @end show-norm

// @begin show-angles
// One line for each pair, one cell for each position: the cosine of the
// angle, full at 1 (not turned), empty at -1 (turned half way round).
void show_angles(const material *m, int n_positions, FILE *out, bool color)
{
    const double turn = 2 * acos(-1.0);
    int n_pairs = m->recorded.rope_dim / 2;
    int step = (n_pairs + 15) / 16;
    int shown = n_positions < 30 ? n_positions : 30;
    fprintf(out, "\nRoPE, base %g: how far each pair is turned at positions "
            "0, %d, ... %d\n", m->theta, m->stride, (shown - 1) * m->stride);
    fputs("(a full cell: not turned; an empty one: turned half way)\n\n"
          " pair  one turn in\n", out);
    for (int i = 0; i < n_pairs; i += step) {
        double period = turn / m->frequencies[i];
        fprintf(out, " %4d  %9.*f  ", i, period < 100 ? 1 : 0, period);
        for (int p = 0; p < shown; p++)
            terminal_cell(out, color, (cos(p * m->stride
                                           * m->frequencies[i]) + 1) / 2);
        fputc('\n', out);
    }
}
// @end show-angles

// @begin score
double score(const material *m, int m_position, int n_position,
             rotate_function *turn_q, rotate_function *turn_k)
{
    const trace *t = &m->recorded;
    size_t n = (size_t)t->head_dim;
    size_t q_head = (size_t)m->head;
    size_t k_head = (size_t)(m->head / (t->n_heads / t->n_kv_heads));
    float *q = m->work, *k = m->work + n;
    memcpy(q, row_of(&m->q, m->query) + q_head * n, n * sizeof *q);
    memcpy(k, row_of(&m->k, m->key) + k_head * n, n * sizeof *k);

    rope_table(m->table, m->frequencies, t->rope_dim, m_position);
    turn_q(q, m->table, t->rope_dim);
    rope_table(m->table, m->frequencies, t->rope_dim, n_position);
    turn_k(k, m->table, t->rope_dim);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)q[i] * (double)k[i];
    return sum / sqrt((double)n);
}
// @end score

// @begin score-ways
// The three ways to turn a query and a key.
static const struct {
    const char *title;
    rotate_function *turn_q, *turn_k;
} ways[CELL_MAPS] = {
    {"both in neighbours", rope_rotate, rope_rotate},
    {"both in halves", rope_rotate_halves, rope_rotate_halves},
    {"query one, key the other", rope_rotate, rope_rotate_halves},
};
// @end score-ways

// @begin score-range
static void find_range(const material *m, int n, int way, double *low,
                       double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int i = 0; i < n * n; i++) {
        double s = score(m, i / n, i % n, ways[way].turn_q, ways[way].turn_k);
        *low = fmin(*low, s);
        *high = fmax(*high, s);
    }
}
// @end score-range

// @begin show-scores
void show_scores(const material *m, int n_positions, FILE *out, bool color)
{
    int n = n_positions < 12 ? n_positions : 12;
    double low[CELL_MAPS], high[CELL_MAPS];
    fprintf(out, "\nOne query (head %d, token %d) and one key (token %d), "
            "carried to position m\n(down) and n (across): the score, from "
            "lowest (empty) to highest (full)\n\n", m->head, m->query,
            m->key);
    fputs("   ", out);
    for (int way = 0; way < CELL_MAPS; way++) {
        find_range(m, n, way, &low[way], &high[way]);
        fprintf(out, " %-*.*s", way < 2 ? 2 * n : 0, 2 * n,
                ways[way].title);
    }
    // @end show-scores
    // @begin show-score-rows
    for (int row = 0; row < n; row++) {
        fprintf(out, "\n%3d", row);
        for (int way = 0; way < CELL_MAPS; way++) {
            fputc(' ', out);
            for (int column = 0; column < n; column++) {
                double s = score(m, row, column, ways[way].turn_q,
                                 ways[way].turn_k);
                double range = high[way] - low[way];
                terminal_cell(out, color,
                              range > 0 ? (s - low[way]) / range : 0);
            }
        }
    }
    // @end show-score-rows
    // @begin show-scores-2
    fputs("\n   ", out);
    for (int way = 0; way < CELL_MAPS; way++) {
        char range[32];
        snprintf(range, sizeof range, "%.2f to %.2f", low[way], high[way]);
        fprintf(out, " %-*.*s", way < 2 ? 2 * n : 0, 2 * n, range);
    }
    fputc('\n', out);
}
// @end show-scores-2
