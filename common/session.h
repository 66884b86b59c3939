#ifndef COMMON_SESSION_H
#define COMMON_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/generate.h"
#include "common/gguf.h"
#include "common/llama.h"
#include "common/tokenizer.h"

// @begin session-version
// Of the library, for those who install it: the interface is that of these
// headers, and may change with any number before the last point.
#define LLL_VERSION "0.8.0"
// @end session-version

// @begin session-options
// A model file, open and ready: everything that a program needs to run it.
//
//     session run;
//     lll_status s = session_open(&run, "model.gguf", NULL, &err);
//     ... llama_forward(&run.model, ...), generate(&run.model, ...)
//     session_close(&run);
//
// Taught in chapter 8.

typedef struct {
    int n_ctx;              // 0: the model's, but at most 4096
    int n_batch;
    int n_outputs;
    int n_threads;          // 0: one for each core
    int n_sequences;
    const char *cache_type; // "f32", "f16", "q8_0"; NULL: f32 where
                            // activations are floats, else f16
    bool float_activations; // multiply floats, not int8 codes
    const char *isa;        // NULL: the fastest
    const char *pre;        // pre-tokenizer in place of the file's; or NULL
    const char *trace;      // a trace will be written there; or NULL
    const char *importance; // or what columns met (importance.h)
    const char *save;       // or a talk (talk.h)
    bool plan_only;         // stop before the model's memory is asked for:
                            // only file, config, words and plan are there
    bool fit;               // take smaller steps until memory suffices
    // Called with a line for each step that `fit` takes. NULL: none.
    void (*note)(const char *line);
} session_options;
// @end session-options

// @begin session-struct
typedef struct {
    gguf_file file;
    model_config config;
    tokenizer words;
    plan_request request;   // what was asked for, after `fit`
    memory_plan plan;       // and all that it takes
    uint64_t available;     // memory in bytes that was free before; 0 where
                            // the system does not say
    llama model;
    double load_seconds;
} session;
// @end session-struct

// @begin session-api
session_options session_defaults(void);

// options   NULL: the defaults
//
// LLL_ERR_MEMORY   the plan needs more than the machine has free: how much,
//                  how much there is, and which flag helps
// and the errors of gguf_open(), config_from_gguf(), tokenizer_init() and
// llama_init(). On failure *s is zeroed.
lll_status session_open(session *s, const char *path,
                        const session_options *options, lll_error *err);
void session_close(session *s);     // accepts a zeroed struct
// @end session-api

// @begin session-text
// Begin to encode a text that is taken as it is: special tokens in it are
// matched, and BOS comes first where the file asks for it, once. Then
// tokenizer_more() gives the tokens, in memory that was planned before,
// however long the text is. One text at a time; it must stay until its end.
//
// LLL_ERR_NOT_FOUND   BOS is asked for and the file names none
// LLL_ERR_OVERFLOW    its first word is longer than the plan has room for
lll_status session_text(const session *s, const char *text, size_t n_bytes,
                        tokenizer_encoder *out, lll_error *err);

// All of a text that must fit in the context. *ids points to s->model.ids
// and is valid until the next text. Filled only on LLL_OK.
// LLL_ERR_ARGUMENT    it has more tokens than the context has places
// LLL_ERR_OVERFLOW    a word is longer than the plan has room for
lll_status session_encode(const session *s, const char *text, size_t n_bytes,
                          const int32_t **ids, size_t *n_ids,
                          lll_error *err);
// @end session-text

// @begin session-generate
// Continue a text that is taken as it is: session_encode(), then generate()
// behind what the sequence holds. The errors of both.
lll_status session_generate(session *s, const char *text,
                            const generate_options *options,
                            generate_report *report, lll_error *err);
// @end session-generate

#endif
