// A product of stored weights with rows of activations, version by version.
#include "chapters/13-speed/lab.h"

#include <stdio.h>
#include <string.h>

#include "common/machine.h"
#include "common/matmul.h"
#include "common/plan.h"
#include "common/quant.h"
#include "common/quant_encode.h"
#include "common/size.h"

// @begin matmul-versions
static const version versions[] = {
    {.name = "plain loop, floats"},
    {.name = "codes", .engine = true},
    {.name = "vectors, a row of x", .engine = true, .vectors = true},
    {.name = "all rows of x", .engine = true, .vectors = true,
     .together = true},
    {.name = "all threads", .engine = true, .vectors = true, .together = true,
     .threads = true},
};
enum { N_VERSIONS = sizeof versions / sizeof versions[0] };
// @end matmul-versions

// @begin matmul-work
typedef struct {
    lab *l;
    dtype type;
    int rows, columns, tokens;
    size_t row_bytes;
    unsigned char *stored;      // [rows, columns], as a file has them
    float *decoded;             // the same as floats, for the plain loop
    float *x, *out, *first;     // [tokens, columns], [tokens, rows] twice
    void *quantized;            // activations_bytes()
    unsigned char *scratch;     // [threads, scratch_bytes]
    size_t scratch_bytes;
} work;

// What one would write first.
static void plain_loop(const work *w)
{
    for (int t = 0; t < w->tokens; t++)
        for (int r = 0; r < w->rows; r++) {
            const float *row = w->decoded + (size_t)r * (size_t)w->columns;
            const float *x = w->x + (size_t)t * (size_t)w->columns;
            float sum = 0.0f;
            for (int i = 0; i < w->columns; i++)
                sum += row[i] * x[i];
            w->out[(size_t)t * (size_t)w->rows + (size_t)r] = sum;
        }
}
// @end matmul-work

// @begin matmul-versions-run
static void run_version(void *context, const version *v)
{
    const work *w = context;
    if (!v->engine) {
        plain_loop(w);
        return;
    }
    matmul m = {
        .kernels = v->vectors ? w->l->table : &kernels_scalar,
        .team = v->threads ? w->l->team : w->l->alone,
        .mode = MATMUL_Q8, .scratch = w->scratch,
        .scratch_bytes = w->scratch_bytes
    };
    int step = v->together ? w->tokens : 1;
    for (int t = 0; t < w->tokens; t += step) {
        activations x;
        activations_set(&x, &m, w->x + (size_t)t * (size_t)w->columns, step,
                        w->columns, w->quantized);
        matmul_job job = {w->type, w->stored, w->rows, w->columns,
                          w->out + (size_t)t * (size_t)w->rows};
        matmul_run(&m, &x, &job, 1);
    }
}
// @end matmul-versions-run

// @begin matmul-fill
// The first rows are drawn, and the others repeat them: to be read they must
// be there, not be different.
static lll_status fill(work *w, lll_error *err)
{
    enum { DRAWN = 64 };
    uint32_t state = 1;
    size_t n = (size_t)w->columns;
    for (size_t i = 0; i < (size_t)w->tokens * n; i++)
        w->x[i] = lab_number(&state);
    for (size_t r = 0; r < (size_t)w->rows; r++) {
        float *row = w->decoded + r * n;
        unsigned char *to = w->stored + r * w->row_bytes;
        lll_status status = LLL_OK;
        if (r >= DRAWN) {
            memcpy(row, row - DRAWN * n, n * sizeof *row);
            memcpy(to, to - DRAWN * w->row_bytes, w->row_bytes);
            continue;
        }
        for (size_t i = 0; i < n; i++)
            row[i] = lab_number(&state);
        status = quant_encode_row(w->type, row, NULL, to, n, err);
        if (status == LLL_OK)
            status = quant_decode(w->type, to, row, n, err);
        if (status != LLL_OK)
            return status;
    }
    return LLL_OK;
}
// @end matmul-fill

