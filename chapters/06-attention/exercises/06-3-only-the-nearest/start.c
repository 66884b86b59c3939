#include "chapters/06-attention/cached.c"
