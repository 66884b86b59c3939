// The question of exercise 03-2.
#include "common/gguf.h"

const gguf_tensor *closest(const gguf_file *file, const char *name);
