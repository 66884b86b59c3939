#ifndef COMMON_DOCTOR_TRIAL_H
#define COMMON_DOCTOR_TRIAL_H

#include <stdbool.h>

#include "common/doctor.h"
#include "common/llama.h"

// Other ways to read the same file: the trials of doctor.h. The forward pass
// knows nothing of them; what it reads is exchanged. Taught in chapter 8.

// @begin doctor-trial
typedef struct {
    doctor_check check;         // whose finding it would be
    const char *name;           // of that way, or of the model that has it;
                                // NULL: the value says it
    double value;               // a base or an epsilon: changes places with
                                // the model's
    bool published;             // a model of this shape has it
    double loss;                // mean -log p of the text, tried last
    double gain, error;         // what that is below the loss of the model
                                // as it is, and the standard error of it
} doctor_trial;

enum { DOCTOR_TRIALS = 24 };

typedef struct {
    doctor_trial list[DOCTOR_TRIALS];
    int n;
    bool base_usual, epsilon_usual;     // a published model of this shape
                                        // has what the file says
    bool epsilon_listed;                // some Llama has it
    linear *others;             // owned: [n_layers, 2], q and k reordered
    void *rows;                 // owned: what those point to
} doctor_trials;
// @end doctor-trial

// @begin doctor-trial-api
// All there are for this model. LLL_ERR_MEMORY: no room to reorder the rows
// of queries and keys; *t may be freed then, too.
lll_status doctor_trials_list(doctor_trials *t, const llama *model,
                              lll_error *err);
void doctor_trials_free(doctor_trials *t);      // accepts a zeroed struct

// Let the model and the trial change places; a second time changes back.
void doctor_exchange(doctor_trials *t, doctor_trial *trial, llama *model);
// @end doctor-trial-api

#endif
