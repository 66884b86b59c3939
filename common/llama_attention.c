// How llama_forward() brings the attention of chapter 6 to a whole batch:
// which token stands where, who computes what.
#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/attention.h"
#include "common/llama.h"
#include "common/quant.h"
#include "common/rope.h"
#include "common/threads.h"

// @begin llama-sequence
static_assert((int)ATTENTION_SPAN == (int)PLAN_ATTEND_SPAN,
              "the planner counts spans of another length");
static_assert(sizeof(attend_state) <= PLAN_STATE_FLOATS * sizeof(float),
              "the planner's number for a state of attention is wrong");
static_assert(sizeof(kv_cache) <= PLAN_CACHE_BYTES,
              "the planner's number for a cache's table is too small");

int llama_sequence(const llama_batch *batch, int t)
{
    return batch->sequences != NULL ? batch->sequences[t]
                                    : batch->sequence;
}
// @end llama-sequence

// @begin llama-place
// The caches grow as tokens are placed. When one cannot be, those placed
// before it are taken away again.
lll_status llama_place(llama *m, const llama_batch *batch, lll_error *err)
{
    for (int t = 0; t < batch->n_tokens; t++) {
        kv_cache *cache = &m->caches[llama_sequence(batch, t)];
        int next = cache->length;
        lll_status s = LLL_OK;
        if (next == cache->capacity)
            s = lll_fail(err, LLL_ERR_ARGUMENT,
                         "the context of %d positions is full",
                         cache->capacity);
        else if (batch->positions != NULL && batch->positions[t] != next)
            s = lll_fail(err, LLL_ERR_ARGUMENT,
                         "token %d of the batch has position %d, expected "
                         "%d, the next of its sequence", t,
                         batch->positions[t], next);
        if (s != LLL_OK) {
            while (--t >= 0)
                m->caches[llama_sequence(batch, t)].length--;
            return s;
        }
        m->positions[t] = next;
        cache->length = next + 1;
    }
    size_t width = (size_t)m->config.rope_dim;
    for (int t = 0; t < batch->n_tokens; t++)
        rope_table(m->rotations + (size_t)t * width, m->frequencies,
                   m->config.rope_dim, m->positions[t]);
    return LLL_OK;
}
// @end llama-place

// @begin llama-attend-job
// What the pieces of a batch's attention share.
enum { TOKENS_AT_ONCE = 8, SPLIT_TOKENS = 8 };

typedef struct {
    llama *m;
    const llama_batch *batch;
    int layer;
    int tile_tokens;                    // tokens whose queries go together
    int first_span[SPLIT_TOKENS + 1];   // of each token, when spans are
                                        // shared out; the last is the count
} attend_job;
// @end llama-attend-job

// @begin llama-rotate
static void rotate_token(llama *m, int layer, kv_cache *cache, int t)
{
    const model_config *c = &m->config;
    size_t head_dim = (size_t)c->head_dim, token = (size_t)t;
    const float *table = m->rotations + token * (size_t)c->rope_dim;
    float *q = m->queries + token * (size_t)c->n_heads * head_dim;
    float *k = m->keys + token * (size_t)c->n_kv_heads * head_dim;
    float *v = m->values + token * (size_t)c->n_kv_heads * head_dim;
    for (int h = 0; h < c->n_heads; h++)
        rope_rotate(q + (size_t)h * head_dim, table, c->rope_dim);
    for (int h = 0; h < c->n_kv_heads; h++) {
        size_t at = (size_t)h * head_dim;
        rope_rotate(k + at, table, c->rope_dim);
        // Values carry no position: only scores ask who stands where.
        kv_cache_store(cache, layer, h, m->positions[t], k + at, v + at);
    }
}
// @end llama-rotate

// @begin llama-rotate-piece
static void rotate_piece(void *context, int piece, int worker)
{
    const attend_job *job = context;
    (void)worker;
    int end = (piece + 1) * TOKENS_AT_ONCE;
    if (end > job->batch->n_tokens)
        end = job->batch->n_tokens;
    for (int t = piece * TOKENS_AT_ONCE; t < end; t++)
        rotate_token(job->m, job->layer,
                     &job->m->caches[llama_sequence(job->batch, t)], t);
}

