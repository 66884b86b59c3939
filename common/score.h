#ifndef COMMON_SCORE_H
#define COMMON_SCORE_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/llama.h"

// @begin score-rival
// How well a model foresees a text, alone or beside another. Taught in
// chapter 8. Source of the divergence: Kullback and Leibler 1951.

// Another model that reads the same tokens, and how far it is from the first.
typedef struct {
    llama *model;           // of the same vocabulary; n_ctx, n_batch and
                            // n_outputs as large as the first's, or larger
    double sum;             // of its log(probability) of what came
    double divergence;      // sum of D(p || q), in natural units: p what the
                            // first expects of the next token, q this one
    uint64_t n_same;        // both find one token the most likely
} score_rival;
// @end score-rival

// @begin score-api
typedef struct {
    uint64_t n_scored;      // tokens whose probability was asked
    double nll;             // mean of -log(probability), natural logarithm
    double perplexity;      // e^nll: as uncertain as a fair choice among this
                            // many tokens
    double sum;             // of log(probability), until score_finish()
    score_rival *rival;     // compared at each token; or NULL
    double *each;           // room for the log(probability) of each token
                            // that is scored, of all windows: the next goes
                            // to each[n_scored]; or NULL
    // Called after each batch with the tokens done of the window; or NULL.
    void (*progress)(void *context, size_t n_done);
    void *context;
    // Looked at before each batch; NULL: cannot be.
    const volatile sig_atomic_t *interrupted;
} text_score;

// Score a text in windows without overlap, one call for each, beginning with
// a text_score with zeros in what is counted. A window has 1 to n_ctx tokens
// (0 does nothing). Its first token is given and not scored. The sequence is
// emptied and left holding the window; so is the rival's.
// LLL_ERR_INTERRUPTED   *interrupted was set
// and the errors of llama_forward(). On failure what was scored so far is
// counted.
lll_status score_window(llama *model, int sequence, const int32_t *ids,
                        size_t n_ids, text_score *score, lll_error *err);

// What all windows came to.
// LLL_ERR_ARGUMENT   no token was scored: the text has fewer than two, or
//                    the windows had one each
// LLL_ERR_FORMAT     the model's logits are not numbers
lll_status score_finish(text_score *score, lll_error *err);
// @end score-api

#endif
