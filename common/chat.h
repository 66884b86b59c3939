#ifndef COMMON_CHAT_H
#define COMMON_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/gguf.h"
#include "common/tokenizer.h"

// @begin chat-template
// Conversations as token numbers. Models that talk were trained on texts in
// which special tokens mark who speaks; the file says how in
// tokenizer.chat_template. Taught in chapter 8.

typedef enum { CHAT_CHATML } chat_format;

typedef struct {
    chat_format format;
    const char *default_system;     // what the file's template says when
    size_t default_system_bytes;    // nobody gives a system prompt; borrowed
                                    // from the file, 0 bytes where none is
} chat_template;
// @end chat-template

// @begin chat-api
// Recognise the file's template.
// LLL_ERR_NOT_FOUND     the file has none
// LLL_ERR_UNSUPPORTED   it is none of those we know
lll_status chat_recognise(chat_template *chat, const gguf_file *file,
                          const tokenizer *words, lll_error *err);

typedef struct {
    const char *role;               // "system", "user", "assistant"
    const char *text;
    size_t n_bytes;
} chat_message;

// Memory that encoding works in.
typedef struct {
    void *encoder;                  // tokenizer_room(n_bytes) bytes
    char *text;                     // n_bytes
    size_t n_bytes;
} chat_room;

// Encode messages and open the assistant's answer. What the messages say is
// text: "<|im_end|>" typed by a user is ten characters, not the end of his
// turn.
//
// first    true at the start of a conversation: the default system prompt
//          and, where the file asks for it, BOS come before the messages
// room     its text must hold a message, its role and a line break
// ids      room for `capacity` numbers; *n_ids is filled on LLL_OK
//
// LLL_ERR_OVERFLOW   more than `capacity` tokens, or a message that is longer
//                    than the room
lll_status chat_encode(const chat_template *chat, const tokenizer *words,
                       const chat_message *messages, int n_messages,
                       bool first, const chat_room *room, int32_t *ids,
                       size_t capacity, size_t *n_ids, lll_error *err);
// @end chat-api

#endif
