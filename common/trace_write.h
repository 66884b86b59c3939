#ifndef COMMON_TRACE_WRITE_H
#define COMMON_TRACE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/gguf_write.h"
#include "common/llama.h"
#include "common/tokenizer.h"

// @begin trace-write-api
// Every named intermediate of a forward pass in a file, for looking at and
// for comparing with a reference. Taught in chapter 8.

typedef struct trace_copy trace_copy;

typedef struct {
    gguf_writer out;
    trace_copy *copies;         // owned: values, until they are written
    lll_error failure;          // the first one; code LLL_OK until then
} trace_writer;

// Begin to collect: from here on model's forward passes are recorded, one
// tensor for each intermediate ("blk.3.q_rope", [n_tokens, width], F32).
// Record one pass: a second would repeat the names, and trace_end() refuses.
void trace_begin(trace_writer *trace, llama *model);

// Stop collecting and write the file: the tensors, the tokens, and the shape
// of the model.
// LLL_ERR_ARGUMENT   more than one pass was recorded
// LLL_ERR_MEMORY     no room for the copies
// and the errors of gguf_write(). Whatever happens, everything is freed.
lll_status trace_end(trace_writer *trace, llama *model,
                     const tokenizer *words, const int32_t *ids,
                     size_t n_ids, const char *path, lll_error *err);
// @end trace-write-api

#endif
