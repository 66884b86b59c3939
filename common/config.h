#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

// A model described as data: everything that decides the shapes of its
// tensors and the order of its steps. What differs from family to family is
// a field, so that another family is another row of a table and no branch.
// Taught in chapter 2.

// @begin config-kinds
typedef enum { NORM_RMS, NORM_LAYER } norm_kind;
typedef enum { POSITION_ROTARY, POSITION_LEARNED } position_kind;
typedef enum {
    FEED_FORWARD_GATED,         // three matrices: gate, up, down
    FEED_FORWARD_PLAIN          // two: up, down
} feed_forward_kind;
// @end config-kinds

// @begin config-struct
typedef struct {
    char architecture[24];      // the family, as GGUF names it: "llama"
    char name[64];              // for people; may be empty
    int n_layers;
    int d_model;                // width of the residual stream
    int n_heads;                // query heads
    int n_kv_heads;             // key and value heads; divides n_heads
    int head_dim;               // numbers of one head; not d_model / n_heads
                                // in every model
    int d_ff;                   // width of the feed-forward layer
    int vocab_size;
    int context_length;         // positions that the model was trained for
    int batch_size;             // texts in a step of training; 0: not said
    norm_kind norm;
    position_kind position;
    feed_forward_kind feed_forward;
    bool norm_bias;             // norms have biases beside their weights
    bool qkv_bias;              // q, k and v have biases
    bool attn_out_bias;         // so has the matrix behind attention
    bool ffn_bias;              // and those of the feed-forward
    bool tied_output;           // the output head is the embedding table
    bool parallel_residual;     // attention and feed-forward side by side
    bool shared_norm;           // and both behind one norm
    int rope_dim;               // numbers of a head that RoPE turns, even;
                                // 0 where positions are learned
    double rope_theta;          // base of the frequencies
    double rope_scale;          // linear extension; 1 for none
    double norm_eps;
    bool rope_factors;          // the file holds a factor for each frequency
} model_config;
// @end config-struct

// @begin config-family
// What the models of a family have in common.
typedef struct {
    model_config kinds;         // architecture, kinds, biases, tying; and the
                                // sizes of the member that people know best
    double rope_fraction;       // of a head, that RoPE turns
    bool parallel_shares_norm;  // parallel_residual means shared_norm
    bool bias_everywhere;       // "with biases" speaks of every norm and
                                // matrix of a layer; else of q, k and v
    const char *hf_name;        // model_type in a Hugging Face config.json
    bool hf_tied, hf_qkv_bias;  // what such a file means that is silent
    const char *eps_key;        // GGUF's key of norm_eps
} model_family;

// The families that can be described, a constant table.
enum { N_FAMILIES = 4 };
extern const model_family model_families[N_FAMILIES];

// The family called `name` by GGUF or by Hugging Face; NULL for none.
const model_family *config_family(const char *name);
// @end config-family

// @begin config-api
// Fill in what follows from the rest, wherever it is 0: n_kv_heads is
// n_heads, head_dim is d_model / n_heads, d_ff is the family's usual multiple
// of d_model, and rope_dim its usual fraction of a head.
// LLL_ERR_FORMAT   head_dim is 0 and the heads do not divide the width
lll_status config_complete(model_config *config, const char *where,
                           lll_error *err);

// How many numbers of a head RoPE turns when it turns that fraction of them:
// an even number, at least 2.
int config_rope_dim(int head_dim, double fraction);

// Give the model all the biases of its family, or none.
void config_set_bias(model_config *config, bool on);

// Every rule that the numbers of a description must keep, whoever made it.
// `where` names the source in the sentence.
// LLL_ERR_FORMAT   values that contradict each other: which, and how
lll_status config_check(const model_config *config, const char *where,
                        lll_error *err);

// Is this a model that the engine of chapter 8 runs: a Llama, without biases
// other than those of queries, keys and values?
// LLL_ERR_UNSUPPORTED   no: which family it is, or where it has a bias
lll_status config_check_llama(const model_config *config, const char *where,
                              lll_error *err);
// @end config-api

// @begin config-count-type
// Numbers in the parts of a model, biases included.
typedef struct {
    uint64_t embedding;
    uint64_t positions;         // 0 where they are turned, not learned
    uint64_t attention;         // of one layer
    uint64_t feed_forward;      // of one layer
    uint64_t norms;             // of one layer
    uint64_t layers;            // of all layers
    uint64_t final_norm;
    uint64_t output;            // 0 when tied
    uint64_t rope_factors;      // not trained, but in the file
    uint64_t total;
} parameter_count;

// Count. The description has passed config_check(), which keeps every
// product within 64 bits.
parameter_count config_count(const model_config *config);
// @end config-count-type

// @begin config-limits
// Dimensions above this are not a model but a broken file; the bounds keep
// every one within int, and the numbers of all layers together, at most
// 7 * 2^24 * 2^24 * 2^12 and some biases, within 64 bits.
enum {
    CONFIG_MAX_DIMENSION = 1 << 24, CONFIG_MAX_LAYERS = 1 << 12,
    CONFIG_MAX_HEAD = 1 << 14, CONFIG_MAX_BATCH = 1 << 16
};
// @end config-limits

// @begin config-name-api
// Copy n bytes of a name and end them with a zero; what does not fit into
// `capacity` bytes is left out, and no character of UTF-8 is cut.
void config_copy_name(char *to, size_t capacity, const char *from, size_t n);
// @end config-name-api

#endif
