#ifndef CHAPTERS_08_PARTNER_H
#define CHAPTERS_08_PARTNER_H

#include <stdbool.h>
#include <stddef.h>

#include "chapters/08-llama/options.h"
#include "common/chat.h"
#include "common/error.h"
#include "common/generate.h"
#include "common/session.h"
#include "common/talk.h"

// @begin partner
// One model in a talk.
enum { PARTNER_TEXT = 4096 };       // bytes of what follows a command

typedef struct {
    session *s;
    settings set;               // commands change them
    chat_template chat;
    talk turns;
    char text[PARTNER_TEXT], system[PARTNER_TEXT];
    bool person;                // somebody sits at a terminal
    bool over;                  // the talk has ended
    bool answered;              // the last thing that was heard
    bool silent;                // another one says it
    // What answers: answer(), which prints.
    lll_status (*reply)(session *s, const settings *set, const int32_t *ids,
                        size_t n_ids, generate_report *report,
                        lll_error *err);
} partner;
// @end partner

// @begin partner-api
// Recognise the template, and resume where the command line asks for it.
lll_status partner_begin(partner *p, session *s, const settings *set,
                         lll_error *err);

// The tokens of a message, in p->s->model.ids.
// LLL_ERR_ARGUMENT   it does not fit in the context, or the template cannot
//                    say it
lll_status partner_encode(partner *p, const char *text, size_t n_bytes,
                          size_t *n_ids, lll_error *err);

// A message of the user, and the model's answer.
// LLL_ERR_ARGUMENT   as above, or a person has no room left for it
lll_status partner_turn(partner *p, const char *text, size_t n_bytes,
                        lll_error *err);

// A message, or, where it was typed, a command, "/reset".
// LLL_ERR_ARGUMENT   as above, or there is no such command, or it cannot be
//                    done
typedef lll_status listener(partner *p, const char *text, size_t n_bytes,
                            bool typed, lll_error *err);
listener partner_hear;

// Pass on what the command line or standard input says.
lll_status talk_with(partner *p, listener *hear, lll_error *err);
// @end partner-api

#endif
