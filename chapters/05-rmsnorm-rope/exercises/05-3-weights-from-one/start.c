#include "common/norm.c"
