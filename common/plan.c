#include "common/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/size.h"

// @begin plan-helpers
static size_t floats(int rows, int columns)
{
    return size_times(size_times((size_t)rows, (size_t)columns),
                      sizeof(float));
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}
// @end plan-helpers

// @begin plan-names
static const char *const names[PLAN_PARTS] = {
    [PLAN_FILE_INDEX] = "file index",
    [PLAN_TOKENIZER] = "tokenizer",
    [PLAN_TRACE] = "file to write",
    [PLAN_CACHE_TABLE] = "cache table",
    [PLAN_WEIGHT_TABLE] = "weight table",
    [PLAN_VECTORS] = "norms and biases",
    [PLAN_KV_CACHE] = "key-value cache",
    [PLAN_RESIDUAL] = "residual stream",
    [PLAN_NORMED] = "normalised input",
    [PLAN_QUANTIZED] = "quantized input",
    [PLAN_QUERIES] = "queries",
    [PLAN_KEYS] = "keys", [PLAN_VALUES] = "values",
    [PLAN_ATTENTION] = "attention output",
    [PLAN_GATE] = "feed-forward gate",
    [PLAN_UP] = "feed-forward up",
    [PLAN_POSITIONS] = "positions",
    [PLAN_GATHERED] = "gathered tokens",
    [PLAN_ROPE] = "rotation tables",
    [PLAN_SPANS] = "attention spans",
    [PLAN_LOGITS] = "logits",
    [PLAN_CANDIDATES] = "sampling candidates",
    [PLAN_HISTORY] = "token history",
    [PLAN_IDS] = "tokens of a text",
    [PLAN_ENCODER] = "text encoder",
    [PLAN_LINES] = "lines typed",
    [PLAN_HELD] = "text held back",
    [PLAN_SCRATCH] = "thread scratch",
    [PLAN_THREADS] = "thread team",
};

const char *plan_part_name(plan_part part)
{
    return names[part];
}
// @end plan-names

// @begin plan-kv
lll_status plan_kv_check(dtype type, int head_dim, lll_error *err)
{
    if (type != DTYPE_F32 && type != DTYPE_F16 && type != DTYPE_Q8_0)
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "a cache of %s is not "
                        "possible, expected F32, F16 or Q8_0",
                        dtype_name((uint32_t)type));
    int block = dtype_find((uint32_t)type)->block_size;
    if (head_dim % block != 0)
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "a cache of %s stores "
                        "blocks of %d numbers, and the heads of this model "
                        "have %d; use a cache of F16 or F32",
                        dtype_name((uint32_t)type), block, head_dim);
    return LLL_OK;
}

// Bytes of one position of one head, keys or values.
size_t plan_kv_row(dtype type, int head_dim)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    size_t block = (size_t)info->block_size;
    return size_times(((size_t)head_dim + block - 1) / block,
                 (size_t)info->block_bytes);
}
// @end plan-kv

// @begin plan-single
size_t plan_kv_rows(dtype type, int n_layers, int n_kv_heads, int head_dim,
                    int n_ctx)
{
    size_t rows = size_times(size_times((size_t)n_layers, (size_t)n_kv_heads),
                        (size_t)n_ctx);
    size_t keys = size_times(rows, plan_kv_row(type, head_dim));
    // Keys end on a cache line, so that the values begin on one.
    return size_times(2, arena_round(keys));
}

size_t plan_kv_cache(const model_config *c, dtype type, int n_ctx)
{
    return plan_kv_rows(type, c->n_layers, c->n_kv_heads, c->head_dim,
                        n_ctx);
}
size_t plan_activations(int n_rows, int n_columns)
{
    size_t n_blocks = ((size_t)n_columns + 31) / 32;
    size_t codes = size_times((size_t)n_rows, n_blocks * 32);
    size_t per_block = size_times(size_times((size_t)n_rows, n_blocks), 4);
    // Codes, then scales, sums and pairs of sums of half a block's codes,
    // each on a cache line.
    return size_plus(arena_round(codes),
                     size_times(3, arena_round(per_block)));
}
// @end plan-single