void llama_rotate_and_store(llama *m, int layer, const llama_batch *batch)
{
    attend_job job = {.m = m, .batch = batch, .layer = layer};
    threads_run(m->products.team, rotate_piece, &job,
                (batch->n_tokens + TOKENS_AT_ONCE - 1) / TOKENS_AT_ONCE);
}
// @end llama-rotate-piece

// @begin llama-tile
// Neighbouring tokens of one sequence against one key-value head: their
// queries side by side, in a worker's scratch.
typedef struct {
    attend_span span;       // everything but the positions
    attend_state *states;   // [n_rows]: what the spans came to so far
    int *visible;           // [n_rows]: of the span at hand
    int first, n_tokens;    // of the batch
    int group;              // query heads that share the key-value head
    int head;               // the key-value head
} tile;

// The numbers of one query head of a token in a [n_tokens, n_heads,
// head_dim] buffer.
static float *head_of(const llama *m, float *buffer, int t, int head)
{
    size_t row = (size_t)t * (size_t)m->config.n_heads + (size_t)head;
    return buffer + row * (size_t)m->config.head_dim;
}
// @end llama-tile

// @begin llama-open-tile
static void open_tile(tile *to, const attend_job *job, int worker)
{
    llama *m = job->m;
    const kv_cache *cache = &m->caches[llama_sequence(job->batch, to->first)];
    int head_dim = m->config.head_dim, rows = to->n_tokens * to->group;
    size_t numbers = (size_t)rows * (size_t)head_dim;
    unsigned char *scratch = m->products.scratch
                             + (size_t)worker * m->products.scratch_bytes;
    unsigned char *end = scratch + m->products.scratch_bytes;
    float *q = (float *)(void *)scratch;
    // Dividing the queries by sqrt(head_dim) here costs less than dividing
    // every score.
    float scale = 1.0f / sqrtf((float)head_dim);
    for (int t = 0; t < to->n_tokens; t++) {
        const float *from = head_of(m, m->queries, to->first + t,
                                    to->head * to->group);
        float *into = q + (size_t)(t * to->group) * (size_t)head_dim;
        for (int i = 0; i < to->group * head_dim; i++)
            into[i] = from[i] * scale;
    }
    to->span = (attend_span){
        .q = q, .n_rows = rows, .head_dim = head_dim, .type = cache->type,
        .keys = kv_cache_keys(cache, job->layer, to->head),
        .values = kv_cache_values(cache, job->layer, to->head),
        .row_bytes = cache->row_bytes, .out = q + numbers,
        .maximum = q + 2 * numbers, .total = q + 2 * numbers + rows,
        .scratch = (float *)(void *)(end - plan_attend_scratch(head_dim)),
    };
    to->states = (attend_state *)(void *)(to->span.total + rows);
    to->visible = (int *)(void *)(to->states + rows);
}
// @end llama-open-tile

// @begin llama-tile-span
// Positions of span s that a token at `position` may look at.
static int visible(int position, int s)
{
    int n = position + 1 - s * ATTENTION_SPAN;
    return n < ATTENTION_SPAN ? n : ATTENTION_SPAN;
}

// The tile's rows, beginning with those of token `first`, against span s.
// The last token looks furthest, the others at less.
static attend_span run_span(const llama *m, const tile *t, int first, int s)
{
    attend_span span = t->span;
    const int32_t *position = m->positions + t->first;
    size_t skipped = (size_t)s * ATTENTION_SPAN * span.row_bytes;
    int row = first * t->group;
    size_t numbers = (size_t)row * (size_t)span.head_dim;
    span.keys = (const unsigned char *)span.keys + skipped;
    span.values = (const unsigned char *)span.values + skipped;
    span.q += numbers;
    span.out += numbers;
    span.maximum += row;
    span.total += row;
    span.n_rows -= row;
    span.n_positions = visible(position[t->n_tokens - 1], s);
    for (int r = 0; r < span.n_rows; r++)
        t->visible[r] = visible(position[first + r / t->group], s);
    span.visible = t->visible;
    m->products.kernels->attend(&span);
    return span;
}
// @end llama-tile-span

