#include <math.h>
#include <string.h>

#include "chapters/06-attention/lesson.h"
#include "common/attention.h"

enum { WINDOW = 4 };

size_t attend_room(int head_dim, int group)
{
    // For each head of a group the span's maximum, total and result, and
    // what was merged so far; then what a span needs for itself.
    return (size_t)group * ((size_t)head_dim + 4)
           + attention_scratch(head_dim);
}

// Add what a span came to, head by head. `so_far` holds a maximum and a total
// for each.
static void merge_span(const attend_span *span, float *so_far, float *out)
{
    for (int i = 0; i < span->n_rows; i++) {
        size_t row = (size_t)i * (size_t)span->head_dim;
        attend_state state = {so_far[2 * i], so_far[2 * i + 1], out + row};
        attend_merge(&state, span->maximum[i], span->total[i],
                     span->out + row, span->head_dim);
        so_far[2 * i] = state.maximum;
        so_far[2 * i + 1] = state.total;
    }
}

// The query heads that share one key-value head: q and out are theirs.
static void attend_group(const kv_cache *cache, int layer, int kv_head,
                         const float *q, int group, int n_positions,
                         float *room, float *out)
{
    size_t row_bytes = cache->row_bytes, width = (size_t)cache->head_dim;
    const unsigned char *keys = kv_cache_keys(cache, layer, kv_head);
    const unsigned char *values = kv_cache_values(cache, layer, kv_head);
    float *so_far = room;
    attend_span span = {
        .q = q, .n_rows = group, .head_dim = cache->head_dim,
        .type = cache->type, .row_bytes = row_bytes,
        .maximum = room + 2 * group, .total = room + 3 * group,
        .out = room + 4 * group,
        .scratch = room + (size_t)group * (width + 4),
    };
    for (int i = 0; i < group; i++) {
        so_far[2 * i] = -INFINITY;
        so_far[2 * i + 1] = 0;
    }
    memset(out, 0, (size_t)group * width * sizeof *out);
    int oldest = n_positions > WINDOW ? n_positions - WINDOW : 0;
    // Spans begin where they always do: their sums would else come in another
    // order, for a window that is as long as the text.
    int first = oldest - oldest % ATTENTION_SPAN;
    for (; first < n_positions; first += ATTENTION_SPAN) {
        int from = first > oldest ? first : oldest;
        int end = first + ATTENTION_SPAN;
        if (end > n_positions)
            end = n_positions;
        span.keys = keys + (size_t)from * row_bytes;
        span.values = values + (size_t)from * row_bytes;
        span.n_positions = end - from;
        attend_span_scalar(&span);
        merge_span(&span, so_far, out);
    }
    for (int i = 0; i < group; i++) {
        attend_state state = {so_far[2 * i], so_far[2 * i + 1],
                              out + (size_t)i * width};
        attend_finish(&state, cache->head_dim);
    }
}

void attend_cached(const kv_cache *cache, int layer, const float *q,
                   int n_heads, int n_positions, float *room, float *out)
{
    int group = n_heads / cache->n_kv_heads;
    size_t width = (size_t)group * (size_t)cache->head_dim;
    for (int kv_head = 0; kv_head < cache->n_kv_heads; kv_head++) {
        size_t first = (size_t)kv_head * width;
        attend_group(cache, layer, kv_head, q + first, group, n_positions,
                     room, out + first);
    }
}
