#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify.h"

// @begin verify-kinds
// What the specification says of a value: the types that it may have, alone
// and in an array, a bit for each. Lengths and counts are of any whole type
// and, in models whose layers differ, one for each layer.
typedef enum {
    TEXT, TEXTS, TRUTH, U32, WHOLE, LAYERS, REAL, REALS, I32S
} kind;

#define BIT(type) (1u << GGUF_##type)
#define WHOLES (BIT(U8) | BIT(I8) | BIT(U16) | BIT(I16) | BIT(U32) \
                | BIT(I32) | BIT(U64) | BIT(I64))

static const struct { unsigned alone, in_array; const char *expected; }
kinds[] = {
    [TEXT]   = {BIT(STRING), 0, "STRING"},
    [TEXTS]  = {0, BIT(STRING), "an ARRAY of STRING"},
    [TRUTH]  = {BIT(BOOL), 0, "BOOL"},
    [U32]    = {BIT(U32), 0, "U32"},
    [WHOLE]  = {WHOLES, 0, "a whole number"},
    [LAYERS] = {WHOLES, WHOLES, "whole numbers"},
    [REAL]   = {BIT(F32), 0, "F32"},
    [REALS]  = {0, BIT(F32), "an ARRAY of F32"},
    [I32S]   = {0, BIT(I32), "an ARRAY of I32"},
};
// @end verify-kinds

// @begin verify-table
// '*' is the name of the architecture, '#' a number, '?' any rest.
static const struct { const char *key; kind kind; } standard[] = {
    {"general.architecture", TEXT}, {"general.quantization_version", U32},
    {"general.alignment", U32}, {"general.file_type", U32},
    {"general.name", TEXT}, {"general.author", TEXT},
    {"general.version", TEXT}, {"general.organization", TEXT},
    {"general.basename", TEXT}, {"general.finetune", TEXT},
    {"general.description", TEXT}, {"general.quantized_by", TEXT},
    {"general.size_label", TEXT}, {"general.license", TEXT},
    {"general.license.?", TEXT}, {"general.url", TEXT},
    {"general.doi", TEXT}, {"general.uuid", TEXT},
    {"general.repo_url", TEXT}, {"general.tags", TEXTS},
    {"general.languages", TEXTS}, {"general.datasets", TEXTS},
    {"general.source.?", TEXT}, {"general.base_model.count", U32},
    {"general.base_model.#.?", TEXT},
// @end verify-table
// @begin verify-table-2
    {"*.context_length", WHOLE}, {"*.embedding_length", WHOLE},
    {"*.block_count", WHOLE}, {"*.feed_forward_length", LAYERS},
    {"*.use_parallel_residual", TRUTH}, {"*.tensor_data_layout", TEXT},
    {"*.expert_count", U32}, {"*.expert_used_count", U32},
    {"*.vocab_size", WHOLE}, {"*.attention.head_count", LAYERS},
    {"*.attention.head_count_kv", LAYERS},
    {"*.attention.max_alibi_bias", REAL}, {"*.attention.clamp_kqv", REAL},
    {"*.attention.layer_norm_epsilon", REAL},
    {"*.attention.layer_norm_rms_epsilon", REAL},
    {"*.attention.key_length", U32}, {"*.attention.value_length", U32},
    {"*.rope.dimension_count", WHOLE}, {"*.rope.freq_base", REAL},
    {"*.rope.scaling.type", TEXT}, {"*.rope.scaling.factor", REAL},
    {"*.rope.scaling.original_context_length", U32},
    {"*.rope.scaling.finetuned", TRUTH}, {"*.rope.scale_linear", REAL},
    {"*.ssm.conv_kernel", U32}, {"*.ssm.inner_size", U32},
    {"*.ssm.state_size", U32}, {"*.ssm.time_step_rank", U32},
    {"tokenizer.ggml.model", TEXT}, {"tokenizer.ggml.pre", TEXT},
    {"tokenizer.ggml.tokens", TEXTS}, {"tokenizer.ggml.scores", REALS},
    {"tokenizer.ggml.token_type", I32S}, {"tokenizer.ggml.merges", TEXTS},
    {"tokenizer.ggml.added_tokens", TEXTS},
    {"tokenizer.ggml.bos_token_id", U32},
    {"tokenizer.ggml.eos_token_id", U32},
    {"tokenizer.ggml.unknown_token_id", U32},
    {"tokenizer.ggml.separator_token_id", U32},
    {"tokenizer.ggml.padding_token_id", U32},
    {"tokenizer.ggml.add_bos_token", TRUTH},
    {"tokenizer.ggml.add_eos_token", TRUTH},
    {"tokenizer.ggml.add_space_prefix", TRUTH},
    {"tokenizer.huggingface.json", TEXT}, {"tokenizer.rwkv.world", TEXT},
    {"tokenizer.chat_template", TEXT},
};
// @end verify-table-2

