#ifndef CHAPTER_07_SHOW_H
#define CHAPTER_07_SHOW_H

#include "common/gguf.h"

// Write `from` again with its matrices stored as `type`: those of two or more
// dimensions whose rows its blocks divide. What stays, and the bytes before
// and after, are summed up on standard error.
// LLL_ERR_FORMAT   a number is not finite, in the file or once encoded; the
//                  sentence names tensor and row, and no file is written
lll_status convert_file(const gguf_file *from, const char *path, dtype type,
                        lll_error *err);

// What storing every matrix as `type` would do: bytes, and how far the
// numbers move.
lll_status show_errors(const gguf_file *file, dtype type, lll_error *err);

// Block `number` of a tensor laid open.
lll_status show_block(const gguf_file *file, const char *name,
                      uint64_t number, lll_error *err);

// A row of 32 numbers in every type, and what each costs.
void show_lesson(void);

// Can this tensor be stored as `type`?
bool is_convertible(const gguf_tensor *tensor, dtype type);

#endif
