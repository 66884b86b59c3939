#ifndef COMMON_PLAN_FILE_H
#define COMMON_PLAN_FILE_H

#include "common/gguf.h"
#include "common/plan.h"

// What an open file has to do with the memory that running it takes: the
// lists that are kept of it, and how large its vocabulary is.
// Taught in chapter 2; gguf.h is borrowed from chapter 3.

// @begin plan-file-api
// Count the vocabulary, all 0 where the file has none. Whether its lists
// make sense is not asked: whoever loads them will.
vocabulary_size plan_count_vocabulary(const gguf_file *file);

// Fill in what a request has from the file: index_bytes and vocabulary.
void plan_read_file(const gguf_file *file, plan_request *request);
// @end plan-file-api

#endif