// @begin plan-threads
size_t plan_attend_scratch(int head_dim)
{
    // A span's keys and values as floats, and scores for sixteen rows: so
    // the taught text reads blocks. Others decode less at once, and use the
    // room for the scores of more rows.
    return size_times(sizeof(float) * PLAN_ATTEND_SPAN,
                 2 * (size_t)head_dim + 16);
}

size_t plan_thread_team(int n_threads)
{
    // What the threads share takes as much as four of them; a stack for
    // every thread but the first, which has one; and a page, because stacks
    // start at a page and the memory need not.
    size_t own = size_times((size_t)n_threads + 4, PLAN_THREAD_BYTES);
    return size_plus(size_plus(own, PLAN_PAGE_BYTES),
                size_times((size_t)n_threads - 1, PLAN_STACK_BYTES));
}

size_t plan_matmul_scratch(int n_inputs)
{
    // 48 bytes for each column, which the widest kernels fill: two panels of
    // sixteen rows unpacked, a byte a number and four floats for each block
    // of each row, or twelve rows as floats.
    size_t n_blocks = ((size_t)n_inputs + 31) / 32;
    return arena_round(size_times(48 * 32, n_blocks));
}
// @end plan-threads

// @begin plan-encoder
// Pieces that an encoder remembers, a power of two: one for each eight bytes
// of text would be many different words.
size_t plan_known_pieces(size_t longest)
{
    size_t n = 16;
    while (n < PLAN_KNOWN_MOST && n * 8 < longest)
        n *= 2;
    return n;
}

// Bytes of a text that must lie in one piece: a word without a cut, a message
// of a talk. A token of English has four.
size_t plan_text(int n_ctx)
{
    return larger(PLAN_TEXT_LEAST, size_times(16, (size_t)n_ctx));
}

size_t plan_encoder(size_t longest)
{
    size_t n = larger(longest, PLAN_PIECE_LEAST);
    return size_plus(size_times(n, PLAN_SYMBOL_BYTES),
                plan_known_pieces(longest) * PLAN_KNOWN_BYTES);
}
// @end plan-encoder

// @begin plan-tokenizer
// Twice as many slots as entries, so that a probe ends soon.
size_t plan_slots(size_t n_entries)
{
    size_t slots = 16;
    while (slots / 2 < n_entries)
        slots *= 2;
    return slots;
}

size_t plan_tokenizer(const vocabulary_size *n, size_t bytes[PLAN_TABLES])
{
    const size_t slot = sizeof(uint32_t);
    size_t total = ARENA_ALIGNMENT;
    bytes[PLAN_TOKENS] = size_times(n->n_tokens, PLAN_TOKEN_BYTES);
    bytes[PLAN_TOKEN_SLOTS] = size_times(plan_slots(n->n_tokens), slot);
    bytes[PLAN_SPECIAL] = size_times(n->n_special, PLAN_SPECIAL_BYTES);
    bytes[PLAN_MERGES] = size_times(n->n_merges, PLAN_MERGE_BYTES);
    bytes[PLAN_MERGE_SLOTS] = n->n_merges == 0 ? 0
                            : size_times(plan_slots(n->n_merges), slot);
    bytes[PLAN_SPELLING] = size_plus(n->longest_text, 1);
    for (int i = 0; i < PLAN_TABLES; i++)
        total = size_plus(total, arena_round(bytes[i]));
    return total;
}
// @end plan-tokenizer

// @begin plan-texts
// What stands between a text and the model, on the way in and out.
static void plan_texts(const plan_request *r, size_t *bytes)
{
    size_t tables[PLAN_TABLES], longest = plan_text(r->n_ctx);
    bytes[PLAN_TOKENIZER] = r->vocabulary.n_tokens == 0 ? 0
                          : plan_tokenizer(&r->vocabulary, tables);
    bytes[PLAN_IDS] = size_times((size_t)r->n_ctx, sizeof(int32_t));
    bytes[PLAN_ENCODER] = plan_encoder(longest);
    bytes[PLAN_LINES] = size_times(2, longest);
    // A byte that belongs to no character becomes three.
    bytes[PLAN_HELD] = size_times((size_t)r->n_sequences, size_plus(
        PLAN_STOP_BYTES, size_times(3, size_plus(
            r->vocabulary.longest_text, 4))));
}
// @end plan-texts

