#ifndef COMMON_CHAT_FORMATS_H
#define COMMON_CHAT_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/gguf.h"
#include "common/tokenizer.h"

// @begin formats-row
// How models mark who speaks. A file says it in tokenizer.chat_template, a
// program in a language of its own (Jinja). We do not run it: we know its
// kind, from a closed list, and refuse the others. Taught in chapter 8.

typedef enum { CHAT_SYSTEM, CHAT_USER, CHAT_ASSISTANT, CHAT_ROLES } chat_role;

// Where a system prompt stands.
typedef enum {
    CHAT_SYSTEM_APART,          // in a message of its own
    CHAT_SYSTEM_IN_FIRST,       // before the text of the first user message
    CHAT_SYSTEM_IN_LAST,        // before that of the last
    CHAT_SYSTEM_NOWHERE
} chat_place;

// What stands around a text. "{bos}" and "{eos}" are the file's tokens; other
// special tokens are written as their names.
typedef struct {
    const char *before, *after;
    bool trims;                 // white space at both ends of the text goes
} chat_frame;

// @end formats-row

// @begin formats-traits
// What else may be true of a format.
enum {
    CHAT_ALTERNATES = 1,        // user and assistant must take turns
    CHAT_BEGINS_WITH_BOS = 2,   // where no template of a file tells
    CHAT_READS_DEFAULT = 4,     // a template may hold a system prompt
    CHAT_OWN_SYSTEM = 8         // a system message stands there always
};

enum { CHAT_PIECES = 5 };

typedef struct {
    const char *name;
    const char *holds[CHAT_PIECES];     // what a template of this format
    const char *lacks[CHAT_PIECES];     // holds, all of it, and what it does
                                        // not; ' is "
    const char *tokens[2];      // special tokens that it cannot do without
    chat_frame frames[CHAT_ROLES];
    const char *opening;        // of the assistant's answer
    chat_place place;
    unsigned traits;            // CHAT_ALTERNATES ...
} chat_format;
// @end formats-traits

// @begin formats-template
// A format, and what a file makes of it.
typedef struct {
    const chat_format *format;
    bool begins_with_bos;
    bool has_system;            // a system message stands there even where
                                // nobody gives one, and says this:
    const char *default_system; // borrowed from the file, where \n is a
                                // line break and \' a quote
    size_t default_system_bytes;
    bool wants_system;          // one must be given: the template would
                                // compute it
    const char *note;           // where the file's template asks for more
                                // than we do: a line for the user; or NULL
} chat_template;

// Recognise the file's template, or take a format by its name.
//
// name   NULL: the file's own. What that says beside its format counts for a
//        name too, where it is of that format
//
// LLL_ERR_NOT_FOUND     the file has none, or there is no such name
// LLL_ERR_UNSUPPORTED   it is none of those we know, or the vocabulary lacks
//                       the tokens that it needs
lll_status chat_recognise(chat_template *chat, const gguf_file *file,
                          const tokenizer *words, const char *name,
                          lll_error *err);

// "chatml, llama2, ..."
extern const char chat_format_names[];
// Format i of the list, or NULL behind its end.
const chat_format *chat_format_at(size_t i);
// @end formats-template

#endif
