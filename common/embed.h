#ifndef COMMON_EMBED_H
#define COMMON_EMBED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/session.h"

// @begin embed-types
// What a text is about, as one vector: texts that mean the same point the
// same way. Taught in chapter 8.
//
//     float *a = malloc((size_t)s.config.d_model * sizeof *a);
//     lll_status status = embed_text(&s, text, strlen(text), EMBED_MEAN,
//                                    true, a, &err);

// What becomes of the last norms of a text's tokens.
typedef enum {
    EMBED_MEAN,         // their mean
    EMBED_LAST,         // that of the last token, which has read all others
    EMBED_NONE          // each is given
} embed_pooling;
// @end embed-types

// @begin embed-api
// Called with one vector after another, each [d_model] and valid during the
// call.
typedef void (*embed_sink)(void *context, const float *vector, int d_model);

// Read a text into an emptied sequence 0 and give its vectors: one, or with
// EMBED_NONE one for each token.
//
// scaled   divide each by its length, so that a product of two is the cosine
//          of the angle between them; a vector of zeros stays one
//
// LLL_ERR_ARGUMENT   the text has no token, or more than the context
// LLL_ERR_FORMAT     a number of a vector is none
// and the errors of session_encode() and llama_forward(). What was given
// before an error is to be forgotten.
lll_status embed_each(session *s, const char *text, size_t n_bytes,
                      embed_pooling pooling, bool scaled, embed_sink sink,
                      void *context, lll_error *err);

// The one vector of EMBED_MEAN or EMBED_LAST, into out [d_model], which is
// filled on LLL_OK only.
lll_status embed_text(session *s, const char *text, size_t n_bytes,
                      embed_pooling pooling, bool scaled, float *out,
                      lll_error *err);
// @end embed-api

#endif