// @begin llama-attend-tile
static void attend_tile(const llama *m, tile *t)
{
    const int32_t *position = m->positions + t->first;
    size_t head_dim = (size_t)t->span.head_dim;
    for (int r = 0; r < t->span.n_rows; r++) {
        float *out = head_of(m, m->attention, t->first + r / t->group,
                             t->head * t->group + r % t->group);
        memset(out, 0, head_dim * sizeof *out);
        t->states[r] = (attend_state){-INFINITY, 0.0f, out};
    }
    int last = position[t->n_tokens - 1] / ATTENTION_SPAN, first = 0;
    for (int s = 0; s <= last; s++) {
        // A tile may reach over the end of a span: tokens that stand before
        // this span have nothing to look at in it.
        while (position[first] < s * ATTENTION_SPAN)
            first++;
        attend_span span = run_span(m, t, first, s);
        for (int r = 0; r < span.n_rows; r++)
            m->products.kernels->merge(
                &t->states[first * t->group + r], span.maximum[r],
                span.total[r], span.out + (size_t)r * head_dim,
                span.head_dim);
    }
    for (int r = 0; r < t->span.n_rows; r++)
        m->products.kernels->finish(&t->states[r], t->span.head_dim);
}
// @end llama-attend-tile

// @begin llama-tile-piece
static void tile_piece(void *context, int piece, int worker)
{
    const attend_job *job = context;
    const model_config *c = &job->m->config;
    int first = piece / c->n_kv_heads * job->tile_tokens;
    int end = first + job->tile_tokens;
    if (end > job->batch->n_tokens)
        end = job->batch->n_tokens;
    while (first < end) {
        int sequence = llama_sequence(job->batch, first), next = first + 1;
        while (next < end && llama_sequence(job->batch, next) == sequence)
            next++;
        tile t = {.first = first, .n_tokens = next - first,
                  .group = c->n_heads / c->n_kv_heads,
                  .head = piece % c->n_kv_heads};
        open_tile(&t, job, worker);
        attend_tile(job->m, &t);
        first = next;
    }
}
// @end llama-tile-piece

// @begin llama-attend-split
// One token against a long past: there are too few heads to keep the threads
// busy, so each span is a piece, and the results wait in m->spans.
static float *span_result(const llama *m, int slot, int head)
{
    size_t row = (size_t)slot * (size_t)m->config.n_heads + (size_t)head;
    return m->spans + row * ((size_t)m->config.head_dim + 2);
}

static void span_piece(void *context, int piece, int worker)
{
    const attend_job *job = context;
    const model_config *c = &job->m->config;
    // All spans of a head, then the next: a thread's share is one stream.
    int n_slots = job->first_span[job->batch->n_tokens];
    int slot = piece % n_slots, token = 0;
    while (slot >= job->first_span[token + 1])
        token++;
    tile t = {.first = token, .n_tokens = 1,
              .group = c->n_heads / c->n_kv_heads,
              .head = piece / n_slots};
    open_tile(&t, job, worker);
    int s = slot - job->first_span[token];
    attend_span span = run_span(job->m, &t, 0, s);
    for (int r = 0; r < t.group; r++) {
        float *to = span_result(job->m, slot, t.head * t.group + r);
        to[0] = span.maximum[r];
        to[1] = span.total[r];
        memcpy(to + 2, span.out + (size_t)r * (size_t)span.head_dim,
               (size_t)span.head_dim * sizeof *to);
    }
}
// @end llama-attend-split

