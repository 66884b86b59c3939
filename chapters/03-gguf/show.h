#ifndef CHAPTER_03_SHOW_H
#define CHAPTER_03_SHOW_H

#include "common/gguf.h"

// What the program shows of an open file, on standard output.

void show_label(const gguf_file *file);         // one screen
void show_metadata(const gguf_file *file);      // every entry
void show_tensors(const gguf_file *file);       // every tensor
void show_hex(const gguf_file *file);           // the first bytes, explained
// The numbers of one tensor: how they are spread, and whether they are sound.
lll_status show_tensor(const gguf_file *file, const char *name,
                       lll_error *err);

// The same as JSON; with a name, all numbers of that tensor.
lll_status json_file(const gguf_file *file, lll_error *err);
lll_status json_tensor(const gguf_file *file, const char *name,
                       lll_error *err);

// The file again, as we write it: version 3, tensors without gaps.
lll_status copy_file(const gguf_file *file, const char *path, lll_error *err);

// Number i of a tensor of a plain type, as double; false where chapter 7
// teaches how the type is decoded.
bool tensor_number(const gguf_tensor *tensor, size_t i, double *number);

// A small model's label and first bytes, then broken copies of it, refused.
lll_status story(lll_error *err);

#endif