// @begin plan-scratch
// Attention of a tile: its queries side by side, what one span came to, and
// the span's own scratch.
static size_t tile_scratch(const model_config *c)
{
    size_t group = (size_t)(c->n_heads / c->n_kv_heads);
    size_t rows = larger(PLAN_TILE_ROWS, group);
    // For each row its query and its result, the maximum, the total and the
    // number of positions it sees, and its state.
    size_t numbers = size_times(rows, 2 * (size_t)c->head_dim + 3
                                 + PLAN_STATE_FLOATS);
    return size_plus(arena_round(size_times(numbers, sizeof(float))),
                plan_attend_scratch(c->head_dim));
}

static size_t worker_scratch(const model_config *c, int widest)
{
    return arena_round(larger(plan_matmul_scratch(widest), tile_scratch(c)));
}
// @end plan-scratch

// @begin plan-batch
static void plan_batch(const model_config *c, const plan_request *r,
                       size_t *bytes)
{
    int q = c->n_heads * c->head_dim, kv = c->n_kv_heads * c->head_dim;
    int widest = (int)larger(larger((size_t)c->d_model, (size_t)q),
                             (size_t)c->d_ff);
    int n = r->n_batch;
    int n_spans = (r->n_ctx + PLAN_ATTEND_SPAN - 1) / PLAN_ATTEND_SPAN;
    size_t several = r->n_sequences > 1 ? (size_t)n : 0;

    bytes[PLAN_RESIDUAL] = floats(n, c->d_model);
    bytes[PLAN_NORMED] = floats(n, c->d_model);
    bytes[PLAN_QUANTIZED] = plan_activations(n, widest);
    bytes[PLAN_QUERIES] = floats(n, q);
    bytes[PLAN_KEYS] = floats(n, kv);
    bytes[PLAN_VALUES] = floats(n, kv);
    bytes[PLAN_ATTENTION] = floats(n, q);
    bytes[PLAN_GATE] = c->feed_forward == FEED_FORWARD_GATED
                     ? floats(n, c->d_ff) : 0;
    bytes[PLAN_UP] = floats(n, c->d_ff);
    bytes[PLAN_POSITIONS] = size_times((size_t)n, sizeof(int32_t));
    bytes[PLAN_GATHERED] = size_times(several, 2 * sizeof(int32_t) + 1);
    bytes[PLAN_ROPE] = size_plus(floats(n, c->rope_dim),
                            size_times((size_t)c->rope_dim / 2,
                                       sizeof(double)));
    bytes[PLAN_SPANS] = size_times(floats(n_spans, c->n_heads),
                              (size_t)c->head_dim + 2);
    bytes[PLAN_LOGITS] = floats(r->n_outputs, c->vocab_size > c->d_model
                                              ? c->vocab_size : c->d_model);
    bytes[PLAN_SCRATCH] = size_times((size_t)r->n_threads,
                                worker_scratch(c, widest));
}
// @end plan-batch

// @begin plan-vectors
// How many numbers norms and biases have, which are kept as floats.
static size_t plan_vectors(const model_config *c)
{
    size_t d = (size_t)c->d_model, ff = (size_t)c->d_ff;
    size_t norm = c->norm_bias ? 2 * d : d;
    size_t n = c->shared_norm ? norm : 2 * norm;
    if (c->qkv_bias)
        n += (size_t)(c->n_heads + 2 * c->n_kv_heads) * (size_t)c->head_dim;
    if (c->attn_out_bias)
        n += d;
    if (c->ffn_bias)
        n += d + (c->feed_forward == FEED_FORWARD_GATED ? 2 * ff : ff);
    n = size_plus(size_times((size_t)c->n_layers, n), norm);
    return size_plus(n, c->rope_factors ? (size_t)c->rope_dim / 2 : 0);
}
// @end plan-vectors

// @begin plan-check
static lll_status check_request(const model_config *c,
                                const plan_request *r, lll_error *err)
{
    if (r->n_ctx > c->context_length)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "a context of %d positions is longer than the "
                        "model's %d; use -c %d or less", r->n_ctx,
                        c->context_length, c->context_length);
    if (r->n_ctx < 1 || r->n_batch < 1 || r->n_batch > 1 << 16
        || r->n_outputs < 1 || r->n_outputs > r->n_batch
        || r->n_threads < 1 || r->n_threads > 1024
        || r->n_sequences < 1 || r->n_sequences > 1 << 16)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "context %d, batch %d, outputs %d, threads %d, "
                        "sequences %d: each is expected to be at least 1, "
                        "batch and sequences at most 65536, threads at most "
                        "1024, outputs at most the batch", r->n_ctx,
                        r->n_batch, r->n_outputs, r->n_threads,
                        r->n_sequences);
    return plan_kv_check(r->cache_type, c->head_dim, err);
}
// @end plan-check

