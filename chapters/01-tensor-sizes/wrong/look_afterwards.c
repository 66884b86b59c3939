// replaces common/size.c; caught by tests/test_size.c
//
// Multiply first, then look whether the product came out too small. The same
// look is right after a sum; after a product it misses many overflows.
#include "common/size.h"

#define size_mul right_size_mul
#include "common/size.c"
#undef size_mul

// @begin wrong-look-afterwards
bool size_mul(size_t a, size_t b, size_t *product)
{
    size_t result = a * b;
    if (a != 0 && b != 0 && (result < a || result < b))
        return false;
    *product = result;
    return true;
}
// @end wrong-look-afterwards
