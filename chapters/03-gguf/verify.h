#ifndef CHAPTER_03_VERIFY_H
#define CHAPTER_03_VERIFY_H

#include "common/gguf.h"
#include "common/json_out.h"

// What verify.c and its rules share.

typedef struct {
    const gguf_file *file;
    json_out *json;             // NULL for text
    size_t n_findings;
    bool no_memory;             // a rule could not be tried
} report;

// One finding: a line, or a text in JSON.
void finding(report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

// Are they UTF-8?
bool is_utf8(const char *bytes, size_t n);

// The rules, each in a function of its own. Metadata:
void verify_keys(report *r);
void verify_standard(report *r);
void verify_required(report *r);
void verify_texts(report *r);
void verify_reals(report *r);
void verify_vocabulary(report *r);
void verify_twins(report *r);
// Tensors:
void verify_names(report *r);
void verify_layout(report *r);
void verify_numbers(report *r);

#endif
