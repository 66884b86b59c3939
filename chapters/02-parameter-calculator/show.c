// How the calculator shows what it found.
#include "chapters/02-parameter-calculator/show.h"

#include <stdio.h>
#include <string.h>

#include "common/dtype.h"
#include "common/machine.h"
#include "common/size.h"
#include "common/terminal.h"

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
void json_memory(json_out *json, const memory_plan *plan)
{
    json_out_key(json, "memory");
    json_out_object(json);
    for (int i = 0; i < PLAN_PARTS; i++) {
        json_out_key(json, plan_part_name((plan_part)i));
        json_out_u64(json, plan->bytes[i]);
    }
    json_out_key(json, "total");
    json_out_u64(json, plan->total);
    json_out_end(json);
}
// @end show-json
