// What is asked about a model's memory and speed, from the command line.
#include "chapters/02-parameter-calculator/memory.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/machine.h"
#include "common/probe.h"
#include "common/size.h"

// @begin question-options
const cost_settings cost_defaults = {
    .lora_matrices = "q,v",
};

size_t cost_options(cost_settings *s, args_option *rows)
{
    const args_option list[] = {
        ARGS_HEADING("Memory, speed and training"),
        ARGS_TEXT(NULL, "--memory", "SIZE", &s->memory,
                  "for the verdict: 16G (default: what is free here)"),
        ARGS_INT(NULL, "--bits", "N", &s->bits, 0, 32, "of a weight, for the "
                 "verdict: 4, 8, 16, 32 (0: the file's, or 4)"),
        ARGS_REAL(NULL, "--bandwidth", "N", &s->bandwidth, 0, 1e6,
                  "GB of memory read in a second"),
        ARGS_FLAG(NULL, "--probe", &s->probe, "measure that"),
        ARGS_INT(NULL, "--train-batch", "N", &s->n_texts, 0, 1 << 16,
                 "texts in a step of training (0: the model's, or 8)"),
        ARGS_INT(NULL, "--train-block", "N", &s->n_block, 0, 1 << 24,
                 "tokens of a text in training (0: at most 1024)"),
        ARGS_FLAG(NULL, "--mixed", &s->mixed, "train in half precision, "
                  "with a copy of the weights as floats"),
        ARGS_FLAG(NULL, "--checkpoint", &s->checkpoint,
                  "train keeping only the input of each layer"),
        ARGS_INT(NULL, "--lora-rank", "N", &s->lora_rank, 0, 1 << 14,
                 "train adapters of this rank (0: all weights)"),
        ARGS_TEXT(NULL, "--lora-matrices", "LIST", &s->lora_matrices,
                  "that have them: q,k,v,o,gate,up,down or all"),
        ARGS_TEXT(NULL, "--table", "NAME", &s->table, "print one table: "
                  "hardware, context, gpus, block-size or activations"),
    };
    memcpy(rows, list, sizeof list);
    return sizeof list / sizeof list[0];
}
// @end question-options

