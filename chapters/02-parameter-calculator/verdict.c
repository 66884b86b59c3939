// Does it fit, and what would?
#include "chapters/02-parameter-calculator/memory.h"

#include <stdio.h>

#include "common/machine.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin verdict-line
static void fits_line(const char *what, size_t need, size_t memory)
{
    char needed[32], rest[32];
    bytes_text(need, needed, sizeof needed);
    size_text(need > memory ? need - memory : memory - need, rest,
              sizeof rest);
    if (need == SIZE_MAX)
        printf("  %-28s %11s  does not fit\n", what, needed);
    else if (need > memory)
        printf("  %-28s %11s  does not fit: %s too much\n", what, needed,
               rest);
    else
        printf("  %-28s %11s  fits, with %s to spare\n", what, needed, rest);
}
// @end verdict-line

// @begin verdict-longest
static void longest_line(const char *what, int n, int most, const char *of)
{
    char number[32];
    number_text((uint64_t)n, number, sizeof number);
    if (n == 0)
        printf("  %-28s %11s\n", what, "none");
    else
        printf("  %-28s %11s  %s%s\n", what, number, of,
               n == most ? ", all that the model has" : "");
}

static void print_longest(const cost_question *q)
{
    const model_config *c = q->config;
    const stored_type *best = advice_type(c, &q->run, q->memory);
    const training_way *way = advice_training(c, &q->training, q->memory);
    char what[64];
    snprintf(what, sizeof what, "longest context as %s", q->weights);
    longest_line(what, advice_context(c, q->weight_bytes, &q->run,
                                      q->memory),
                 c->context_length, "positions");
    longest_line("longest block in training",
                 advice_block(c, &q->training, q->memory),
                 c->context_length, "tokens");
    snprintf(what, sizeof what, "best type at %d positions", q->run.n_ctx);
    printf("  %-28s %11s\n", what, best == NULL ? "none" : best->name);
    printf("  %-28s %11s\n", "training that fits",
           way == NULL ? "none" : way->name);
}
// @end verdict-longest

// @begin verdict-print
void print_verdict(const cost_question *q)
{
    char text[32], what[64];
    const model_config *c = q->config;
    size_text(q->memory, text, sizeof text);
    if (q->memory_said)
        printf("\nin %s:\n", text);
    else if (q->memory > 0)
        printf("\nthis machine: %s free, %d cores\n", text, machine_cores());
    else
        printf("\nthis machine: an unknown amount of memory; --memory 16G "
               "gives one\n");
    if (q->memory > 0) {
        snprintf(what, sizeof what, "running it as %s",
                 q->weights);
        fits_line(what, advice_run_bytes(c, q->weight_bytes, &q->run),
                  q->memory);
        fits_line("training it, as above",
                  cost_training(c, &q->training).total, q->memory);
        print_longest(q);
    }
    short_count(config_count(c).total, text, sizeof text);
    printf("  with %s weights: %s\n", text,
           advice_by_size(config_count(c).total));
}
// @end verdict-print
