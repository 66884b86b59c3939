#ifndef COMMON_CHAT_H
#define COMMON_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/chat_formats.h"
#include "common/error.h"
#include "common/tokenizer.h"

// @begin chat-messages
// Conversations as token numbers. Taught in chapter 8.

typedef struct {
    chat_role role;
    const char *text;
    size_t n_bytes;
} chat_message;

// Memory that encoding works in.
typedef struct {
    void *encoder;                  // tokenizer_room(n_bytes) bytes
    char *text;                     // n_bytes
    size_t n_bytes;
} chat_room;
// @end chat-messages

// @begin chat-api
// Encode messages and open the assistant's answer: the tokens of what the
// template would write. What the messages say is text: "<|im_end|>" typed by
// a user is ten characters, not the end of his turn.
//
// first    true at the start of a conversation: BOS and the template's own
//          system prompt come first, where they belong. Without it the
//          messages follow an answer, which is ended before them
// room     its text must hold a message and what stands around it
// ids      room for `capacity` numbers; *n_ids is filled on LLL_OK
//
// LLL_ERR_OVERFLOW      more than `capacity` tokens, or a message that is
//                       longer than the room
// LLL_ERR_UNSUPPORTED   a system prompt where the format has no place for
//                       one, or none where the file's template would compute
//                       one; roles that do not take turns where they must
lll_status chat_encode(const chat_template *chat, const tokenizer *words,
                       const chat_message *messages, int n_messages,
                       bool first, const chat_room *room, int32_t *ids,
                       size_t capacity, size_t *n_ids, lll_error *err);
// @end chat-api

#endif
