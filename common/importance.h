#ifndef COMMON_IMPORTANCE_H
#define COMMON_IMPORTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/error.h"
#include "common/llama.h"

// Which columns of a model's matrices matter: the mean square of what is
// multiplied with each, over a text. Chapter 7's converter spends its bits
// accordingly.
//
//     importance seen;
//     s = importance_begin(&seen, &model, &err);
//     ... llama_forward(&model, ...) as often as you like
//     s = importance_write(&seen, "imatrix.gguf", "text.txt", n_ctx, &err);
//     importance_end(&seen);
//
// The file is one as llama.cpp's llama-imatrix writes it and llama-quantize
// reads it. Taught in chapter 8.

// @begin importance-type
enum { IMPORTANCE_INPUTS = 4 };     // of a layer that are multiplied

typedef struct {
    llama *model;                   // borrowed
    double *sums;                   // owned: of squares, one for each column
                                    // of each input, layer by layer, and of
                                    // the last norm
    uint64_t n_tokens, n_final;     // seen by layers, and by the output
} importance;
// @end importance-type

// Watch what goes through the model from now on; nobody else may watch it.
// LLL_ERR_MEMORY   no room for the sums; nobody watches
lll_status importance_begin(importance *seen, llama *model, lll_error *err);
void importance_end(importance *seen);      // accepts a zeroed struct

// Write what was seen: for each matrix NAME the tensors NAME.in_sum2, its
// columns' sums of squares, and NAME.counts, the number of tokens.
//
// text         file that was read; its name goes into the metadata
// chunk_size   tokens of a window
// LLL_ERR_ARGUMENT   nothing was seen; and the errors of gguf_write()
lll_status importance_write(const importance *seen, const char *path,
                            const char *text, int chunk_size,
                            lll_error *err);

// The most that begin and write ask of the system together.
size_t importance_bytes(const model_config *config, const char *path);

#endif
