#include "chapters/04-tokenizer/exercises/04-4-own-rules/rules.h"
#include "common/unicode.h"

enum { NOT_SIGNS = UNICODE_LETTER | UNICODE_NUMBER | UNICODE_SPACE };
static const char_range apostrophe[] = {{'\'', '\''}, {0, 0}};
static const char_set blank = {UNICODE_BLANK, false, NULL};
static const char_set space = {UNICODE_SPACE, false, NULL};
static const char_set number = {UNICODE_NUMBER, false, NULL};
static const char_set word = {UNICODE_LETTER, false, apostrophe};
static const char_set sign = {NOT_SIGNS, true, apostrophe};

static const pretokenize_rule rows[] = {
    {RUN, &blank, &word, NULL, 1, 0},
    {RUN, NULL, &number, NULL, 1, 2},
    {RUN, &blank, &sign, NULL, 1, 0},
    {SPACES_BEFORE_WORD, NULL, NULL, NULL, 0, 0},
    {RUN, NULL, &space, NULL, 1, 0},
};

const pretokenizer own_rules = {
    .names = "own", .passes = {{rows, sizeof rows / sizeof rows[0]}},
    .n_passes = 1,
};
