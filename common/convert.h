#ifndef COMMON_CONVERT_H
#define COMMON_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/gguf.h"
#include "common/recipe.h"

// A model written again with other types.
//
//     convert_options options = {.n_threads = 4};
//     if (recipe_find("Q4_K_M", &options.recipe))
//         s = convert_file(&file, "small.gguf", &options, &err);
//
// Taught in chapter 7.

// @begin convert-options
typedef struct {
    recipe recipe;
    const gguf_file *importance;    // see convert_importance(); or NULL
    int n_threads;                  // 1..1024
    // Called after every quarter of a megabyte with the share that is done,
    // last with 1; when it says false, the work stops and leaves nothing.
    // NULL: nobody asks. progress_show() is one.
    bool (*progress)(void *context, double share);
    void *context;
} convert_options;
// @end convert-options

// Write `from` to `path` as the recipe says, whatever the number of threads
// in the same bytes. Metadata is copied as it is, but for the keys of a split
// file, which the result is not, and those that name the types of the file.
// A tensor whose type stays keeps its bytes. What was at `path` is replaced
// at the end, by renaming; before, the result is called as file_create()
// says.
//
// LLL_ERR_ARGUMENT     path is the file that is read, or a part of it
// LLL_ERR_FORMAT       a number is not finite, in the file or once encoded:
//                      tensor and row; or a matrix does not fit the
//                      importance
// LLL_ERR_INTERRUPTED  options->progress said so
// LLL_ERR_MEMORY, LLL_ERR_UNSUPPORTED, and the errors of gguf_write().
// Whatever failed, no file is left.
lll_status convert_file(const gguf_file *from, const char *path,
                        const convert_options *options, lll_error *err);

// Bytes of a tensor stored in another type whose blocks divide its rows.
lll_status convert_bytes(const gguf_tensor *tensor, dtype type, size_t *bytes,
                         lll_error *err);

// The importance of the columns of a matrix, from a file as llama.cpp's
// llama-imatrix and our chapter 8 write it: the tensor "NAME.in_sum2" holds
// the sum of the squares of each column's input over a text, for each matrix
// of a stack. Only their proportion matters, so counts are not read.
//
// values   [matrices, columns], valid until the file is closed; NULL when the
//          file says nothing of that tensor
// LLL_ERR_FORMAT   another shape or type, or a number that is negative or not
//                  finite
lll_status convert_importance(const gguf_file *importance,
                              const gguf_tensor *tensor,
                              const float **values, lll_error *err);

#endif
