#ifndef COMMON_VOCABULARY_LOAD_H
#define COMMON_VOCABULARY_LOAD_H

#include "common/error.h"
#include "common/gguf.h"
#include "common/vocabulary.h"

// Reading a vocabulary from a GGUF file, which a stranger wrote.
// Taught in chapter 4.

// How many bytes vocabulary_init() will ask for: a function of the counts of
// tokens, special tokens and merges and of the longest text, no other.
// Errors as vocabulary_init().
lll_status vocabulary_plan(const gguf_file *file, size_t *n_bytes,
                           lll_error *err);

// Read and check the lists. Token texts stay in the file, which must stay
// open.
//
// Tolerated, because real files have it: no list of types, or type 0 (all
// normal); tokens without text (never matched); two spellings of the same
// bytes (the first one wins); a pair in the merges twice (the first one
// wins); merges that make a control token (ignored); bytes without a token;
// "<|im_end|>" and its like as user-defined tokens (control tokens here).
// SentencePiece's user-defined tokens are found in the text, not by merging.
//
// LLL_ERR_NOT_FOUND     no vocabulary in the file
// LLL_ERR_UNSUPPORTED   tokenizer.ggml.model is another one, by name
// LLL_ERR_FORMAT        lists of different lengths or wrong types, a token
//                       twice, a merge of tokens that are not there, a score
//                       that is not a number, a byte token that names no
//                       byte, a special token that is longer than
//                       VOCABULARY_SPECIAL_MOST
// LLL_ERR_MEMORY, LLL_ERR_OVERFLOW   no room
// On failure *v is zeroed.
lll_status vocabulary_init(vocabulary *v, const gguf_file *file,
                           lll_error *err);
void vocabulary_free(vocabulary *v);    // accepts a zeroed struct

#endif