// @begin question-size
// "16G", "512 mb", "1.5GiB", "17179869184": powers of 1024.
static lll_status read_size(const char *text, size_t *out, lll_error *err)
{
    static const char units[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    bool nothing = end == text, hexadecimal = strpbrk(text, "xX") != NULL;
    end += strspn(end, " ");
    const char *unit = *end == '\0' ? NULL
                       : strchr(units, toupper((unsigned char)*end));
    if (unit != NULL) {
        for (const char *u = units; u <= unit; u++)
            value *= 1024;
        end++;
        end += (*end == 'i' || *end == 'I') && end[1] != '\0';
        end += *end == 'b' || *end == 'B';
    }
    // Negated, so that NaN is refused too.
    if (*end != '\0' || nothing || hexadecimal
        || !(value >= 1 && value < 0x1p53))
        return lll_fail(err, LLL_ERR_USAGE, "--memory %s: expected a size "
                        "such as 16G or 512M", text);
    *out = (size_t)value;
    return LLL_OK;
}
// @end question-size

// @begin question-probe
static lll_status measure(const cost_settings *s, cost_question *q,
                          lll_error *err)
{
    memory_speed speed;
    uint64_t available = machine_read_memory().available;
    uint64_t caches = machine_cache_bytes();
    size_t block = probe_block_bytes(available, caches);
    q->bandwidth = 1e9 * s->bandwidth;
    if (!s->probe)
        return LLL_OK;
    if (block == 0)
        return lll_fail(err, LLL_ERR_MEMORY, "--probe: found %" PRIu64
                        " bytes of free memory and %" PRIu64 " bytes of "
                        "cache, expected eight times as much memory as "
                        "cache; use --bandwidth", available, caches);
    lll_status status = probe_memory(block, machine_cores(), 0.4, &speed,
                                     err);
    if (status != LLL_OK)
        return status;
    q->one_core = speed.one_core;
    q->in_order = speed.in_order;
    q->bandwidth = speed.all_cores;
    // A second core can only be a hindrance while the first has it all.
    if (q->bandwidth < q->one_core)
        q->bandwidth = q->one_core;
    return LLL_OK;
}
// @end question-probe

// @begin question-for
enum { USUAL_TEXTS = 8, USUAL_BLOCK = 1024 };

static int smaller(int a, int b) { return a < b ? a : b; }

cost_question cost_question_for(const cost_question *question,
                                const model_config *c)
{
    cost_question q = *question;
    activation_request *kept = &q.training.activations;
    q.config = c;
    q.run.n_ctx = smaller(q.run.n_ctx, c->context_length);
    q.run.n_batch = smaller(q.run.n_batch, q.run.n_ctx);
    kept->n_batch = q.n_texts > 0 ? q.n_texts
                    : c->batch_size > 0 ? c->batch_size : USUAL_TEXTS;
    kept->n_block = smaller(kept->n_block, c->context_length);
    return q;
}
// @end question-for

// @begin question-training
static lll_status read_training(const cost_settings *s, cost_question *q,
                                lll_error *err)
{
    training_request *t = &q->training;
    if (s->n_block > q->config->context_length)
        return lll_fail(err, LLL_ERR_USAGE, "--train-block %" PRId64
                        ": expected at most the model's %d positions",
                        s->n_block, q->config->context_length);
    t->activations.n_block = s->n_block > 0 ? (int)s->n_block : USUAL_BLOCK;
    t->activations.half = s->mixed;
    t->activations.checkpoint = s->checkpoint;
    t->lora_rank = (int)s->lora_rank;
    t->lora_matrices = lora_matrices(s->lora_matrices);
    t->frozen_type = q->weight_type;
    if (t->lora_matrices == 0)
        return lll_fail(err, LLL_ERR_USAGE, "--lora-matrices %s: expected "
                        "some of q,k,v,o,gate,up,down, or all",
                        s->lora_matrices);
    if (s->lora_rank == 0 && s->lora_matrices != cost_defaults.lora_matrices)
        return lll_fail(err, LLL_ERR_USAGE, "--lora-matrices names what has "
                        "adapters; add --lora-rank");
    if (s->lora_rank > 0 && cost_adapters(q->config, 1, t->lora_matrices)
        == 0)
        return lll_fail(err, LLL_ERR_USAGE, "--lora-matrices %s: found no "
                        "such matrix in this model, expected one that it "
                        "has", s->lora_matrices);
    q->n_texts = (int)s->n_texts;
    *q = cost_question_for(q, q->config);
    return LLL_OK;
}
// @end question-training

// @begin question-weights
// A file is mapped whole, and its tensors alone are what a token reads.
static void weigh_file(const gguf_file *file, cost_question *q)
{
    size_t n = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        q->tensor_bytes = size_plus(q->tensor_bytes,
                                    file->tensors[i].n_bytes);
        n = size_plus(n, file->tensors[i].n_elements);
    }
    q->file_bytes = file->n_bytes;
    q->number_bytes = n > 0 ? (double)q->tensor_bytes / (double)n : 0;
}

static lll_status read_weights(const cost_settings *s, const gguf_file *file,
                               cost_question *q, lll_error *err)
{
    int64_t bits = s->bits > 0 ? s->bits : 4;
    for (int i = 0; i < N_STORED_TYPES; i++)
        if (stored_types[i].bits == bits) {
            q->weights = stored_types[i].name;
            q->weight_type = stored_types[i].type;
        }
    if (q->weights == NULL)
        return lll_fail(err, LLL_ERR_USAGE, "--bits %" PRId64
                        ": expected 4, 8, 16 or 32", s->bits);
    q->weight_bytes = cost_weights(q->config, q->weight_type);
    weigh_file(file, q);
    if (s->bits == 0 && q->file_bytes > 0) {
        q->weights = "this file";
        q->weight_bytes = (size_t)q->file_bytes;
    }
    return LLL_OK;
}
// @end question-weights

// @begin question-prepare
lll_status cost_prepare(const cost_settings *s, const model_config *c,
                        const plan_request *run, const gguf_file *file,
                        cost_question *question, lll_error *err)
{
    cost_question q = {.config = c, .run = *run};
    lll_status status = read_weights(s, file, &q, err);
    q.memory = (size_t)machine_read_memory().available;
    q.memory_said = s->memory != NULL;
    if (status == LLL_OK && q.memory_said)
        status = read_size(s->memory, &q.memory, err);
    if (status == LLL_OK)
        status = read_training(s, &q, err);
    if (status == LLL_OK)
        status = measure(s, &q, err);
    if (status == LLL_OK)
        *question = q;
    return status;
}
// @end question-prepare