// @begin verify-matches
static bool matches(const char *pattern, gguf_string key, gguf_string name)
{
    size_t at = 0;
    for (; *pattern != '\0'; pattern++) {
        size_t before = at, left = key.n_bytes - at;
        if (*pattern == '?')
            return left > 0;
        if (*pattern == '*' && left >= name.n_bytes
            && memcmp(key.bytes + at, name.bytes, name.n_bytes) == 0)
            at += name.n_bytes;
        while (*pattern == '#' && at < key.n_bytes && key.bytes[at] >= '0'
               && key.bytes[at] <= '9')
            at++;
        if (at == before && (left == 0 || key.bytes[at++] != *pattern))
            return false;
    }
    return at == key.n_bytes;
}

// The architecture, empty where the file does not say.
static gguf_string architecture(const gguf_file *file)
{
    gguf_string name = {"", 0};
    (void)gguf_get_string(file, "general.architecture", &name, NULL);
    return name;
}
// @end verify-matches

// @begin verify-standard
static void verify_type(report *r, const gguf_value *value, kind k)
{
    bool array = value->type == GGUF_ARRAY;
    unsigned allowed = array ? kinds[k].in_array : kinds[k].alone;
    char shown[NAME_TEXT];
    if (!(allowed >> value->item_type & 1))
        finding(r, "key %s: found %s%s, expected %s",
                name_text(value->key.bytes, value->key.n_bytes, shown),
                array ? "an ARRAY of " : "", gguf_type_name(value->item_type),
                kinds[k].expected);
}

void verify_standard(report *r)
{
    enum { LAST_FILE_TYPE = 40 };   // the specification stops at 18,
                                    // llama.cpp here
    gguf_string name = architecture(r->file);
    uint64_t n;
    for (size_t i = 0; i < r->file->n_values; i++)
        for (size_t k = 0; k < sizeof standard / sizeof *standard; k++)
            if (matches(standard[k].key, r->file->values[i].key, name)) {
                verify_type(r, &r->file->values[i], standard[k].kind);
                break;
            }
    if (gguf_get_u64(r->file, "general.file_type", &n, NULL) == LLL_OK
        && n > LAST_FILE_TYPE)
        finding(r, "key general.file_type: found %" PRIu64 ", expected 0 to "
                "%d", n, LAST_FILE_TYPE);
}
// @end verify-standard

// @begin verify-required
static const struct { const char *architecture, *keys[8]; } required[] = {
    {"llama", {"context_length", "embedding_length", "block_count",
               "feed_forward_length", "rope.dimension_count",
               "attention.head_count", "attention.layer_norm_rms_epsilon"}},
    {"gptneox", {"context_length", "embedding_length", "block_count",
                 "use_parallel_residual", "rope.dimension_count",
                 "attention.head_count", "attention.layer_norm_epsilon"}},
    {"gptj", {"context_length", "embedding_length", "block_count",
              "rope.dimension_count", "attention.head_count",
              "attention.layer_norm_epsilon"}},
    {"gpt2", {"context_length", "embedding_length", "block_count",
              "attention.head_count", "attention.layer_norm_epsilon"}},
    {"bloom", {"context_length", "embedding_length", "block_count",
               "feed_forward_length", "attention.head_count",
               "attention.layer_norm_epsilon"}},
    {"mamba", {"context_length", "embedding_length", "block_count",
               "ssm.conv_kernel", "ssm.inner_size", "ssm.state_size",
               "ssm.time_step_rank", "attention.layer_norm_rms_epsilon"}},
};

static void require(report *r, const char *before, const char *key)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%s", before, key);
    if (gguf_find_value(r->file, full) == NULL)
        finding(r, "key %s: missing, and required", full);
}
// @end verify-required

// @begin verify-required-rule
static bool has_quantized(const gguf_file *file)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (dtype_find((uint32_t)file->tensors[i].type)->block_size > 1)
            return true;
    return false;
}

void verify_required(report *r)
{
    gguf_string name = architecture(r->file);
    bool plain = name.n_bytes > 0;
    char shown[NAME_TEXT];
    require(r, "general", "architecture");
    if (has_quantized(r->file))
        require(r, "general", "quantization_version");
    // A vocabulary alone, without tensors, is no model.
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        for (int k = 0; r->file->n_tensors > 0 && k < 8; k++)
            if (required[i].keys[k] != NULL
                && gguf_string_is(name, required[i].architecture))
                require(r, required[i].architecture, required[i].keys[k]);
    for (size_t i = 0; i < name.n_bytes; i++)
        plain = plain && ((name.bytes[i] >= 'a' && name.bytes[i] <= 'z')
                          || (name.bytes[i] >= '0' && name.bytes[i] <= '9'));
    const gguf_value *value = gguf_find_value(r->file,
                                              "general.architecture");
    if (!plain && value != NULL && value->type == GGUF_STRING)
        finding(r, "key general.architecture: found \"%s\", expected letters "
                "a to z and digits",
                name_text(name.bytes, name.n_bytes, shown));
}
// @end verify-required-rule
