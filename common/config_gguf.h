#ifndef COMMON_CONFIG_GGUF_H
#define COMMON_CONFIG_GGUF_H

#include "common/config.h"
#include "common/error.h"
#include "common/gguf.h"

// The description of a model, read from its file. Taught in chapter 2.

// @begin config-gguf-api
// Read the description out of a file's metadata and the names of its
// tensors, and check it. Four families are understood; the engine runs one of
// them, see config_check_llama().
//
// LLL_ERR_UNSUPPORTED   another architecture, experts, a kind of context
//                       extension that we do not have: by name
// LLL_ERR_NOT_FOUND     a key is missing
// LLL_ERR_FORMAT        values that contradict each other: which, and how
// *config is left alone on failure.
lll_status config_from_gguf(model_config *config, const gguf_file *file,
                            lll_error *err);

// The layer that a tensor called "blk.3.attn_q.weight" belongs to, and the
// rest of its name, which points into it; -1 when it is none of a layer below
// n_layers.
int config_tensor_layer(gguf_string name, int n_layers, gguf_string *rest);
// @end config-gguf-api

#endif
