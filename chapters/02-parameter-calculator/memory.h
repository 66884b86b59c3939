#ifndef CHAPTERS_02_MEMORY_H
#define CHAPTERS_02_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/advice.h"
#include "common/args.h"
#include "common/config.h"
#include "common/cost.h"
#include "common/error.h"
#include "common/gguf.h"
#include "common/json_out.h"
#include "common/plan.h"

// @begin memory-settings
// What the command line says about memory, speed and training.
typedef struct {
    const char *memory;         // "16G"; NULL for what this machine has free
    double bandwidth;           // 10^9 bytes a second; 0 for not said
    bool probe;                 // measure it
    int64_t bits;               // 0: those of the file, or 4
    int64_t n_texts, n_block;   // of a step of training, and the tokens of
                                // each; 0: not said
    bool mixed, checkpoint;
    int64_t lora_rank;
    const char *lora_matrices;
    const char *table;
} cost_settings;

extern const cost_settings cost_defaults;

// Write the rows of these options to `rows`, and tell how many they are.
enum { N_COST_OPTIONS = 12 };
size_t cost_options(cost_settings *settings, args_option *rows);
// @end memory-settings

// @begin memory-question
// A model, and what is asked about it, checked and filled in.
typedef struct {
    const model_config *config;
    plan_request run;
    uint64_t file_bytes;        // mapped, of the file it came from, or 0
    size_t tensor_bytes;        // of its tensors alone
    double number_bytes;        // of one of their numbers
    size_t memory;              // bytes; 0 where nobody knows
    bool memory_said;           // by the user, not by this machine
    double bandwidth;           // bytes a second; 0 where nobody knows
    double one_core;            // of one thread, when measured
    double in_order;            // of all, reading byte after byte
    const char *weights;        // "Q4", of --bits, or "this file"
    size_t weight_bytes;        // of those, or of the whole file
    dtype weight_type;          // of --bits; 4 bits where a file is meant
    int n_texts;                // of --train-batch; 0: each model's own
    training_request training;
} cost_question;

// Fill in what follows from the settings, the machine and the model, and
// measure if that is wanted. `config` is borrowed; `file` is the one that it
// came from, without tensors where it came from none.
// LLL_ERR_USAGE   a value that makes no sense: which; else as probe_memory()
lll_status cost_prepare(const cost_settings *settings,
                        const model_config *config, const plan_request *run,
                        const gguf_file *file, cost_question *question,
                        lll_error *err);

// The same question about another model: contexts, blocks and batches as far
// as it has them. `config` is borrowed.
cost_question cost_question_for(const cost_question *question,
                                const model_config *config);
// @end memory-question

// @begin memory-show
void print_weights(const cost_question *q);
void print_plan(const cost_question *q, const memory_plan *plan);
void print_training(const cost_question *q);
void print_verdict(const cost_question *q);

// One table, as text or JSON: hardware, context, gpus, block-size or
// activations. "gpus" is about the n_configs models of `configs`.
// LLL_ERR_USAGE   another name
lll_status print_table(const char *name, const cost_question *q,
                       const model_config *configs, int n_configs, bool json,
                       lll_error *err);

// The plan, and all the rest, as members of the object that is open.
void json_plan(json_out *json, const memory_plan *plan,
               const cost_question *q);
void json_costs(json_out *json, const cost_question *q);

// "  name           16.00 GiB     17,179,869,184 bytes"
void bytes_line(const char *name, size_t bytes);
// "1.10B", "135M": what people call a model of so many parameters.
void short_count(uint64_t count, char *text, size_t capacity);
// "16.00 GiB", or "too much" for a size that does not fit in size_t.
void bytes_text(size_t bytes, char *text, size_t capacity);
// @end memory-show

#endif
