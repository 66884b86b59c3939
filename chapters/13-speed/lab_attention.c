// Attention of a few query heads over one cache, version by version.
#include "chapters/13-speed/lab.h"

#include <math.h>
#include <stdio.h>

#include "common/attention.h"
#include "common/size.h"

// @begin attention-versions
static const version versions[] = {
    {.name = "plain, two passes"},
    {.name = "spans", .engine = true},
    {.name = "vectors, a head of q", .engine = true, .vectors = true},
    {.name = "heads that share keys", .engine = true, .vectors = true,
     .together = true},
    {.name = "all threads", .engine = true, .vectors = true, .together = true,
     .threads = true},
};
// As in SmolLM2: three query heads look at the same keys and values.
enum { KV_HEADS = 16, GROUP = 3, HEAD_DIM = 64 };
// @end attention-versions

// @begin attention-work
typedef struct {
    lab *l;
    int positions;
    const version *now;
    float *q, *out, *first;     // [KV_HEADS, GROUP, HEAD_DIM]
    uint16_t *keys, *values;    // [KV_HEADS, positions, HEAD_DIM]
    float *scores;              // [threads, positions]
    float *scratch;             // [threads, attention_scratch()]
} work;

// Equation 1 of the paper, as one would write it: all scores, then their
// softmax, then the mean of the values.
static void plain_head(const work *w, int kv, int head, float *scores)
{
    size_t row = (size_t)kv * (size_t)w->positions * HEAD_DIM;
    size_t at = (size_t)(kv * GROUP + head) * HEAD_DIM;
    for (int p = 0; p < w->positions; p++) {
        const uint16_t *key = w->keys + row + (size_t)p * HEAD_DIM;
        scores[p] = 0.0f;
        for (int i = 0; i < HEAD_DIM; i++)
            scores[p] += w->q[at + (size_t)i] * f16_to_f32(key[i]);
    }
    softmax(scores, w->positions);
    for (int i = 0; i < HEAD_DIM; i++)
        w->out[at + (size_t)i] = 0.0f;
    for (int p = 0; p < w->positions; p++)
        for (int i = 0; i < HEAD_DIM; i++)
            w->out[at + (size_t)i] += scores[p] * f16_to_f32(
                w->values[row + (size_t)(p * HEAD_DIM + i)]);
}
// @end attention-work

// @begin attention-spans
// n query heads over all spans of their key-value head.
static void spans(const work *w, int kv, int head, int n, float *scratch)
{
    size_t at = (size_t)(kv * GROUP + head) * HEAD_DIM;
    float maximum[GROUP], total[GROUP], part[GROUP * HEAD_DIM];
    attend_state state[GROUP];
    const kernels *table = w->now->vectors ? w->l->table : &kernels_scalar;
    for (int h = 0; h < n; h++)
        state[h] = (attend_state){-INFINITY, 0.0f,
                                  w->out + at + (size_t)h * HEAD_DIM};
    for (int p = 0; p < w->positions; p += ATTENTION_SPAN) {
        size_t row = ((size_t)kv * (size_t)w->positions + (size_t)p)
                     * HEAD_DIM;
        int left = w->positions - p;
        attend_span span = {
            .q = w->q + at, .n_rows = n, .head_dim = HEAD_DIM,
            .type = DTYPE_F16, .keys = w->keys + row,
            .values = w->values + row, .row_bytes = HEAD_DIM * 2,
            .n_positions = left < ATTENTION_SPAN ? left : ATTENTION_SPAN,
            .scratch = scratch, .maximum = maximum, .total = total,
            .out = part
        };
        table->attend(&span);
        for (int h = 0; h < n; h++)
            table->merge(&state[h], maximum[h], total[h],
                         part + h * HEAD_DIM, HEAD_DIM);
    }
    for (int h = 0; h < n; h++)
        table->finish(&state[h], HEAD_DIM);
}
// @end attention-spans

// @begin attention-run
// A piece of the job is a key-value head.
static void attend_head(void *context, int kv, int worker)
{
    const work *w = context;
    size_t mine = (size_t)worker;
    float *scratch = w->scratch + mine * attention_scratch(HEAD_DIM);
    if (!w->now->engine) {
        for (int head = 0; head < GROUP; head++)
            plain_head(w, kv, head, w->scores + mine * (size_t)w->positions);
        return;
    }
    int step = w->now->together ? GROUP : 1;
    for (int head = 0; head < GROUP; head += step)
        spans(w, kv, head, step, scratch);
}

static void run_version(void *context, const version *v)
{
    work *w = context;
    w->now = v;
    // What merge() adds to.
    for (int i = 0; i < KV_HEADS * GROUP * HEAD_DIM; i++)
        w->out[i] = 0.0f;
    threads_run(v->threads ? w->l->team : w->l->alone, attend_head, w,
                KV_HEADS);
}
// @end attention-run

// @begin attention-prepare
static lll_status prepare(work *w, arena *memory, lll_error *err)
{
    enum { OUT = KV_HEADS * GROUP * HEAD_DIM };
    size_t threads = (size_t)w->l->n_threads, n = (size_t)w->positions;
    size_t cache = size_times(n, KV_HEADS * HEAD_DIM * sizeof(uint16_t));
    size_t scores = size_times(size_times(threads, n), sizeof(float));
    size_t scratch = threads * attention_scratch(HEAD_DIM) * sizeof(float);
    size_t pieces[] = {OUT * sizeof(float), OUT * sizeof(float),
                       OUT * sizeof(float), cache, cache, scores, scratch};
    void *at[7];
    uint32_t state = 1;
    lll_status status = lab_take(memory, pieces, at, 7, err);
    if (status != LLL_OK)
        return status;
    w->q = at[0], w->out = at[1], w->first = at[2];
    w->keys = at[3], w->values = at[4];
    w->scores = at[5], w->scratch = at[6];
    for (size_t i = 0; i < OUT; i++)
        w->q[i] = lab_number(&state);
    for (size_t i = 0; i < cache / sizeof(uint16_t); i++) {
        w->keys[i] = f32_to_f16(lab_number(&state));
        w->values[i] = f32_to_f16(lab_number(&state));
    }
    return LLL_OK;
}
// @end attention-prepare

// @begin attention-lab
lll_status lab_attention(lab *l, lll_error *err)
{
    arena memory = {0};
    work w = {.l = l, .positions = (int)l->asked->positions};
    lll_status status = prepare(&w, &memory, err);
    double numbers = 2.0 * KV_HEADS * w.positions * HEAD_DIM;
    experiment e = {
        &w, run_version, w.out, w.first, KV_HEADS * GROUP * HEAD_DIM,
        numbers * sizeof(uint16_t), numbers * GROUP, l->limits.f32,
        1e-4                    // another order of sums, nothing else
    };
    if (status == LLL_OK && l->json == NULL)
        printf("attention, %d heads of q, %d of keys, %d numbers each, %d "
               "positions, F16\n", KV_HEADS * GROUP, (int)KV_HEADS,
               (int)HEAD_DIM, w.positions);
    if (status == LLL_OK)
        status = lab_versions(l, versions,
                              sizeof versions / sizeof versions[0], &e, err);
    arena_free(&memory);
    return status;
}
// @end attention-lab
