#ifndef COMMON_TRACE_WRITE_H
#define COMMON_TRACE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/llama.h"
#include "common/tokenizer.h"

// @begin trace-write-api
// Every named intermediate of a forward pass in a file, for looking at and
// for comparing with a reference: one tensor for each ("blk.3.q_rope",
// [n_tokens, width], F32), the tokens, and the shape of the model. Taught in
// chapter 8.

// Run a batch of sequence 0 and write the file. Its first token goes through
// the model once more before, because the list of all tensors comes before
// the first number: so no number has to be kept.
//
// On LLL_OK the cache holds the batch; on failure it is as it was, and what
// was at `path` is untouched.
// LLL_ERR_MEMORY     no room for the lists
// and the errors of llama_forward() and gguf_write_begin().
lll_status trace_write(llama *model, const tokenizer *words,
                       const llama_batch *batch, const char *path,
                       lll_error *err);

// The most that trace_write() asks of the system at a time, for a plan of
// n_batch tokens and a vocabulary whose longest text has so many bytes.
size_t trace_bytes(const model_config *config, int n_batch,
                   size_t longest_text, const char *path);
// @end trace-write-api

#endif
