#ifndef COMMON_TALK_H
#define COMMON_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/session.h"

// @begin talk-type
// A talk in sequence 0 of a session: what was said is in the session's cache
// and history, and this says where each turn of it begins. Taught in
// chapter 8.

enum { TALK_TURNS = 256 };      // that can be taken back; older ones stay

typedef struct {
    int32_t begin;              // what was fed for the message
    int32_t answer;             // and what the model said
} talk_turn;

typedef struct {
    talk_turn turns[TALK_TURNS];
    int n_turns;
    int n_kept;                 // tokens at the beginning that a shift of the
                                // context should leave: the system prompt
                                // and the first message
} talk;
// @end talk-type

// @begin talk-api
// Note a turn.
void talk_add(talk *t, int begin, int answer);
// Take the last turn back, out of the cache too. False when there is none.
bool talk_undo(talk *t, session *s);
void talk_reset(talk *t, session *s);

// Can a talk be written there? To find out when it has ended is too late.
//
// LLL_ERR_ARGUMENT             a file stands there that is no saved talk
// LLL_ERR_IO, LLL_ERR_MEMORY   as file_create()
lll_status talk_try(const char *path, lll_error *err);

// Write a talk to a file: its text, for people, its token numbers, its turns
// and the cache, so that going on costs no prefill. The file appears whole or
// not at all. Its numbers are in the byte order of the machine; one of the
// other order refuses it.
//
// format   name of the chat template, at most 22 bytes
//
// Errors as talk_try(), and those of file_write().
lll_status talk_save(const talk *t, const session *s, const char *format,
                     const char *path, lll_error *err);

// Read it back. On failure talk and session are as they were.
//
// LLL_ERR_IO            the file cannot be read
// LLL_ERR_FORMAT        it is no saved talk, or was cut or changed
// LLL_ERR_UNSUPPORTED   it belongs to another model, cache type or template,
//                       or holds more than the context has room for
lll_status talk_load(talk *t, session *s, const char *format,
                     const char *path, lll_error *err);
// @end talk-api

#endif
