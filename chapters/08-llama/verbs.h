#ifndef CHAPTERS_08_VERBS_H
#define CHAPTERS_08_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "chapters/08-llama/options.h"
#include "common/error.h"
#include "common/file.h"
#include "common/generate.h"
#include "common/score.h"
#include "common/session.h"

// @begin verbs-type
// Each verb runs on an open model and writes its result to standard output.
typedef lll_status verb_function(session *s, const settings *set,
                                 lll_error *err);

typedef struct {
    const char *option;         // what asks for it; NULL: nothing has to
    bool wanted;
    verb_function *run;
    int n_outputs;              // rows of logits that it wants at once; 0: it
                                // opens what it needs, and is given NULL
} verb;

verb_function verb_batch, verb_embed;
verb_function verb_generate, verb_chat, verb_compare, verb_compare_quant,
              verb_logits, verb_perplexity, verb_trace, verb_plan,
              verb_version, verb_doctor;

// The verb that the command line asks for.
// LLL_ERR_USAGE   it asks for two, or an option belongs to another verb
lll_status verb_choose(const settings *set, verb *out, lll_error *err);
// @end verbs-type

// @begin verbs-api
// Give standard input and output buffers of our own.
void own_buffers(void);

// What the command line says about running a model.
session_options make_options(const settings *set);

// Open a model file as the command line asks; n_outputs as in verb.
lll_status open_session(session *s, const char *model, const settings *set,
                        int n_outputs, lll_error *err);

// The prompt as a text: from the command line, a file, standard input for
// "-", or a few words of ours. Valid until *map is closed or a line is read.
lll_status prompt_text(const session *s, const settings *set, file_map *map,
                       const char **text, size_t *n, lll_error *err);

// The same as token numbers, which are valid until the next text.
lll_status read_prompt(const session *s, const settings *set,
                       const int32_t **ids, size_t *n_ids, lll_error *err);

// Score a text from its beginning, window by window; an interruption leaves
// the score of what was read. The caller has filled in score->interrupted.
enum { SCORED_AT_ONCE = 64 };       // rows of logits
lll_status score_file(session *s, const file_map *map, bool quiet,
                      text_score *score, lll_error *err);

// Cut the next line off a text, without its end; false when nothing is left.
bool cut_line(const char **text, size_t *n_bytes, const char **line,
              size_t *n_line);

// The model computes what is no number, and only we know in which file it
// is: give that error a name. Other statuses are passed on.
lll_status name_model(const session *s, lll_status status, lll_error *err);
// @end verbs-api

// @begin verbs-answering
// From now on Ctrl-C sets this, once; and ends a wait for input, or lets it
// go on.
const volatile sig_atomic_t *watch_interrupt(bool ends_reading);

// Show a text that a stranger wrote. A terminal would obey its control
// characters, so there all but the ends of lines and tabs appear as \xNN.
void show_text(FILE *out, const char *text, size_t n);

// What the command line says about answers, and an eye on Ctrl-C.
generate_options answer_options(const settings *set);

// Show what the model is fed: the result where nothing is generated.
lll_status show_prompt(const session *s, const settings *set,
                       const int32_t *ids, size_t n_ids, lll_error *err);

// Generate from new tokens, and show text and report; *report is filled on
// LLL_OK.
lll_status answer(session *s, const settings *set, const int32_t *ids,
                  size_t n_ids, generate_report *report, lll_error *err);

// @end verbs-answering

#endif
