// One block, handed out in aligned, zeroed pieces.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arena.h"

static void pieces(void **state)
{
    (void)state;
    arena memory;
    assert_int_equal(arena_init(&memory, 256, NULL), LLL_OK);
    unsigned char *a = arena_take(&memory, 1);
    unsigned char *b = arena_take(&memory, 64);
    unsigned char *c = arena_take(&memory, 65);
    assert_non_null(a);
    assert_true(b == a + 64 && c == b + 64);
    assert_int_equal((uintptr_t)a % ARENA_ALIGNMENT, 0);
    for (int i = 0; i < 128; i++)
        assert_int_equal(c[i], 0);
    memset(a, 1, 256);                      // all of it is ours
    assert_int_equal(memory.used, 256);
    assert_null(arena_take(&memory, 1));
    assert_non_null(arena_take(&memory, 0));
    assert_int_equal(memory.used, 256);
    arena_free(&memory);
    assert_null(memory.block);
    arena_free(&memory);
}

static void too_much(void **state)
{
    (void)state;
    arena memory;
    lll_error err;
    assert_int_equal(arena_init(&memory, SIZE_MAX - 3, &err),
                     LLL_ERR_OVERFLOW);
    assert_null(memory.block);
    assert_int_equal(arena_round(SIZE_MAX), SIZE_MAX);
    assert_int_equal(arena_round(SIZE_MAX - 62), SIZE_MAX);
    assert_int_equal(arena_round(SIZE_MAX - 63), SIZE_MAX - 63);
    assert_int_equal(arena_round(0), 0);
    assert_int_equal(arena_round(1), 64);
    assert_int_equal(arena_round(64), 64);
    assert_int_equal(arena_init(&memory, 0, &err), LLL_OK);
    assert_null(arena_take(&memory, 1));
    assert_null(arena_take(&memory, SIZE_MAX));
    arena_free(&memory);
}

static void not_even_asked_for(void **state)
{
    (void)state;
    arena zeroed = {0};
    arena_free(&zeroed);
    assert_null(arena_take(&zeroed, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),
        cmocka_unit_test(too_much),
        cmocka_unit_test(not_even_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
