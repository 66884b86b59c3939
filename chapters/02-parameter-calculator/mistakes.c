// What other calculators say of a model, and why.
//
// Each mistake is a change of the description: who counts the head twice
// counts a model that is not tied. So the wrong totals come out of the right
// function.
#include <math.h>
#include <stdio.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "common/dtype.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin mistakes-changes
static void count_head_twice(model_config *c) { c->tied_output = false; }
static void forget_head(model_config *c) { c->tied_output = true; }
static void ignore_groups(model_config *c) { c->n_kv_heads = c->n_heads; }
static void one_norm(model_config *c) { c->shared_norm = true; }
static void forget_norm_bias(model_config *c) { c->norm_bias = false; }
static void learn_positions(model_config *c)
{
    c->position = POSITION_LEARNED;
}
static void turn_positions(model_config *c)
{
    c->position = POSITION_ROTARY;
}
static void forget_biases(model_config *c)
{
    c->qkv_bias = c->attn_out_bias = c->ffn_bias = false;
}
// @end mistakes-changes

// @begin mistakes-changes-2
static void divide_width(model_config *c)
{
    c->head_dim = c->d_model / c->n_heads;
}
static void plain_feed_forward(model_config *c)
{
    c->feed_forward = FEED_FORWARD_PLAIN;
}
static void four_times_width(model_config *c)
{
    plain_feed_forward(c);
    c->d_ff = 4 * c->d_model;
}
// The estimate for any model is a formula of its own, below 2^64 because
// config_check() keeps the layers below 2^12 and the width below 2^24.
static uint64_t twelve_squares(const model_config *c)
{
    uint64_t d = (uint64_t)c->d_model;
    return 12 * (uint64_t)c->n_layers * d * d + (uint64_t)c->vocab_size * d;
}
// @end mistakes-changes-2

// @begin mistakes-table
static const struct mistake {
    const char *key, *what;
    void (*change)(model_config *c);
    uint64_t (*estimate)(const model_config *c);    // where nothing changes
} mistakes[] = {
    {"head_twice", "the tied head counted again", count_head_twice, NULL},
    {"no_head", "the head left out, as if tied", forget_head, NULL},
    {"no_groups", "keys and values for every query head", ignore_groups,
     NULL},
    {"width_by_heads", "heads of width / heads", divide_width, NULL},
    {"two_matrices", "two matrices where a gate makes three",
     plain_feed_forward, NULL},
    {"four_times", "a feed-forward of 4 x width, no gate", four_times_width,
     NULL},
    {"one_norm", "one norm a layer", one_norm, NULL},
    {"no_norm_bias", "norms without their biases", forget_norm_bias, NULL},
    {"no_biases", "matrices without their biases", forget_biases, NULL},
    {"learned", "a table of positions that are turned", learn_positions,
     NULL},
    {"no_positions", "the table of positions left out", turn_positions,
     NULL},
    {"twelve", "12 x layers x width^2 + table", NULL, twelve_squares},
};
enum { N_MISTAKES = sizeof mistakes / sizeof mistakes[0] };

static uint64_t wrong_total(const model_config *c, int i)
{
    model_config changed = *c;
    if (mistakes[i].estimate != NULL)
        return mistakes[i].estimate(c);
    mistakes[i].change(&changed);
    return config_count(&changed).total;
}
// @end mistakes-table

// @begin mistakes-scales
// Bits that a type is called by, and what the weights take with its scales
// and with the vectors that stay floats.
static void print_block_scales(const model_config *c)
{
    static const struct { dtype type; int bits; } types[] = {
        {DTYPE_Q8_0, 8}, {DTYPE_Q4_0, 4}};
    for (int i = 0; i < 2; i++) {
        char wrong[32], right[32];
        double total = (double)config_count(c).total;
        size_text((uint64_t)(total * types[i].bits / 8), wrong,
                  sizeof wrong);
        bytes_text(cost_weights(c, types[i].type), right, sizeof right);
        printf("%s taken for %d bits a weight: %s; with its scales %s\n",
               dtype_name((uint32_t)types[i].type), types[i].bits, wrong,
               right);
    }
}
// @end mistakes-scales

// @begin mistakes-print
void print_mistakes(const model_config *c)
{
    uint64_t total = config_count(c).total;
    char text[32];
    number_text(total, text, sizeof text);
    printf("%-44s %18s\n", "what is counted, or not", "total");
    for (int i = 0; i < N_MISTAKES; i++) {
        uint64_t wrong = wrong_total(c, i);
        char number[32];
        if (wrong == total)
            continue;                   // no mistake with this model
        number_text(wrong, number, sizeof number);
        printf("%-44s %18s %+9.3f %%\n", mistakes[i].what, number,
               100.0 * ((double)wrong / (double)total - 1));
    }
    printf("%-44s %18s\n\n", "all of it, once", text);
    print_block_scales(c);
}
// @end mistakes-print

// @begin mistakes-json
void json_mistakes(json_out *json, const model_config *c)
{
    json_out_key(json, "mistakes");
    json_out_object(json);
    for (int i = 0; i < N_MISTAKES; i++) {
        json_out_key(json, mistakes[i].key);
        json_out_u64(json, wrong_total(c, i));
    }
    json_out_end(json);
}
// @end mistakes-json
