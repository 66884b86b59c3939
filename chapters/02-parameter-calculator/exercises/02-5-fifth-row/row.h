// The question of exercise 02-5.
#include "common/config.h"

extern const model_family qwen2;
