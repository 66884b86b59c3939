// How the calculator shows what it found.
#include "chapters/02-parameter-calculator/show.h"

#include <stdio.h>
#include <string.h>

#include "common/dtype.h"
#include "common/json_out.h"
#include "common/machine.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin show-bill
static void bill_line(const char *what, uint64_t count, uint64_t total,
                      const char *note)
{
    char number[32];
    double share = (double)count / (double)total;
    number_text(count, number, sizeof number);
    printf("%-26s %16s %5.1f %% ", what, number, 100.0 * share);
    terminal_bar(stdout, terminal_color(stdout), share, 16);
    printf(" %s\n", note);
}

void print_bill(const model_config *c)
{
    parameter_count n = config_count(c);
    char text[32], label[48];
    terminal_text(stdout, c->name, strlen(c->name));
    printf(": %d layers, width %d, %d query and %d key-value heads of %d,\n"
           "feed-forward %d, vocabulary %d\n\n", c->n_layers, c->d_model,
           c->n_heads, c->n_kv_heads, c->head_dim, c->d_ff, c->vocab_size);
    bill_line("embeddings", n.embedding, n.total, "");
    bill_line("  a layer: attention", n.attention, n.total, "");
    bill_line("  a layer: feed-forward", n.feed_forward, n.total, "");
    bill_line("  a layer: norms", n.norms, n.total, "");
    snprintf(label, sizeof label, "all %d layers", c->n_layers);
    bill_line(label, n.layers, n.total, "");
    bill_line("final norm", n.final_norm, n.total, "");
    if (n.rope_factors > 0)
        bill_line("rotation factors", n.rope_factors, n.total, "");
    bill_line("output head", n.output, n.total,
              c->tied_output ? "tied" : "");
    count_text(n.total, text, sizeof text);
    bill_line("total", n.total, n.total, text);
}
// @end show-bill

// @begin show-types
static const struct { const char *name; dtype type; } stored[] = {
    {"F32", DTYPE_F32}, {"F16", DTYPE_F16},
    {"Q8_0", DTYPE_Q8_0}, {"Q4_0", DTYPE_Q4_0},
};

static double bits_per_weight(dtype type)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    return 8.0 * info->block_bytes / info->block_size;
}
// @end show-types

// @begin show-weights
static void weights_line(const char *name, double bits, double bytes)
{
    char text[32];
    size_text((uint64_t)bytes, text, sizeof text);
    printf("  %-9s %5.2f bits a weight %14s\n", name, bits, text);
}

static void print_weights(double total, uint64_t file_bytes)
{
    printf("\nweights\n");
    if (file_bytes > 0)
        weights_line("this file", 8.0 * (double)file_bytes / total,
                     (double)file_bytes);
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++) {
        double bits = bits_per_weight(stored[i].type);
        weights_line(stored[i].name, bits, total * bits / 8);
    }
}
// @end show-weights

// @begin show-weights-2
// Which weights the machine has room for beside what running needs.
static void print_machine(double total, uint64_t file_bytes,
                          const memory_plan *plan)
{
    char text[32];
    int n_fit = 0;
    uint64_t available = machine_read_memory().available;
    size_text(available, text, sizeof text);
    printf("\nthis machine: %s free, %d cores", available == 0
           ? "an unknown amount of memory" : text, machine_cores());
    if (available == 0) {
        printf("\n");
        return;
    }
    double room = (double)available - (double)plan->total;
    printf("; room for weights in");
    if (file_bytes > 0 && (double)file_bytes <= room)
        n_fit += printf(" this file") > 0;
    for (size_t i = 0; i < sizeof stored / sizeof stored[0]; i++)
        if (total * bits_per_weight(stored[i].type) / 8 <= room)
            n_fit += printf(" %s", stored[i].name) > 0;
    printf(n_fit > 0 ? "\n" : " none of these types\n");
}
// @end show-weights-2

// @begin show-memory
void print_memory(const model_config *c, const plan_request *r,
                  const memory_plan *plan, uint64_t file_bytes)
{
    char text[32], number[32];
    double total = (double)config_count(c).total;
    print_weights(total, file_bytes);
    printf("\nrunning it: a context of %d, batches of %d, %d threads, cache "
           "of %s\n", r->n_ctx, r->n_batch, r->n_threads,
           dtype_name((uint32_t)r->cache_type));
    for (int i = 0; i < PLAN_PARTS; i++) {
        if (plan->bytes[i] == 0)
            continue;
        size_text(plan->bytes[i], text, sizeof text);
        number_text(plan->bytes[i], number, sizeof number);
        printf("  %-22s %12s %18s bytes\n", plan_part_name((plan_part)i),
               text, number);
    }
    size_text(plan->total, text, sizeof text);
    number_text(plan->total, number, sizeof number);
    printf("  %-22s %12s %18s bytes\n", "together", text, number);

    print_machine(total, file_bytes, plan);
}
// @end show-memory

// @begin show-json
lll_status print_json(const model_config *c, const memory_plan *plan,
                      lll_error *err)
{
    json_out json;
    parameter_count n = config_count(c);
    const struct { const char *key; uint64_t value; } counts[] = {
        {"embedding", n.embedding}, {"attention_per_layer", n.attention},
        {"feed_forward_per_layer", n.feed_forward},
        {"norms_per_layer", n.norms}, {"layers", n.layers},
        {"final_norm", n.final_norm}, {"output", n.output},
        {"rope_factors", n.rope_factors}, {"total", n.total},
    };
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "parameters");
    json_out_object(&json);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        json_out_key(&json, counts[i].key);
        json_out_u64(&json, counts[i].value);
    }
    json_out_end(&json);
    json_out_key(&json, "tied_output");
    json_out_bool(&json, c->tied_output);
    json_out_key(&json, "memory");
    json_out_object(&json);
    for (int i = 0; i < PLAN_PARTS; i++) {
        json_out_key(&json, plan_part_name((plan_part)i));
        json_out_u64(&json, plan->bytes[i]);
    }
    json_out_key(&json, "total");
    json_out_u64(&json, plan->total);
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end show-json
