#include "chapters/02-parameter-calculator/exercises/02-5-fifth-row/row.h"

const model_family qwen2 = {
    .kinds = {.architecture = "llama"},     // your work begins here
};
