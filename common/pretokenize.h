#ifndef COMMON_PRETOKENIZE_H
#define COMMON_PRETOKENIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

// Cutting text into pieces before byte-pair encoding: words with the space
// before them, numbers, punctuation. No merge crosses a cut, so the same
// vocabulary with another pre-tokenizer gives other tokens.
//
// Models publish theirs as regular expressions and GGUF files only name
// them. Here each is a few rows of a table that one scanner reads: no
// backtracking beyond one character, time linear in the text.
// Taught in chapter 4.
//
// The expressions are those that models publish, with the kinds of characters
// of Unicode 16.0 (and the digits of 17.0). llama.cpp, which carries older
// tables, differs in what Unicode added since; it takes 's but not a long s
// for an ending; and spaces beyond ASCII are in none of DeepSeek's ranges
// there.

enum { PRETOKENIZE_MAX_PASSES = 6 };

typedef struct pretokenize_rule pretokenize_rule;   // rows, in the .c file

// One pass cuts every piece of the pass before it again.
typedef struct {
    const pretokenize_rule *rules;      // tried in order, the first one wins
    size_t n_rules;
} pretokenize_pass;

typedef struct {
    const char *names;          // as GGUF files name it, spaces between
    pretokenize_pass passes[PRETOKENIZE_MAX_PASSES];
    size_t n_passes;
    bool whole_words;           // a piece that is a token is that token,
                                // whatever its merges say
    bool add_bos;               // where the file does not say
} pretokenizer;

// The pre-tokenizer called `name` (n_bytes bytes), "llama-bpe" for example.
// LLL_ERR_UNSUPPORTED   no such name; the sentence repeats it, lists some
//                       that there are, and offers --pre
lll_status pretokenize_find(const char *name, size_t n_bytes,
                            const pretokenizer **out, lll_error *err);

// The names there are: all that entry i is known by, or NULL at the end.
const char *pretokenize_names(size_t i);

// A text being cut. One region for each pass: what is left of the piece
// that the pass is cutting.
typedef struct {
    const pretokenizer *rules;
    const unsigned char *text;
    size_t begin[PRETOKENIZE_MAX_PASSES + 1];
    size_t end[PRETOKENIZE_MAX_PASSES + 1];
    size_t level;
} pretokenize_scan;

// Begin to cut `n_bytes` bytes, which stay borrowed during the scan. A byte
// that is not UTF-8 counts as a character of its own that is neither letter
// nor number nor space.
void pretokenize_begin(pretokenize_scan *scan, const pretokenizer *rules,
                       const char *text, size_t n_bytes);

// The next piece, text[*begin] to text[*end - 1], never empty; false at the
// end of the text. The pieces one after another are the text.
bool pretokenize_next(pretokenize_scan *scan, size_t *begin, size_t *end);

#endif
