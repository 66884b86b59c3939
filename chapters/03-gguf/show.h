#ifndef CHAPTER_03_SHOW_H
#define CHAPTER_03_SHOW_H

#include "common/gguf.h"
#include "common/json_out.h"

// What the program does with an open file, on standard output. A function
// that can fail says so; the others only print. `json` is NULL for text.

// What the file says.
void show_label(const gguf_file *file);         // one screen
void show_metadata(const gguf_file *file);      // every entry
void show_tensors(const gguf_file *file);       // every tensor
void show_hex(const gguf_file *file, json_out *json);   // the first bytes
// The value of an entry in about so many columns, without the end of the
// line: all of a number, of anything longer the beginning.
void print_value(const gguf_value *value, int columns);
// Item i of an array of numbers or truths, or a single one; its length.
int item_text(const gguf_value *value, uint64_t i, char text[32]);

// The same as JSON: the file, and both lists or one of them; one value; one
// tensor with its numbers.
void json_file(json_out *json, const gguf_file *file, bool metadata,
               bool tensors);
void json_value(json_out *json, const gguf_value *value);
lll_status json_tensor(json_out *json, const gguf_file *file,
                       const char *name, lll_error *err);

// The tensor called `name`, or shown so: \xNN is a byte, which no command
// line can hold otherwise when it is NUL.
// LLL_ERR_NOT_FOUND   there is none
lll_status find_tensor(const gguf_file *file, const char *name,
                       gguf_tensor *tensor, lll_error *err);

// The numbers of one tensor: how they are spread, and whether they are sound.
lll_status show_tensor(const gguf_file *file, const char *name,
                       lll_error *err);

// SHA-256 of each part, as sha256sum prints it, and of the weights alone;
// with `tensors` of each tensor.
void show_hash(const gguf_file *file, bool tensors, json_out *json);

// What breaks a rule of the format, or would surprise a reader.
// LLL_ERR_FORMAT   something does
lll_status verify(const gguf_file *file, json_out *json, lll_error *err);

// In what two models differ.
// LLL_ERR_FORMAT   they do
lll_status compare(const gguf_file *a, const gguf_file *b, json_out *json,
                   lll_error *err);

// The file again, as we write it: version 3, tensors without gaps, in one
// part.
lll_status copy_file(const gguf_file *file, const char *path, lll_error *err);

// A small model's label and first bytes, then broken copies of it, refused.
lll_status story(lll_error *err);

#endif