// @begin llama-merge-piece
static void merge_piece(void *context, int piece, int worker)
{
    const attend_job *job = context;
    int n_heads = job->m->config.n_heads, head_dim = job->m->config.head_dim;
    int token = piece / n_heads, head = piece % n_heads;
    (void)worker;
    float *out = head_of(job->m, job->m->attention, token, head);
    attend_state state = {-INFINITY, 0.0f, out};
    memset(out, 0, (size_t)head_dim * sizeof *out);
    for (int slot = job->first_span[token];
         slot < job->first_span[token + 1]; slot++) {
        const float *from = span_result(job->m, slot, head);
        job->m->products.kernels->merge(&state, from[0], from[1], from + 2,
                                        head_dim);
    }
    job->m->products.kernels->finish(&state, head_dim);
}
// @end llama-merge-piece

// @begin llama-can-split
// Can the spans of all tokens be shared out? Fills first_span when they can.
// Both ways merge the same spans in the same order, so the choice shows in
// the time alone.
static bool can_split(attend_job *job)
{
    const llama *m = job->m;
    int n = job->batch->n_tokens, count = 0;
    int room = (m->request.n_ctx + ATTENTION_SPAN - 1) / ATTENTION_SPAN;
    if (n > SPLIT_TOKENS)
        return false;
    for (int t = 0; t < n; t++) {
        job->first_span[t] = count;
        count += m->positions[t] / ATTENTION_SPAN + 1;
    }
    job->first_span[n] = count;
    return count > n && count <= room;
}
// @end llama-can-split

// @begin llama-attend
void llama_attend(llama *m, int layer, const llama_batch *batch)
{
    const model_config *c = &m->config;
    int tile_tokens = PLAN_TILE_ROWS / (c->n_heads / c->n_kv_heads);
    // Tokens of different texts share no keys, and few of them too few tiles.
    if (batch->sequences != NULL && batch->n_tokens <= PLAN_TILE_ROWS)
        tile_tokens = 1;
    attend_job job = {.m = m, .batch = batch, .layer = layer,
                      .tile_tokens = tile_tokens > 0 ? tile_tokens : 1};
    int n_tiles = (batch->n_tokens + job.tile_tokens - 1) / job.tile_tokens;
    if (!can_split(&job)) {
        threads_run(m->products.team, tile_piece, &job,
                    n_tiles * c->n_kv_heads);
        return;
    }
    threads_run(m->products.team, span_piece, &job,
                job.first_span[batch->n_tokens] * c->n_kv_heads);
    threads_run(m->products.team, merge_piece, &job,
                batch->n_tokens * c->n_heads);
}
// @end llama-attend

// @begin llama-remove
typedef struct {
    llama *m;
    kv_cache *cache;
    int from;               // positions from here on are turned
    const float *table;     // by this angle
} turn_job;

static void turn_head(void *context, int piece, int worker)
{
    const turn_job *job = context;
    kv_cache *cache = job->cache;
    int layer = piece / cache->n_kv_heads, head = piece % cache->n_kv_heads;
    unsigned char *rows = kv_cache_own_keys(cache, layer, head);
    // A head fits in a worker's scratch, as its part of a tile does.
    float *key = (float *)(void *)(job->m->products.scratch + (size_t)worker
                                   * job->m->products.scratch_bytes);
    for (int i = job->from; i < cache->length; i++) {
        unsigned char *row = rows + (size_t)i * cache->row_bytes;
        quant_decode(cache->type, row, key, (size_t)cache->head_dim, NULL);
        rope_rotate(key, job->table, job->m->config.rope_dim);
        cache->encode(cache->type, key, row, cache->head_dim);
    }
}

void llama_remove(llama *m, int sequence, int from, int n)
{
    kv_cache *cache = &m->caches[sequence];
    kv_cache_remove(cache, from, n);
    // Angles add up: turning back by n takes a key from position p to p - n.
    rope_table(m->rotations, m->frequencies, m->config.rope_dim, -n);
    turn_job job = {m, cache, from, m->rotations};
    threads_run(m->products.team, turn_head, &job,
                cache->n_layers * cache->n_kv_heads);
}
// @end llama-remove
