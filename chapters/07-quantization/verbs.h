#ifndef CHAPTER_07_VERBS_H
#define CHAPTER_07_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/gguf.h"
#include "common/recipe.h"

// @begin verbs-request
// What the command line asks for.
typedef struct {
    const char *type_name;
    const char *importance;         // a file; or NULL
    const char *against;            // a file; or NULL
    int64_t n_threads;              // 0: one for each core
    int64_t row;                    // -1: blocks count from the first row
    int64_t block;
    bool verbose, json;
    recipe recipe;                  // of type_name, once it is read
} request;
// @end verbs-request

// Write `from` again as the recipe says; what stays and what falls back is
// summed up on standard error. Ctrl-C, SIGTERM and a terminal that is closed
// end it and leave nothing.
lll_status verb_convert(const gguf_file *from, const char *path,
                        const request *r, lll_error *err);

// How far the numbers of `b` are from those of `a`, tensor by tensor; for
// b = NULL, how far those would be that the recipe makes of `a`.
lll_status verb_error(const gguf_file *a, const gguf_file *b,
                      const request *r, lll_error *err);

// A block of a tensor laid open.
lll_status verb_inspect(const gguf_file *file, const char *name,
                        const request *r, lll_error *err);

// A row of 32 numbers in every type, and what each costs.
void show_lesson(void);

#endif
