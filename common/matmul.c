#include "common/matmul.h"

#include "common/arena.h"
#include "common/plan.h"
#include "common/quant.h"

// @begin matmul-bytes
size_t matmul_scratch_bytes(int n_inputs)
{
    return plan_matmul_scratch(n_inputs);
}

size_t activations_bytes(int n_rows, int n_columns)
{
    return plan_activations(n_rows, n_columns);
}
// @end matmul-bytes

// @begin matmul-quantize
enum { QUANTIZE_ROWS = 16 };        // in one piece

typedef struct {
    const kernels *kernels;
    const activations *x;
} quantize_job;

static void quantize_piece(void *context, int piece, int worker)
{
    const quantize_job *job = context;
    const activations *x = job->x;
    int first = piece * QUANTIZE_ROWS, end = first + QUANTIZE_ROWS;
    (void)worker;
    for (int t = first; t < end && t < x->n_rows; t++)
        job->kernels->quantize(x, t);
}
// @end matmul-quantize

// @begin matmul-activations
void activations_set(activations *x, const matmul *m, const float *values,
                     int n_rows, int n_columns, void *memory)
{
    *x = (activations){.n_rows = n_rows, .n_columns = n_columns,
                       .values = values};
    if (m->mode == MATMUL_F32 || n_columns % QUANT_BLOCK != 0)
        return;
    size_t numbers = (size_t)n_rows * (size_t)n_columns;
    size_t column = arena_round(numbers / QUANT_BLOCK * sizeof(float));
    unsigned char *next = memory;
    x->codes = (int8_t *)next;
    next += arena_round(numbers);
    x->scales = (float *)(void *)next;
    x->sums = (float *)(void *)(next + column);
    x->half_sums = (int16_t *)(void *)(next + 2 * column);

    quantize_job job = {m->kernels, x};
    threads_run(m->team, quantize_piece, &job,
                (n_rows + QUANTIZE_ROWS - 1) / QUANTIZE_ROWS);
}
// @end matmul-activations

// @begin matmul-pieces
// Every thread has a share of each weight: neighbouring rows, in panels of
// KERNEL_PANEL, which it takes a few at a time. The share of one thread in
// all jobs comes before that of the next thread.
typedef struct {
    const matmul *m;
    const activations *x;
    const matmul_job *jobs;
    int n_shares;
    int n_pieces;               // in a share
} product;

// Panels before share `i` of n.
static int panels_before(const matmul_job *job, int i, int n)
{
    return (int)((int64_t)(job->n_outputs / KERNEL_PANEL) * i / n);
}

// The last share is the largest, and has the rows that fill no panel.
static int pieces_of(const matmul_job *job, int n_shares)
{
    int panels = job->n_outputs / KERNEL_PANEL
                 - panels_before(job, n_shares - 1, n_shares)
                 + (job->n_outputs % KERNEL_PANEL != 0);
    return (panels + MATMUL_PIECE_PANELS - 1) / MATMUL_PIECE_PANELS;
}

static size_t row_bytes_of(const matmul_job *job)
{
    const dtype_info *info = dtype_find((uint32_t)job->type);
    return (size_t)(job->n_inputs / info->block_size)
           * (size_t)info->block_bytes;
}
// @end matmul-pieces

// @begin matmul-piece
static void multiply_piece(void *context, int piece, int worker)
{
    const product *p = context;
    const matmul_job *job = p->jobs;
    int share = piece / p->n_pieces, n = p->n_shares;
    piece %= p->n_pieces;
    while (piece >= pieces_of(job, n))
        piece -= pieces_of(job++, n);

    int first = panels_before(job, share, n) * KERNEL_PANEL;
    int end = share + 1 == n ? job->n_outputs
            : panels_before(job, share + 1, n) * KERNEL_PANEL;
    kernel_tile tile = {
        .type = job->type, .weight = job->weight,
        .row_bytes = row_bytes_of(job), .n_inputs = job->n_inputs,
        .first_row = first, .n_rows = end - first,
        .first_panel = piece * MATMUL_PIECE_PANELS,
        .n_panels = MATMUL_PIECE_PANELS,
        .x = p->x, .out = job->out + first,
        .out_stride = (size_t)job->n_outputs,
        .scratch = p->m->scratch + (size_t)worker * p->m->scratch_bytes
    };
    if (p->x->codes != NULL && quant_is_blocked(job->type))
        p->m->kernels->tile_q8(&tile);
    else
        p->m->kernels->tile_f32(&tile);
}
// @end matmul-piece

// @begin matmul-run
void matmul_run(matmul *m, const activations *x, const matmul_job *jobs,
                int n_jobs)
{
    product p = {m, x, jobs, threads_count(m->team), 0};
    for (int i = 0; i < n_jobs; i++) {
        p.n_pieces += pieces_of(&jobs[i], p.n_shares);
        m->weight_bytes += (uint64_t)jobs[i].n_outputs
                           * row_bytes_of(&jobs[i]);
    }
    threads_run(m->team, multiply_piece, &p, p.n_shares * p.n_pieces);
}
// @end matmul-run
