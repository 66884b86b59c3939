// Does a file hold the numbers that were counted?
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "common/terminal.h"

// @begin audit-names
// How many numbers a tensor of this name should have; 0: none should be
// there.
typedef struct { const char *name; uint64_t n; } expected_tensor;

static uint64_t find(const expected_tensor *list, const char *name, size_t n)
{
    for (; list->name != NULL; list++)
        if (strlen(list->name) == n && memcmp(list->name, name, n) == 0)
            return list->n;
    return 0;
}

static uint64_t expected_at_the_ends(const model_config *c, const char *name,
                                     size_t n)
{
    parameter_count count = config_count(c);
    uint64_t d = (uint64_t)c->d_model;
    const expected_tensor list[] = {
        {"token_embd.weight", count.embedding},
        {"position_embd.weight", count.positions},
        {"output_norm.weight", d}, {"output_norm.bias", c->norm_bias * d},
        {"output.weight", count.output},
        {"rope_freqs.weight", count.rope_factors}, {NULL, 0},
    };
    return find(list, name, n);
}
// @end audit-names

// @begin audit-layer
static uint64_t expected_in_layer(const model_config *c, const char *name,
                                  size_t n)
{
    uint64_t d = (uint64_t)c->d_model, ff = (uint64_t)c->d_ff;
    uint64_t q = (uint64_t)c->n_heads * (uint64_t)c->head_dim;
    uint64_t kv = (uint64_t)c->n_kv_heads * (uint64_t)c->head_dim;
    bool gated = c->feed_forward == FEED_FORWARD_GATED;
    const expected_tensor list[] = {
        {"attn_norm.weight", d}, {"attn_norm.bias", c->norm_bias * d},
        // Apart or in one: GPT-2 and GPT-NeoX keep q, k and v together.
        {"attn_q.weight", d * q}, {"attn_q.bias", c->qkv_bias * q},
        {"attn_k.weight", d * kv}, {"attn_k.bias", c->qkv_bias * kv},
        {"attn_v.weight", d * kv}, {"attn_v.bias", c->qkv_bias * kv},
        {"attn_qkv.weight", d * (q + 2 * kv)},
        {"attn_qkv.bias", c->qkv_bias * (q + 2 * kv)},
        {"attn_output.weight", q * d},
        {"attn_output.bias", c->attn_out_bias * d},
        {"ffn_norm.weight", !c->shared_norm * d},
        {"ffn_norm.bias", (!c->shared_norm && c->norm_bias) * d},
        {"ffn_gate.weight", gated * d * ff},
        {"ffn_gate.bias", (gated && c->ffn_bias) * ff},
        {"ffn_up.weight", d * ff}, {"ffn_up.bias", c->ffn_bias * ff},
        {"ffn_down.weight", ff * d}, {"ffn_down.bias", c->ffn_bias * d},
        {NULL, 0},
    };
    return find(list, name, n);
}
// @end audit-layer

// @begin audit-tensor
static uint64_t expected_numbers(const model_config *c, gguf_string name)
{
    if (name.n_bytes < 5 || memcmp(name.bytes, "blk.", 4) != 0)
        return expected_at_the_ends(c, name.bytes, name.n_bytes);
    long layer = 0;
    size_t i = 4;
    for (; i < name.n_bytes && name.bytes[i] >= '0' && name.bytes[i] <= '9'
           && layer < c->n_layers; i++)
        layer = layer * 10 + (name.bytes[i] - '0');
    if (i == 4 || i >= name.n_bytes || name.bytes[i] != '.'
        || layer >= c->n_layers)
        return 0;
    return expected_in_layer(c, name.bytes + i + 1, name.n_bytes - i - 1);
}

static bool is_extra(const model *m, size_t i)
{
    const gguf_tensor *t = &m->file.tensors[i];
    return t->n_elements != expected_numbers(&m->config, t->name);
}

static uint64_t numbers_in_file(const model *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->file.n_tensors; i++)
        sum += m->file.tensors[i].n_elements;
    return sum;
}
// @end audit-tensor

// @begin audit-print
void print_audit(const model *m)
{
    enum { MOST = 8 };                  // names that are worth reading
    char number[32];
    uint64_t sum = numbers_in_file(m), count = config_count(&m->config).total;
    int n_extra = 0;
    number_text(sum, number, sizeof number);
    printf("\nthe %zu tensors of the file hold %s numbers, ",
           m->file.n_tensors, number);
    number_text(sum > count ? sum - count : count - sum, number,
                sizeof number);
    if (sum == count)
        printf("as counted\n");
    else
        printf("%s %s than counted\n", number,
               sum > count ? "more" : "fewer");
    for (size_t i = 0; i < m->file.n_tensors; i++) {
        const gguf_tensor *t = &m->file.tensors[i];
        if (!is_extra(m, i) || n_extra++ >= MOST)
            continue;
        printf("  not part of the count: ");
        terminal_text(stdout, t->name.bytes, t->name.n_bytes);
        printf(" (%zu numbers)\n", t->n_elements);
    }
    if (n_extra > MOST)
        printf("  and %d more\n", n_extra - MOST);
}
// @end audit-print

// @begin audit-json
void json_audit(json_out *json, const model *m)
{
    json_out_key(json, "file");
    json_out_object(json);
    json_out_key(json, "tensors");
    json_out_u64(json, m->file.n_tensors);
    json_out_key(json, "numbers");
    json_out_u64(json, numbers_in_file(m));
    json_out_key(json, "not_counted");
    json_out_object(json);
    for (size_t i = 0; i < m->file.n_tensors; i++) {
        const gguf_tensor *t = &m->file.tensors[i];
        if (!is_extra(m, i))
            continue;
        json_out_key_bytes(json, t->name.bytes, t->name.n_bytes);
        json_out_u64(json, t->n_elements);
    }
    json_out_end(json);
    json_out_end(json);
}
// @end audit-json