// @begin plan-memory
lll_status plan_memory(const model_config *c, const plan_request *r,
                       memory_plan *plan, lll_error *err)
{
    memory_plan p = {0};
    lll_status status = check_request(c, r, err);
    if (status != LLL_OK)
        return status;

    size_t vectors = plan_vectors(c);
    p.bytes[PLAN_FILE_INDEX] = r->index_bytes;
    p.bytes[PLAN_TRACE] = r->trace_bytes;
    // @end plan-memory

    // @begin plan-memory-parts
    p.bytes[PLAN_CACHE_TABLE] = size_times((size_t)r->n_sequences,
                                      PLAN_CACHE_BYTES);
    p.bytes[PLAN_WEIGHT_TABLE] = size_times((size_t)c->n_layers,
                                       PLAN_LAYER_BYTES);
    p.bytes[PLAN_VECTORS] = size_times(vectors, sizeof(float));
    p.bytes[PLAN_KV_CACHE] = size_times((size_t)r->n_sequences, plan_kv_cache(
                                       c, r->cache_type, r->n_ctx));
    p.bytes[PLAN_CANDIDATES] = size_times(PLAN_CANDIDATE_BYTES, size_times(
                              (size_t)r->n_sequences, (size_t)c->vocab_size));
    p.bytes[PLAN_HISTORY] = size_times(sizeof(int32_t), size_times(
                                (size_t)r->n_sequences, (size_t)r->n_ctx));
    p.bytes[PLAN_THREADS] = plan_thread_team(r->n_threads);
    plan_batch(c, r, p.bytes);
    plan_texts(r, p.bytes);

    // An arena asks for one alignment more than it hands out.
    p.total = ARENA_ALIGNMENT;
    for (int i = 0; i < PLAN_PARTS; i++) {
        size_t rounded = arena_round(p.bytes[i]);
        if (rounded == SIZE_MAX)
            return lll_fail(err, LLL_ERR_OVERFLOW,
                            "memory size overflow: the %s for a context of "
                            "%d does not fit in %zu bits", names[i],
                            r->n_ctx, 8 * sizeof(size_t));
        bool model = i >= PLAN_CACHE_TABLE;
        p.model = size_plus(p.model, model ? rounded : 0);
        p.total = size_plus(p.total, model ? rounded : p.bytes[i]);
    }
    if (p.total == SIZE_MAX)
        return lll_fail(err, LLL_ERR_OVERFLOW, "memory size overflow: the "
                        "parts do not fit in %zu bits together",
                        8 * sizeof(size_t));
    *plan = p;
    return LLL_OK;
}
// @end plan-memory-parts

// @begin plan-shrink
bool plan_shrink(const model_config *c, plan_request *r, char *line,
                 size_t capacity)
{
    if (r->n_ctx > 512) {
        int was = r->n_ctx;
        r->n_ctx = was / 2 > 512 ? was / 2 : 512;
        snprintf(line, capacity, "context %d -> %d", was, r->n_ctx);
        return true;
    }
    if (r->n_batch > 64) {
        int was = r->n_batch;
        r->n_batch = was / 2 > 64 ? was / 2 : 64;
        if (r->n_outputs > r->n_batch)
            r->n_outputs = r->n_batch;
        snprintf(line, capacity, "batch %d -> %d", was, r->n_batch);
        return true;
    }
    dtype was = r->cache_type;
    dtype next = was == DTYPE_F32 ? DTYPE_F16 : DTYPE_Q8_0;
    if (was == next || plan_kv_check(next, c->head_dim, NULL) != LLL_OK)
        return false;
    r->cache_type = next;
    snprintf(line, capacity, "cache %s -> %s", dtype_name((uint32_t)was),
             dtype_name((uint32_t)next));
    return true;
}
// @end plan-shrink
