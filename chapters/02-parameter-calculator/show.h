#ifndef CHAPTERS_02_SHOW_H
#define CHAPTERS_02_SHOW_H

#include "common/config.h"
#include "common/error.h"
#include "common/plan.h"

// @begin show-api
// The parameters by part, like a bill.
void print_bill(const model_config *c);

// What the weights weigh in each type, what running the model needs beside
// them, and whether this machine has it.
//
// file_bytes   of the file that the model came from; 0 where there is none
void print_memory(const model_config *c, const plan_request *r,
                  const memory_plan *plan, uint64_t file_bytes);

// All of it as one JSON object.
lll_status print_json(const model_config *c, const memory_plan *plan,
                      lll_error *err);
// @end show-api

#endif
