// Does a file hold the numbers that were counted?
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "common/config_gguf.h"
#include "common/terminal.h"

// @begin audit-names
// A tensor, and how many numbers it should have; 0: none should be there.
typedef struct { const char *name; uint64_t n; } expected_tensor;
enum { MAX_EXPECTED = 24 };

static void expect_at_the_ends(const model_config *c, expected_tensor *list)
{
    parameter_count count = config_count(c);
    uint64_t d = (uint64_t)c->d_model;
    const expected_tensor all[] = {
        {"token_embd.weight", count.embedding},
        {"position_embd.weight", count.positions},
        {"output_norm.weight", d}, {"output_norm.bias", c->norm_bias * d},
        {"output.weight", count.output},
        {"rope_freqs.weight", count.rope_factors}, {NULL, 0},
    };
    memcpy(list, all, sizeof all);
}
// @end audit-names

// @begin audit-layer
// q, k and v are apart, or in one, as GPT-2 and GPT-NeoX keep them.
static void expect_in_layer(const model_config *c, bool one,
                            expected_tensor *list)
{
    uint64_t d = (uint64_t)c->d_model, ff = (uint64_t)c->d_ff;
    uint64_t q = (uint64_t)c->n_heads * (uint64_t)c->head_dim;
    uint64_t kv = (uint64_t)c->n_kv_heads * (uint64_t)c->head_dim;
    uint64_t bias = c->qkv_bias, apart = !one;
    bool gated = c->feed_forward == FEED_FORWARD_GATED;
    const expected_tensor all[] = {
        {"attn_norm.weight", d}, {"attn_norm.bias", c->norm_bias * d},
        {"attn_q.weight", apart * d * q}, {"attn_q.bias", apart * bias * q},
        {"attn_k.weight", apart * d * kv}, {"attn_k.bias", apart * bias * kv},
        {"attn_v.weight", apart * d * kv}, {"attn_v.bias", apart * bias * kv},
        {"attn_qkv.weight", one * d * (q + 2 * kv)},
        {"attn_qkv.bias", one * bias * (q + 2 * kv)},
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
    memcpy(list, all, sizeof all);
}
// @end audit-layer

// @begin audit-find
// The numbers of a tensor in the file; 0: it is not there.
static uint64_t found_numbers(const model *m, const char *name)
{
    gguf_tensor t;
    return gguf_find_tensor(&m->file, name, NULL, 0, &t, NULL) == LLL_OK
           ? t.n_elements : 0;
}

static void layer_name(int layer, const char *rest, char *name,
                       size_t capacity)
{
    snprintf(name, capacity, "blk.%d.%s", layer, rest);
}

// What should be there of a layer, or for -1 of what stands around them.
static void expect(const model *m, int layer, expected_tensor *list)
{
    char name[64];
    layer_name(layer, "attn_qkv.weight", name, sizeof name);
    if (layer < 0)
        expect_at_the_ends(&m->config, list);
    else
        expect_in_layer(&m->config, found_numbers(m, name) > 0, list);
}
// @end audit-find

// @begin audit-tensor
static bool is_extra(const model *m, size_t i)
{
    const gguf_tensor *t = &m->file.tensors[i];
    expected_tensor list[MAX_EXPECTED], *e = list;
    gguf_string rest = t->name;
    int layer = config_tensor_layer(t->name, m->config.n_layers, &rest);
    expect(m, layer, list);
    while (e->name != NULL && !gguf_string_is(rest, e->name))
        e++;
    return t->n_elements != e->n;       // the last of the list has 0
}

// Call `say` for each tensor that was counted, and that the file does not
// hold as it was.
typedef void missing_writer(void *out, const char *name, uint64_t n);

static void each_missing(const model *m, missing_writer *say, void *out)
{
    expected_tensor list[MAX_EXPECTED];
    char name[64];
    for (int layer = -1; layer < m->config.n_layers; layer++) {
        expect(m, layer, list);
        for (const expected_tensor *e = list; e->name != NULL; e++) {
            layer_name(layer, e->name, name, sizeof name);
            const char *whole = layer < 0 ? e->name : name;
            if (e->n > 0 && found_numbers(m, whole) != e->n)
                say(out, whole, e->n);
        }
    }
}
// @end audit-tensor

// @begin audit-print
static uint64_t numbers_in_file(const model *m)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->file.n_tensors; i++)
        sum += m->file.tensors[i].n_elements;
    return sum;
}

enum { MOST = 8 };                      // names that are worth reading

static void print_missing(void *n_missing, const char *name, uint64_t n)
{
    if ((*(int *)n_missing)++ < MOST)
        printf("  counted, and not there: %s (%" PRIu64 " numbers)\n", name,
               n);
}

static void print_more(int n)
{
    if (n > MOST)
        printf("  and %d more\n", n - MOST);
}
// @end audit-print

// @begin audit-print-all
void print_audit(const model *m)
{
    char number[32];
    uint64_t sum = numbers_in_file(m), count = config_count(&m->config).total;
    int n_extra = 0, n_missing = 0;
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
    print_more(n_extra);
    each_missing(m, print_missing, &n_missing);
    print_more(n_missing);
}
// @end audit-print-all

// @begin audit-json
static void json_missing(void *json, const char *name, uint64_t n)
{
    json_out_key(json, name);
    json_out_u64(json, n);
}

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
    json_out_key(json, "not_there");
    json_out_object(json);
    each_missing(m, json_missing, json);
    json_out_end(json);
    json_out_end(json);
}
// @end audit-json
