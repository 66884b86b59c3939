// What the weights weigh, what running needs, and what training needs.
#include "chapters/02-parameter-calculator/memory.h"

#include <stdio.h>

#include "common/size.h"
#include "common/terminal.h"

// @begin memory-lines
void bytes_text(size_t bytes, char *text, size_t capacity)
{
    if (bytes == SIZE_MAX)
        snprintf(text, capacity, "too much");
    else
        size_text(bytes, text, capacity);
}

void bytes_line(const char *name, size_t bytes)
{
    char text[32], number[32];
    bytes_text(bytes, text, sizeof text);
    number_text(bytes, number, sizeof number);
    printf("  %-24s %12s", name, text);
    if (bytes == SIZE_MAX)
        printf("\n");
    else
        printf(" %20s bytes\n", number);
}
// @end memory-lines

// @begin memory-weights
// Numbers of four digits: 0.8735, 18.02, 1234.
static void speed_text(double tokens, char *text, size_t capacity)
{
    int digits = tokens < 10 ? 3 : tokens < 100 ? 2 : tokens < 1000 ? 1 : 0;
    snprintf(text, capacity, "%.*f", digits, tokens);
}

static void weights_line(const cost_question *q, const char *name,
                         double number_bytes, size_t bytes)
{
    char size[32], empty[16], full[16];
    double positions = q->run.n_ctx;
    bytes_text(bytes, size, sizeof size);
    printf("  %-10s %9.2f %12s", name, 8 * number_bytes, size);
    if (q->bandwidth > 0) {
        speed_text(q->bandwidth / cost_token_bytes(
                       q->config, number_bytes, q->run.cache_type, 0),
                   empty, sizeof empty);
        speed_text(q->bandwidth / cost_token_bytes(
                       q->config, number_bytes, q->run.cache_type, positions),
                   full, sizeof full);
        printf(" %12s %12s", empty, full);
    }
    printf("\n");
}
// @end memory-weights

// @begin memory-cache
static void print_cache(const cost_question *q)
{
    static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0};
    char one[32], all[32];
    size_t n_texts = (size_t)q->run.n_sequences;
    printf("\ncache          a position ");
    if (n_texts > 1)
        printf("%zu x %d of them\n", n_texts, q->run.n_ctx);
    else
        printf("%8d of them\n", q->run.n_ctx);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (plan_kv_check(types[i], q->config->head_dim, NULL) != LLL_OK)
            continue;
        bytes_text(cost_cache_position(q->config, types[i]), one, sizeof one);
        bytes_text(size_times(n_texts, plan_kv_cache(q->config, types[i],
                                                     q->run.n_ctx)),
                   all, sizeof all);
        printf("  %-8s %14s %16s\n", dtype_name((uint32_t)types[i]), one,
               all);
    }
}
// @end memory-cache

// @begin memory-operations
static void operations_text(double n, char *text, size_t capacity)
{
    if (n < 0x1p64)
        count_text((uint64_t)n, text, capacity);
    else
        snprintf(text, capacity, "too much");
}

static void operations_line(const char *name, double forward,
                            double training)
{
    char once[32], with[32];
    operations_text(forward, once, sizeof once);
    operations_text(training, with, sizeof with);
    printf("  %-28s %10s %12s\n", name, once, with);
}

static void print_operations(const cost_question *q)
{
    operation_count f = cost_forward(q->config, q->run.n_ctx);
    operation_count t = cost_forward_backward(q->config, &q->training);
    printf("\noperations of a token           forward  in training\n");
    operations_line("with weights", f.matrices, t.matrices);
    operations_line("with keys and values", f.attention, t.attention);
    printf("  (forward it sees %d positions, in training half of %d)\n",
           q->run.n_ctx, q->training.activations.n_block);
}
// @end memory-operations

// @begin memory-print-weights
void print_weights(const cost_question *q)
{
    const model_config *c = q->config;
    char with[32];
    snprintf(with, sizeof with, "with %d", q->run.n_ctx);
    printf("\nweights         bits each        bytes");
    if (q->bandwidth > 0)
        printf("    tokens/s %12s", with);
    printf("\n");
    if (q->file_bytes > 0)
        weights_line(q, "this file", q->number_bytes, q->tensor_bytes);
    for (int i = 0; i < N_STORED_TYPES; i++) {
        char name[32];
        const stored_type *s = &stored_types[i];
        snprintf(name, sizeof name, "%-5s%s", s->name,
                 dtype_name((uint32_t)s->type));
        weights_line(q, name, cost_number_bytes(c, s->type),
                     cost_weights(c, s->type));
    }
    if (q->bandwidth > 0)
        printf("  (at most, reading %.1f GB/s: from an empty cache and from "
               "one of %d)\n", q->bandwidth / 1e9, q->run.n_ctx);
    if (q->one_core > 0)
        printf("  (measured here; one core alone reads %.1f GB/s, all in "
               "order %.1f)\n", q->one_core / 1e9, q->in_order / 1e9);
    print_cache(q);
    print_operations(q);
}
// @end memory-print-weights

// @begin memory-plan
void print_plan(const cost_question *q, const memory_plan *plan)
{
    printf("\nrunning it: a context of %d, batches of %d, %d threads, cache "
           "of %s", q->run.n_ctx, q->run.n_batch, q->run.n_threads,
           dtype_name((uint32_t)q->run.cache_type));
    if (q->run.n_sequences > 1)
        printf(",\n  %d texts side by side", q->run.n_sequences);
    printf("\n");
    for (int i = 0; i < PLAN_PARTS; i++)
        if (plan->bytes[i] > 0)
            bytes_line(plan_part_name((plan_part)i), plan->bytes[i]);
    bytes_line("together", plan->total);
    if (q->file_bytes > 0)
        bytes_line("and mapped, the file", (size_t)q->file_bytes);
}
// @end memory-plan

// @begin memory-training
void print_training(const cost_question *q)
{
    training_request r = q->training;
    training_cost t = cost_training(q->config, &r);
    printf("\ntraining it: %d x %d tokens, in %s, %s",
           r.activations.n_batch, r.activations.n_block,
           r.activations.half ? "half precision" : "floats",
           r.activations.checkpoint ? "with checkpoints"
                                    : "all kept");
    if (r.lora_rank > 0) {
        char count[32];
        number_text(t.n_trained, count, sizeof count);
        printf(",\n  %s numbers in adapters of rank %d", count, r.lora_rank);
    }
    printf("\n");
    for (int i = 0; i < TRAIN_PARTS; i++)
        if (t.bytes[i] > 0)
            bytes_line(train_part_name((train_part)i), t.bytes[i]);
    bytes_line("together", t.total);
    r.activations.checkpoint = !r.activations.checkpoint;
    bytes_line(r.activations.checkpoint ? "with checkpoints"
                                        : "without checkpoints",
               cost_training(q->config, &r).total);
}
// @end memory-training
