#ifndef CHAPTERS_08_OPTIONS_H
#define CHAPTERS_08_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/args.h"
#include "common/error.h"
#include "common/sampler.h"

// @begin options-settings
// What the command line asks for.
typedef struct {
    const char *model, *prompt, *prompt_file;
    const char *requantize, *cache_dir;     // the model in another type
    const char *system;             // of a conversation
    const char *chat_template, *save, *resume;
    const char *compare, *compare_quant;    // a model beside others,
    args_list others;               // which are these
    const char *label;              // one of them, for its answer
    bool chat, show_prompt;
    const char *perplexity;         // a text file to score
    const char *importance;         // a file for what its columns met
    bool logits;                    // the best next tokens
    const char *batch_file;         // prompts, one a line
    int64_t parallel;               // of them at once; 0: 8
    bool embed, unscaled;           // what a text is about
    const char *pooling;            // NULL: mean
    bool doctor;                    // what is wrong with the file
    const char *trace;              // a file for every intermediate
    bool json, quiet, plan, report, probe;
    args_texts stops;
    int64_t n_predict;              // -1: until the context is full
    bool ignore_end, special, context_shift;
    int64_t keep;                   // tokens that no shift drops
    sampler_params sampling;
    int64_t seed, top_k, repeat_last_n;
    int64_t n_ctx, n_batch, n_threads;
    const char *activations, *cache_type, *isa, *pre;
    bool fit, version;
} settings;
// @end options-settings

// @begin options-api
#define TINY_MODEL "data/tiny.gguf"     // when nobody names another
enum { MAX_OPTIONS = 96, MOST_PARALLEL = 64 };

settings settings_defaults(void);

// Describe every option in list[0..MAX_OPTIONS-1]; gives how many there are.
size_t settings_list(settings *s, args_option *list);

// What the list cannot check, and what follows from it: the seed that a -1
// asks for, numbers in the types in which they are used.
lll_status settings_check(settings *s, lll_error *err);
// @end options-api

#endif
