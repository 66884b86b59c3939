#ifndef COMMON_VOCABULARY_STORE_H
#define COMMON_VOCABULARY_STORE_H

#include "common/bpe_train.h"
#include "common/error.h"
#include "common/gguf_write.h"

// A trained vocabulary as the metadata of a GGUF file: what vocabulary_load
// reads again, and other programs too.
// Taught in chapter 4. Source: docs/gguf.md in ggml-org/ggml, "Tokenizer".

// Set tokenizer.ggml.model ("gpt2"), .pre, .tokens, .token_type and .merges,
// and, where there is a special token, the first one as the beginning and
// the end of a text, .bos_token_id and .eos_token_id; a text is not asked to
// begin with it, .add_bos_token. Everything is copied; what adding fails
// with, gguf_write() reports.
//
// pre   the name of t->rules, "gpt-2"
//
// LLL_ERR_OVERFLOW, LLL_ERR_MEMORY   no room for the lists; nothing is set
lll_status vocabulary_store(const bpe_trainer *t, const char *pre,
                            gguf_writer *out, lll_error *err);

#endif
