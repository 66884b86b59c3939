#ifndef COMMON_DOCTOR_H
#define COMMON_DOCTOR_H

#include <stdbool.h>

#include "common/error.h"
#include "common/gguf.h"
#include "common/session.h"

// What is wrong with a model file that loads, runs and talks nonsense, or
// that does not load. Taught in chapter 8.
//
//     doctor_report report;
//     session_options options = session_defaults();
//     lll_status s = doctor_examine(&report, "model.gguf", &options, NULL,
//                                   NULL, &err);
//     ... report.rows[DOCTOR_BASE].found, report.n_sick

// @begin doctor-checks
// In the order in which they are made: what a file says of itself, what
// bytes it holds, how one talks with it, and how it foresees a text.
typedef enum {
    DOCTOR_FILE, DOCTOR_VOCABULARY, DOCTOR_SHAPE, DOCTOR_NUMBERS,
    DOCTOR_TEMPLATE, DOCTOR_BOS, DOCTOR_TEXT, DOCTOR_PAIRS, DOCTOR_BASE,
    DOCTOR_EPSILON, DOCTOR_GATE, DOCTOR_CHECKS
} doctor_check;

typedef enum {
    DOCTOR_UNSEEN,              // could not be looked at
    DOCTOR_GOOD,
    DOCTOR_UNUSUAL,             // worth knowing, and no fault as far as seen
    DOCTOR_SICK
} doctor_verdict;
// @end doctor-checks

// @begin doctor-report
typedef struct {
    doctor_verdict verdict;
    char found[512];            // may hold names from the file
} doctor_row;

typedef struct {
    doctor_row rows[DOCTOR_CHECKS];
    int n_sick;
} doctor_report;
// @end doctor-report

// @begin doctor-api
// Examine a model file.
//
// options    as for session_open(), which runs the model; the sizes of
//            context and batch are the doctor's
// progress   called now and then with the share that is done; or NULL
//
// LLL_OK           examined, sick or not; *report is filled
// LLL_ERR_MEMORY   no room to run the model or the trials
// and LLL_ERR_ARGUMENT or LLL_ERR_UNSUPPORTED for options that no model, or
// not this one, could run with.
// Costs a pass over all weights, about ten over a text of 200 tokens, and as
// many again for each fault found there; and room for the rows of all
// queries and keys once more, beside what the model takes.
lll_status doctor_examine(doctor_report *report, const char *path,
                          const session_options *options,
                          void (*progress)(void *context, double share),
                          void *context, lll_error *err);

const char *doctor_check_name(doctor_check check);
const char *doctor_verdict_name(doctor_verdict verdict);
// What helps where this check finds a fault.
const char *doctor_remedy(doctor_check check);
// @end doctor-api

// @begin doctor-known
// What is published of a model, to be told apart by its shape.
typedef struct {
    const char *name;
    int n_layers, d_model, n_heads, n_kv_heads, d_ff, vocab_size;
    int context_length;
    double rope_theta, norm_eps;
} doctor_model;

// The next known model of this shape behind `after` (NULL: the first), or
// NULL. Models may differ in their base and in nothing else.
const doctor_model *doctor_known(const model_config *config,
                                 const doctor_model *after);
// @end doctor-known

// @begin doctor-parts
// The steps that doctor.c leaves to its neighbours. Each fills its rows.
void doctor_put(doctor_report *report, doctor_check check,
                doctor_verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// DOCTOR_TEMPLATE and DOCTOR_BOS.
void doctor_talk(doctor_report *report, const gguf_file *file,
                 const tokenizer *words);
// DOCTOR_TEXT and all that follow; s has places and outputs for a text. The
// model of s is not what it was.
lll_status doctor_text(doctor_report *report, session *s,
                       void (*progress)(void *context, double share),
                       void *context, lll_error *err);

enum { DOCTOR_CONTEXT = 512, DOCTOR_BATCH = 64 };
// @end doctor-parts

#endif
