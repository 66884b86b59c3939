#ifndef COMMON_GENERATE_H
#define COMMON_GENERATE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/latency.h"
#include "common/llama.h"
#include "common/sampler.h"
#include "common/tokenizer.h"

// @begin generate-types
// Text from a model: feed the prompt, then choose a token, feed it, and go
// on until something says stop. Taught in chapter 8.

typedef enum {
    FINISH_STOP,            // the model ended its text
    FINISH_LENGTH,          // max_tokens, or the context is full; no token
                            // at all: what is new fits no more
    FINISH_STOP_STRING,     // a text of `stops` appeared
    FINISH_INTERRUPTED      // *interrupted was set
} finish_reason;

typedef struct {
    sampler_params sampling;    // each call begins with its seed anew
    int sequence;               // which of the model's caches
    int max_tokens;             // -1: until the context is full; with
                                // context_shift that is never
    bool ignore_end;            // go on after the model ends, for measuring
    bool continues;             // another call will go on from here: leave
                                // all that was said in the cache
    bool special;               // write special tokens as their names
    bool context_shift;         // at the end of the context drop the older
                                // half of what stands behind `keep` tokens,
                                // and go on: see llama_remove()
    int keep;                   // 0..n_ctx - 1
    const char *const *stops;   // texts that end the answer; not written,
                                // at most PLAN_STOP_BYTES each
    int n_stops;
    // Called with text as it comes, in whole UTF-8 characters. NULL: none.
    void (*on_text)(void *context, const char *text, size_t n_bytes);
    void *context;
    const volatile sig_atomic_t *interrupted;   // NULL: cannot be
} generate_options;
// @end generate-types

// @begin generate-report
typedef struct {
    finish_reason reason;
    int prompt_tokens;
    int completion_tokens;      // the ending token included
    double prefill_seconds;     // from the call to the prompt's logits
    double first_token_seconds; // from the call to the first token
    double decode_seconds;      // from there to the last token
    latency token_times;        // each on this way
    uint64_t positions;         // that they looked at, in sum
    int dropped;                // tokens that context_shift took away
} generate_report;
// @end generate-report

// @begin generation-type
// Text between the model and the caller. Its end is held back as long as it
// could be the beginning of a stop string.
typedef struct {
    const generate_options *options;
    const tokenizer *words;
    utf8_stream characters;
    char *held;             // in the model's memory
    size_t n_held, capacity;
} text_stream;

// One text on its way, so that many can go on side by side: each in another
// sequence. It must stay where it is; only generation_begin() and
// generation_pass() write, but for `paused`.
typedef struct {
    generate_options options;
    text_stream out;
    sampler choose;
    int32_t chosen;         // the token that came last
    bool last;              // nothing is to be chosen behind it
    int before;             // positions of the cache without the prompt
    int waiting;            // tokens at the end of its history that are not
                            // in the cache: the prompt's, or the chosen one
    int row;                // of the pass at hand's logits; -1: none
    double start, latest;   // seconds: its beginning, the latest token
    bool paused;            // passes leave it out, until the caller says so:
                            // whoever reads it is too slow
    bool ended;             // what comes now is there to be read
    generate_report report;
    lll_status status;      // of this text alone, with its sentence
    lll_error error;
} generation;
// @end generation-type

// @begin generate-api
// sampler_defaults(), 256 tokens at most, and nobody who reads them.
generate_options generate_defaults(void);

// Append the prompt to a sequence of the model and generate. What was in its
// cache stays in front of it, so a conversation goes on by calling this with
// what is new. generate_history() tells what the cache holds.
//
// A prompt that would fit in the context, and does not behind what is there,
// is not an error: nothing is fed, and the reason is FINISH_LENGTH.
//
// LLL_ERR_ARGUMENT   the prompt is empty, or longer than the whole context
// LLL_ERR_ARGUMENT   with context_shift: `keep` is not within 0..n_ctx - 1
// LLL_ERR_ARGUMENT   a stop text is too long, or the plan was made for
//                    another vocabulary
// LLL_ERR_FORMAT     one of the model's logits is not a number
// *report is filled on LLL_OK only; NULL: nobody asks.
lll_status generate(llama *model, const tokenizer *words,
                    const int32_t *prompt, size_t n_prompt,
                    const generate_options *options,
                    generate_report *report, lll_error *err);

// @end generate-api

// @begin generation-api
// The same for several texts. Begin one in a sequence of its own, behind what
// is in its cache; the prompt is copied. Errors as above, and
// LLL_ERR_ARGUMENT   there is no such sequence
// On failure *g has ended.
lll_status generation_begin(generation *g, llama *model,
                            const tokenizer *words, const int32_t *prompt,
                            size_t n_prompt, const generate_options *options,
                            lll_error *err);

// One pass of the model for all of texts[0..n-1] that have not ended: their
// next tokens go in, parts of prompts beside tokens of answers, and where a
// text's last token is in, the next one is chosen. Of texts that have ended
// others may take the place between two passes.
//
// n   at most n_outputs of the plan: each may want a row of logits
//
// What goes wrong with one text ends that text, and is its `status`. The
// errors of llama_forward() end all.
// The text of each is what it would be alone, to the last bit.
lll_status generation_pass(llama *model, generation *texts, int n,
                           lll_error *err);
// @end generation-api

// @begin generate-parts
// Feed tokens to a sequence in batches of at most n_batch, and give the
// logits of the last.
//
// interrupted   looked at before each batch; NULL: cannot be
//
// LLL_ERR_ARGUMENT      there are no tokens, or they do not fit
// LLL_ERR_INTERRUPTED   it was set
// and the errors of llama_forward(). On failure the cache is as it was before
// the call.
lll_status generate_prefill(llama *model, int sequence, const int32_t *ids,
                            size_t n_ids,
                            const volatile sig_atomic_t *interrupted,
                            const float **logits, lll_error *err);

// The tokens of a sequence, as many as its cache is long.
int32_t *generate_history(const llama *model, int sequence);

// "stop", "length", "stop string", "interrupted"
const char *finish_reason_name(finish_reason reason);
// @end generate-parts

#endif
