#include "common/arena.c"
