#include <string.h>

#include "chapters/01-tensor-sizes/exercises/01-5-total-size/total.h"
#include "tools/exercise.h"

enum { UNTOUCHED = 4711 };

static const char *name_of(lll_status status)
{
    return status == LLL_OK ? "LLL_OK"
           : status == LLL_ERR_ARGUMENT ? "LLL_ERR_ARGUMENT"
           : status == LLL_ERR_OVERFLOW ? "LLL_ERR_OVERFLOW"
           : status == LLL_ERR_FORMAT ? "LLL_ERR_FORMAT"
           : "another status";
}

static void adds(const char *name, const part *parts, size_t n, size_t wanted)
{
    size_t got = UNTOUCHED;
    lll_status status = total_size(parts, n, &got, NULL);
    if (status != LLL_OK)
        exercise_case(false, name, "expected LLL_OK, got %s",
                      name_of(status));
    else
        exercise_case(got == wanted, name, "expected %zu, got %zu", wanted,
                      got);
}

static void refuses(const char *name, const part *parts, size_t n,
                    lll_status wanted, const char *begins)
{
    size_t got = UNTOUCHED;
    lll_error err = {0};
    lll_status status = total_size(parts, n, &got, &err);
    if (status != wanted)
        exercise_case(false, name, "expected %s, got %s",
                      name_of(wanted), name_of(status));
    else if (got != UNTOUCHED)
        exercise_case(false, name, "the output was changed");
    else if (err.code != wanted)
        exercise_case(false, name, "err->code is not the status");
    else if (strncmp(err.text, begins, strlen(begins)) != 0)
        exercise_case(false, name, "expected \"%s...\", got \"%s\"", begins,
                      err.text);
    else
        exercise_case(total_size(parts, n, &got, NULL) == wanted
                      && got == UNTOUCHED, name,
                      "with err = NULL something else happened");
}

int main(void)
{
    static const part model[] = {
        {"embedding", DTYPE_Q4_0, {100, 64}}, {"norm", DTYPE_F32, {1, 64}},
        {"output", DTYPE_F16, {100, 64}}, {"last", DTYPE_I8, {1, 1}},
    };
    static const part zero[] = {
        {"first", DTYPE_F32, {2, 3}}, {"second", DTYPE_F32, {0, 3}},
        {"third", DTYPE_F32, {0, 4}},
    };
    static const part odd[] = {{"odd", DTYPE_Q8_0, {32, 33}}};
    static const part huge[] = {
        {"small", DTYPE_I8, {1, 1}},
        {"huge", DTYPE_I8, {4294967296, 4294967296}},
    };
    static const part sum[] = {
        {"half of it", DTYPE_I8, {2147483648, 4294967296}},
        {"a little", DTYPE_I8, {1, 7}},
        {"the other half", DTYPE_I8, {2147483648, 4294967296}},
        {"not reached", DTYPE_I8, {1, 1}},
    };
    static const part full[] = {
        {"all but seven", DTYPE_I8, {1, SIZE_MAX - 7}},
        {"seven", DTYPE_I8, {1, 7}},
    };
    adds("no parts", model, 0, 0);
    adds("one part", model, 1, 3600);
    adds("two parts", model, 2, 3856);
    adds("four parts", model, 4, 16657);
    refuses("a dimension of zero", zero, 3, LLL_ERR_ARGUMENT,
            "second: tensor shape 0 x 3: dimension 1 is 0");
    refuses("rows that are not whole blocks", odd, 1, LLL_ERR_FORMAT,
            "odd: tensor shape 32 x 33: rows of 33");
    refuses("one that is too large", huge, 2, LLL_ERR_OVERFLOW,
            "huge: tensor size overflow");
    adds("exactly SIZE_MAX", full, 2, SIZE_MAX);
    refuses("a sum that is too large", sum, 4, LLL_ERR_OVERFLOW,
            "the other half: ");
    return exercise_end();
}
