#ifndef CHAPTERS_08_VERBS_H
#define CHAPTERS_08_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/args.h"
#include "common/error.h"
#include "common/generate.h"
#include "common/session.h"

// @begin verbs-settings
// What the command line asks for.
typedef struct {
    const char *model, *prompt, *prompt_file;
    const char *system;             // of a conversation
    bool chat;
    const char *perplexity;         // a text file to score
    bool logits;                    // the best next tokens
    const char *trace;              // a file for every intermediate
    bool json, quiet, plan;
    args_texts stops;
    int64_t n_predict;              // -1: until the context is full
    bool ignore_end, special;
    sampler_params sampling;
    int64_t seed, top_k, repeat_last_n;
    int64_t n_ctx, n_batch, n_threads;
    const char *activations, *cache_type, *isa, *pre;
    bool fit, version, help;
} settings;
// @end verbs-settings

// @begin verbs-api
// Give standard input and output buffers of our own.
void own_buffers(void);

// The prompt, from the command line or its file, as token numbers that are
// valid until the next text.
lll_status read_prompt(const session *s, const settings *set,
                       const int32_t **ids, size_t *n_ids, lll_error *err);

// Each verb runs on an open model and writes its result to standard output.
lll_status verb_generate(session *s, const settings *set, lll_error *err);
lll_status verb_chat(session *s, const settings *set, lll_error *err);
lll_status verb_logits(session *s, const settings *set, lll_error *err);
lll_status verb_perplexity(session *s, const settings *set, lll_error *err);
lll_status verb_trace(session *s, const settings *set, lll_error *err);
lll_status verb_plan(session *s, const settings *set, lll_error *err);
// @end verbs-api

#endif
