#ifndef COMMON_PRETOKENIZE_RULES_H
#define COMMON_PRETOKENIZE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/pretokenize.h"

// What a pre-tokenizer is made of: rules, which pretokenize_rules.c writes
// down for each family of models and pretokenize.c follows.
// Taught in chapter 4.

// @begin pretokenize-rule
typedef struct { uint32_t first, last; } char_range;

// A set of characters: those of some kinds and those in some ranges, or all
// others.
typedef struct {
    unsigned kinds;                 // UNICODE_... bits
    bool all_but;                   // the set is everything else
    const char_range *ranges;       // ascending, ended by {0, 0}; or NULL
} char_set;

typedef enum {
    RUN,                // lead? body{minimum,maximum} tail*
    LED_RUN,            // the same, and the lead must be there
    SHORTENED,          // 's 't 're 've 'm 'll 'd
    SHORTENED_ANY_CASE,
    LINES,              // \s*[\r\n]+
    SPACES_BEFORE_WORD, // \s+(?!\S): leaves the last space to the word
    SPACES_AT_END       // \s+$
} rule_kind;

struct pretokenize_rule {
    rule_kind kind;
    const char_set *lead, *body, *tail;     // NULL: none
    unsigned minimum, maximum;              // of body; maximum 0: no limit
};
// @end pretokenize-rule

#endif
