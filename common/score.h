#ifndef COMMON_SCORE_H
#define COMMON_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/llama.h"

// @begin score-api
// How well a model foresees a text. Taught in chapter 8.

typedef struct {
    uint64_t n_scored;      // tokens whose probability was asked
    double nll;             // mean of -log(probability), natural logarithm
    double perplexity;      // e^nll: as uncertain as a fair choice among this
                            // many tokens
} text_score;

// Score a text in windows of the context's length without overlap. The first
// token of each window is given and not scored. Sequence 0 is emptied for
// each window and left holding the last.
//
// progress   called after each batch with the number of tokens done; may be
//            NULL
//
// LLL_ERR_ARGUMENT   fewer than two tokens, or windows of one
// LLL_ERR_FORMAT     the model's logits are not numbers
lll_status score_text(llama *model, const int32_t *ids, size_t n_ids,
                      void (*progress)(void *context, size_t n_done),
                      void *context, text_score *score, lll_error *err);
// @end score-api

#endif