// @begin matmul-rows
// Where nobody said how many rows: twice what the caches hold, because a
// weight that fits in one would be read from there. But its floats may take
// a quarter of the free memory at most.
static lll_status choose_rows(work *w, lll_error *err)
{
    enum { LEAST = 32768, MOST = 1 << 20 };
    const uint64_t row[] = {1, (uint64_t)w->columns};
    uint64_t available = machine_read_memory().available, rows, most = MOST;
    size_t numbers, bytes;
    lll_status status = tensor_size(w->type, row, 2, SIZE_MAX, &numbers,
                                    &bytes, err);
    if (status != LLL_OK || w->rows > 0)
        return status;
    if (available > 0)
        most = available / 4 / (numbers * sizeof(float));
    rows = 2 * machine_cache_bytes() / bytes;
    rows = rows < LEAST ? LEAST : rows;
    rows = rows < most ? rows : most;
    w->rows = rows < 1 ? 1 : rows < MOST ? (int)rows : (int)MOST;
    return LLL_OK;
}
// @end matmul-rows

// @begin matmul-prepare
// Sizes first, then one block of memory for everything.
static lll_status prepare(work *w, arena *memory, lll_error *err)
{
    const uint64_t shape[] = {(uint64_t)w->rows, (uint64_t)w->columns};
    size_t numbers, bytes, threads = (size_t)w->l->n_threads;
    lll_status status = tensor_size(w->type, shape, 2, SIZE_MAX, &numbers,
                                    &bytes, err);
    if (status != LLL_OK)
        return status;
    size_t in = size_times(size_times((size_t)w->tokens, 4), shape[1]);
    size_t out = size_times(size_times((size_t)w->tokens, 4), shape[0]);
    size_t quantized = plan_activations(w->tokens, w->columns);
    w->scratch_bytes = plan_matmul_scratch(w->columns);
    size_t pieces[] = {bytes, size_times(numbers, 4), in, out, out, quantized,
                       size_times(threads, w->scratch_bytes)};
    void *at[7];
    status = lab_take(memory, pieces, at, 7, err);
    if (status != LLL_OK)
        return status;
    w->row_bytes = bytes / shape[0];
    w->stored = at[0], w->decoded = at[1], w->x = at[2];
    w->out = at[3], w->first = at[4];
    w->quantized = at[5], w->scratch = at[6];
    return LLL_OK;
}
// @end matmul-prepare

// @begin matmul-type
static lll_status read_type(const request *asked, dtype *type,
                            lll_error *err)
{
    if (asked->type_name != NULL && !dtype_by_name(asked->type_name, type))
        return lll_fail(err, LLL_ERR_USAGE, "--type %s: expected Q4_0, Q8_0, "
                        "F16 or another", asked->type_name);
    return LLL_OK;
}
// @end matmul-type

// @begin matmul-lab
lll_status lab_matmul(lab *l, lll_error *err)
{
    arena memory = {0};
    work w = {
        .l = l, .type = DTYPE_Q4_0, .rows = (int)l->asked->rows,
        .columns = (int)l->asked->columns, .tokens = (int)l->asked->tokens
    };
    lll_status status = read_type(l->asked, &w.type, err);
    if (status == LLL_OK)
        status = choose_rows(&w, err);
    if (status == LLL_OK)
        status = prepare(&w, &memory, err);
    if (status == LLL_OK)
        status = fill(&w, err);
    double numbers = (double)w.rows * w.columns;
    bool codes = quant_is_blocked(w.type) && w.columns % QUANT_BLOCK == 0;
    version named[N_VERSIONS];
    memcpy(named, versions, sizeof named);
    if (!codes)
        named[1].name = "the engine, plain C";
    experiment e = {
        &w, run_version, w.out, w.first, w.rows * w.tokens,
        (double)w.rows * (double)w.row_bytes, numbers * w.tokens,
        codes ? l->limits.q8 : l->limits.f32,
        // Eight bits for a number of x are half a percent of its row.
        codes ? 0.02 : 1e-4
    };
    if (status == LLL_OK && l->json == NULL)
        printf("%s, %d rows of %d, %d row%s of x\n", dtype_name(w.type),
               w.rows, w.columns, w.tokens, w.tokens == 1 ? "" : "s");
    if (status == LLL_OK)
        status = lab_versions(l, named, N_VERSIONS, &e, err);
    arena_free(&memory);
    return status;
}
// @end matmul-lab
