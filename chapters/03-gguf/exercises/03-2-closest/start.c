#include "chapters/03-gguf/exercises/03-2-closest/closest.h"
#include "common/args.h"

const gguf_tensor *closest(const gguf_file *file, const char *name)
{
    (void)file;                 // your work begins here
    (void)name;
    return NULL;
}
