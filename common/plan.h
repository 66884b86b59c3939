#ifndef COMMON_PLAN_H
#define COMMON_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/dtype.h"
#include "common/error.h"

// @begin plan-request
// How much memory a model needs, before any of it is asked for. Whatever
// llama_init() hands out has its size from here, and from nowhere else.
// Taught in chapter 2.

// How large a file's vocabulary is; all 0 where there is none. plan_file.h
// counts it.
typedef struct {
    size_t n_tokens;
    size_t n_special;       // tokens that are matched whole
    size_t n_merges;        // lines of the merge list
    size_t longest_text;    // bytes, of a token or a line
} vocabulary_size;

// How a model is to be used.
typedef struct {
    int n_ctx;              // positions that each sequence can hold
    int n_batch;            // tokens that go through the model at once
    int n_outputs;          // rows of logits that are wanted at once
    int n_threads;
    int n_sequences;        // texts that go on side by side
    dtype cache_type;       // of keys and values: F32, F16 or Q8_0
    size_t index_bytes;     // lists of the open file: gguf_file.index_bytes
    vocabulary_size vocabulary;
    size_t trace_bytes;     // of the file that is written, where one is, a
                            // trace or a talk: its number
} plan_request;
// @end plan-request

// @begin plan-parts
typedef enum {
    PLAN_FILE_INDEX,        // the file's lists of entries and tensors
    PLAN_TOKENIZER,         // the vocabulary's tables
    PLAN_TRACE,             // lists and buffer of a file that is written
    PLAN_CACHE_TABLE,       // what describes each sequence's cache
    PLAN_WEIGHT_TABLE,      // where each weight is
    PLAN_VECTORS,           // norms and biases, as floats
    PLAN_KV_CACHE,          // keys and values of all sequences
    PLAN_RESIDUAL,          // [n_batch, d_model]
    PLAN_NORMED,            // [n_batch, d_model]
    PLAN_QUANTIZED,         // a batch of the widest activations, as int8
    PLAN_QUERIES,           // [n_batch, n_heads * head_dim]
    PLAN_KEYS,              // [n_batch, n_kv_heads * head_dim]
    PLAN_VALUES,            // [n_batch, n_kv_heads * head_dim]
    PLAN_ATTENTION,         // [n_batch, n_heads * head_dim]
    PLAN_GATE,              // [n_batch, d_ff]; none where it is plain
    PLAN_UP,                // [n_batch, d_ff]
    PLAN_POSITIONS,         // [n_batch]
    PLAN_GATHERED,          // [n_batch], three lists: tokens of several
                            // texts side by side; none where there is one
    PLAN_ROPE,              // frequencies, and a table for each token
    PLAN_SPANS,             // what spans of attention came to
    PLAN_LOGITS,            // [n_outputs, vocab_size], or d_model where that
                            // is more
    PLAN_CANDIDATES,        // the samplers' lists, one entry a token
    PLAN_HISTORY,           // [n_sequences, n_ctx], token numbers
    PLAN_IDS,               // [n_ctx], tokens of a text on its way in
    PLAN_ENCODER,           // what cutting a text into tokens works in
    PLAN_LINES,             // a line that is typed, and a message around it
    PLAN_HELD,              // text on its way out
    PLAN_SCRATCH,           // working memory of each thread
    PLAN_THREADS,           // the team and its stacks
    PLAN_PARTS
} plan_part;
// @end plan-parts

// @begin plan-total
typedef struct {
    size_t bytes[PLAN_PARTS];   // what each part asks for
    size_t model;               // the arena of llama_init: all but the first
                                // three, each rounded up
    size_t total;               // anonymous memory, in bytes: the sum of
                                // what is asked of the system
} memory_plan;
// @end plan-total

// @begin plan-api
// The name of a part, for people: "key-value cache".
const char *plan_part_name(plan_part part);

// Compute the plan. The description has passed config_check().
// LLL_ERR_ARGUMENT   a number of the request is out of range; the context
//                    must not exceed the model's
// LLL_ERR_UNSUPPORTED  what plan_kv_check() refuses
// LLL_ERR_OVERFLOW   a size does not fit in size_t: which part
lll_status plan_memory(const model_config *config,
                       const plan_request *request, memory_plan *plan,
                       lll_error *err);

// Take one step down in memory: halve the context until 512, then the batch
// until 64, then store the cache as F16, then as Q8_0 where the heads allow
// it. Writes what was done into `line`. False when there is no smaller step.
bool plan_shrink(const model_config *config, plan_request *request,
                 char *line, size_t capacity);
// @end plan-api

// @begin plan-sizes
// Can keys and values of heads of head_dim numbers be stored as `type`?
// LLL_ERR_UNSUPPORTED   no cache has this type, or its blocks do not divide
//                       a head
lll_status plan_kv_check(dtype type, int head_dim, lll_error *err);

// The sizes of single things, for their modules. All saturate at SIZE_MAX.
size_t plan_kv_row(dtype type, int head_dim);
size_t plan_kv_rows(dtype type, int n_layers, int n_kv_heads, int head_dim,
                    int n_ctx);
size_t plan_kv_cache(const model_config *config, dtype type, int n_ctx);
size_t plan_activations(int n_rows, int n_columns);
size_t plan_matmul_scratch(int n_inputs);
size_t plan_attend_scratch(int head_dim);
size_t plan_thread_team(int n_threads);
// @end plan-sizes

// @begin plan-text-sizes
size_t plan_text(int n_ctx);                // bytes of a text in one piece
size_t plan_known_pieces(size_t longest);
size_t plan_encoder(size_t longest);
size_t plan_slots(size_t n_entries);        // of a hash table

// The tables of a vocabulary: bytes of each, and all with their arena.
typedef enum {
    PLAN_TOKENS, PLAN_TOKEN_SLOTS, PLAN_SPECIAL, PLAN_MERGES,
    PLAN_MERGE_SLOTS, PLAN_SPELLING, PLAN_TABLES
} plan_table;
size_t plan_tokenizer(const vocabulary_size *n, size_t bytes[PLAN_TABLES]);
// @end plan-text-sizes

// @begin plan-bounds
enum {
    PLAN_ATTEND_SPAN = 128,     // positions of a span of attention
    PLAN_TILE_ROWS = 64,        // query rows that meet a span together
    PLAN_LAYER_BYTES = 1024,    // bytes of the table of a layer's weights
    PLAN_CACHE_BYTES = 64,      // bytes that describe a cache
    PLAN_CANDIDATE_BYTES = 8,   // bytes of a token in the sampler's list
    PLAN_STATE_FLOATS = 4,      // floats that a row's attention state takes
    PLAN_STACK_BYTES = 1 << 18, // stack of a thread
    PLAN_PAGE_BYTES = 1 << 14,  // the largest page of our machines
    PLAN_TOKEN_BYTES = 24,      // bytes of a token in its table
    PLAN_SPECIAL_BYTES = 16,    // of a special token, once more
    PLAN_MERGE_BYTES = 12,      // of a line of the merge list
    PLAN_STOP_BYTES = 1024,     // a text at which answers end, at most
    PLAN_TEXT_LEAST = 1 << 12,  // bytes of a text in one piece, at least
    PLAN_PIECE_LEAST = 1024,    // bytes of a piece of text, at least
    PLAN_SYMBOL_BYTES = 26,     // what cutting it takes for each byte
    PLAN_KNOWN_BYTES = 32,      // what is kept of a piece met before
    PLAN_KNOWN_MOST = 8192,     // how many of them are kept
    PLAN_THREAD_BYTES = 256     // what the team keeps of a thread
};
// @end plan-bounds

#endif
