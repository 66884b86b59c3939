// The parameters of a model, part by part.
#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "common/terminal.h"

// @begin bill-short
void short_count(uint64_t count, char *text, size_t capacity)
{
    static const char units[] = {' ', 'k', 'M', 'B', 'T', 'Q'};
    double number = (double)count;
    int unit = 0;
    // 999.5 would print as 1000.
    while (number >= 999.5 && unit < 5) {
        number /= 1000;
        unit++;
    }
    int decimals = unit == 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
    snprintf(text, capacity, "%.*f%.*s", decimals, number, unit > 0,
             &units[unit]);
}
// @end bill-short

// @begin bill-kinds
// What a model is, in words.
static void print_kinds(const model_config *c)
{
    const struct { bool there; const char *where; } biases[] = {
        {c->norm_bias, "norms"}, {c->qkv_bias, "q, k and v"},
        {c->attn_out_bias, "attention output"}, {c->ffn_bias, "feed-forward"},
    };
    int n_biases = 0;
    terminal_text(stdout, c->name, strlen(c->name));
    printf("%s%s: %d layers, width %d, feed-forward %d\n",
           c->name[0] == '\0' ? "" : ", ", c->architecture, c->n_layers,
           c->d_model, c->d_ff);
    printf("%d query and %d key-value heads of %d, vocabulary %d, context "
           "%d\n", c->n_heads, c->n_kv_heads, c->head_dim, c->vocab_size,
           c->context_length);
    printf("%s, %s positions, %s feed-forward%s\nbiases:",
           c->norm == NORM_RMS ? "RMS norms" : "layer norms",
           c->position == POSITION_ROTARY ? "rotary" : "learned",
           c->feed_forward == FEED_FORWARD_GATED ? "gated" : "plain",
           c->parallel_residual ? " beside attention" : "");
    for (int i = 0; i < 4; i++)
        if (biases[i].there)
            printf("%s %s", n_biases++ > 0 ? ";" : "", biases[i].where);
    printf("%s\n\n", n_biases > 0 ? "" : " none");
}
// @end bill-kinds

// @begin bill-lines
static void bill_line(const char *what, uint64_t count, uint64_t total,
                      const char *note)
{
    char number[32];
    double share = (double)count / (double)total;
    number_text(count, number, sizeof number);
    printf("%-24s %18s %5.1f %% ", what, number, 100.0 * share);
    terminal_bar(stdout, terminal_color(stdout), share, 16);
    printf("%s%s\n", note[0] != '\0' ? " " : "", note);
}

void print_bill(const model_config *c)
{
    parameter_count n = config_count(c);
    char text[32], label[48];
    print_kinds(c);
    bill_line("embeddings", n.embedding, n.total, "");
    bill_line("positions", n.positions, n.total,
              c->position == POSITION_ROTARY ? "turned" : "");
    bill_line("  a layer: attention", n.attention, n.total, "");
    bill_line("  a layer: feed-forward", n.feed_forward, n.total, "");
    bill_line("  a layer: norms", n.norms, n.total, "");
    snprintf(label, sizeof label, "all %d layers", c->n_layers);
    bill_line(label, n.layers, n.total, "");
    bill_line("final norm", n.final_norm, n.total, "");
    bill_line("output head", n.output, n.total,
              c->tied_output ? "tied" : "not tied");
    if (n.rope_factors > 0)
        bill_line("rotation factors", n.rope_factors, n.total, "");
    short_count(n.total, text, sizeof text);
    bill_line("total", n.total, n.total, text);
}
// @end bill-lines

// @begin bill-json-model
void json_model(json_out *json, const model_config *c)
{
    const struct { const char *key; int value; } sizes[] = {
        {"n_layers", c->n_layers}, {"d_model", c->d_model},
        {"n_heads", c->n_heads}, {"n_kv_heads", c->n_kv_heads},
        {"head_dim", c->head_dim}, {"d_ff", c->d_ff},
        {"vocab_size", c->vocab_size}, {"context_length", c->context_length},
        {"batch_size", c->batch_size}, {"rope_dim", c->rope_dim},
    };
    const struct { const char *key; bool value; } flags[] = {
        {"layer_norm", c->norm == NORM_LAYER},
        {"learned_positions", c->position == POSITION_LEARNED},
        {"gated_feed_forward", c->feed_forward == FEED_FORWARD_GATED},
        {"norm_bias", c->norm_bias}, {"qkv_bias", c->qkv_bias},
        {"attn_out_bias", c->attn_out_bias}, {"ffn_bias", c->ffn_bias},
        {"parallel_residual", c->parallel_residual},
        {"shared_norm", c->shared_norm}, {"tied_output", c->tied_output},
    };
    json_out_key(json, "name");
    json_out_text(json, c->name);
    json_out_key(json, "architecture");
    json_out_text(json, c->architecture);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        json_out_key(json, sizes[i].key);
        json_out_i64(json, sizes[i].value);
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        json_out_key(json, flags[i].key);
        json_out_bool(json, flags[i].value);
    }
}
// @end bill-json-model

// @begin bill-json
void json_parameters(json_out *json, const model_config *c)
{
    parameter_count n = config_count(c);
    char text[32];
    const struct { const char *key; uint64_t value; } counts[] = {
        {"embedding", n.embedding}, {"positions", n.positions},
        {"attention_per_layer", n.attention},
        {"feed_forward_per_layer", n.feed_forward},
        {"norms_per_layer", n.norms}, {"layers", n.layers},
        {"final_norm", n.final_norm}, {"output", n.output},
        {"rope_factors", n.rope_factors}, {"total", n.total},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        json_out_key(json, counts[i].key);
        json_out_u64(json, counts[i].value);
    }
    short_count(n.total, text, sizeof text);
    json_out_key(json, "short");
    json_out_text(json, text);
}
// @end bill-json
