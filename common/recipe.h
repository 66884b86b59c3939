#ifndef COMMON_RECIPE_H
#define COMMON_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dtype.h"
#include "common/gguf.h"

// Which tensor of a model is stored in which type. A recipe names one type
// for most matrices and more bits for those whose errors hurt most.
// Taught in chapter 7. Source: names with _S, _M and _L, Q2_K and Q6_K are
// mixtures of llama.cpp's llama-quantize, so that a file called Q4_K_M holds
// what people expect. Every other name is that type for all matrices, the
// output's too, which llama-quantize does with --pure. (Without it, it makes
// the output of its Q4_0 Q6_K, and means Q4_K_M by Q4_K.) There is no
// general.file_type for Q4_K alone, which gets that of Q4_K_S; Q3_K and Q5_K
// likewise.

// @begin recipe-types
typedef struct {
    const char *name;           // "Q4_K_M"
    dtype type;                 // of most matrices
    dtype output;               // of the one that makes the logits
    uint32_t file_type;         // for the key general.file_type
} recipe;

typedef enum {
    RECIPE_ENCODE,              // as `used` says
    RECIPE_FALLBACK,            // likewise: the row's length does not fit in
                                // blocks of the type that is wanted
    RECIPE_KEEP_VECTOR,         // stays: one dimension, as norms and biases
    RECIPE_KEEP_NAME,           // stays: small, and a choice hangs on it
    RECIPE_KEEP_TYPE            // stays: of a type we cannot decode
} recipe_reason;

typedef struct {
    recipe_reason reason;
    dtype wanted, used;
} recipe_choice;
// @end recipe-types

// The recipe called `name` in any case; false when there is none, and then
// *out is left as it was.
bool recipe_find(const char *name, recipe *out);
// All their names, with commas, for sentences.
const char *recipe_names(void);

// What becomes of a tensor of the file.
recipe_choice recipe_choose(const recipe *r, const gguf_file *file,
                            const gguf_tensor *tensor);

#endif
