#ifndef COMMON_CONFIG_JSON_H
#define COMMON_CONFIG_JSON_H

#include "common/config.h"
#include "common/error.h"

// The description of a model, read from a JSON file. The one module of the
// core that needs a library, jansson; only programs that list it are linked
// with it. Taught in chapter 2.

// @begin config-json-api
// Read a configuration: one of ours, as in data/configs, or the config.json
// of a Hugging Face model of one of the families. The second is told by its
// key model_type; what we do not know of it is passed over, while an unknown
// key of our own form is taken for a slip. What is not said follows from the
// rest (config_complete) or is as the family has it; the description is then
// checked.
//
// LLL_ERR_IO            the file cannot be read, or is larger than any
//                       configuration
// LLL_ERR_FORMAT        no JSON, or a value of the wrong kind: file, line,
//                       key, found, expected
// LLL_ERR_NOT_FOUND     a key is missing
// LLL_ERR_UNSUPPORTED   a family that we do not know: by name
// *config is left alone on failure.
lll_status config_from_json(model_config *config, const char *path,
                            lll_error *err);
// @end config-json-api

#endif
