#ifndef CHAPTERS_02_SHOW_H
#define CHAPTERS_02_SHOW_H

#include "common/config.h"
#include "common/json_out.h"
#include "common/plan.h"

// @begin show-api
// What the weights weigh in each type, what running the model needs beside
// them, and whether this machine has it.
//
// file_bytes   of the file that the model came from; 0 where there is none
void print_memory(const model_config *c, const plan_request *r,
                  const memory_plan *plan, uint64_t file_bytes);

// The plan as a member of the object that is open.
void json_memory(json_out *json, const memory_plan *plan);
// @end show-api

#endif
