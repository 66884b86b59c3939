// JSON in the right places, with the right digits.
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json_out.h"

static FILE *out;
static char text[1024];

static int open_file(void **state)
{
    (void)state;
    out = tmpfile();
    return out == NULL;
}

static int close_file(void **state)
{
    (void)state;
    return fclose(out);
}

static void begin(json_out *json)
{
    rewind(out);
    json_out_begin(json, out);
}

// Finish, and compare what was written.
static void written(json_out *json, const char *expected)
{
    assert_int_equal(json_out_finish(json, NULL), LLL_OK);
    long n = ftell(out);
    rewind(out);
    assert_int_equal(fread(text, 1, (size_t)n, out), n);
    text[n] = '\0';
    assert_int_equal(text[n - 1], '\n');
    text[n - 1] = '\0';
    assert_string_equal(text, expected);
}

static void nesting(void **state)
{
    json_out json;
    (void)state;
    begin(&json);
    json_out_object(&json);
    json_out_key(&json, "a");
    json_out_array(&json);
    json_out_u64(&json, 18446744073709551615u);
    json_out_i64(&json, INT64_MIN);
    json_out_object(&json);
    json_out_end(&json);
    json_out_array(&json);
    json_out_end(&json);
    json_out_end(&json);
    json_out_key(&json, "b");
    json_out_bool(&json, true);
    json_out_key(&json, "c");
    json_out_null(&json);
    json_out_end(&json);
    written(&json, "{\"a\": [18446744073709551615, -9223372036854775808, {}, "
            "[]], \"b\": true, \"c\": null}");
}

static void strings(void **state)
{
    json_out json;
    (void)state;
    begin(&json);
    json_out_array(&json);
    json_out_text(&json, "q\" b\\ \n\x01");
    json_out_bytes(&json, "a\0b", 3);
    json_out_text(&json, "\xe9\x8d\xb5 \xff \xc3");
    json_out_text(&json, "\xc2\x85\x7f");
    json_out_text(&json, "\xed\xa0\x80");
    json_out_text(&json, "");
    json_out_end(&json);
    written(&json, "[\"q\\\" b\\\\ \\u000a\\u0001\", \"a\\u0000b\", "
            "\"\xe9\x8d\xb5 \\ufffd \\ufffd\", \"\\u0085\\u007f\", "
            "\"\\ufffd\\ufffd\\ufffd\", \"\"]");
}

static void numbers(void **state)
{
    static const double doubles[] = {0.1, 1.0 / 3, 1e300, DBL_MIN, DBL_MAX,
                                     5e-324, -0.0, 123456789012345678.0};
    json_out json;
    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        begin(&json);
        json_out_f64(&json, doubles[i]);
        assert_int_equal(json_out_finish(&json, NULL), LLL_OK);
        rewind(out);
        assert_non_null(fgets(text, sizeof text, out));
        double back = strtod(text, NULL);
        assert_memory_equal(&back, &doubles[i], sizeof back);
    }
    begin(&json);
    json_out_array(&json);
    json_out_f64(&json, 0.1);
    json_out_f32(&json, 0.1f);
    json_out_f32(&json, 16777216.0f);
    json_out_f64(&json, NAN);
    json_out_f32(&json, -INFINITY);
    json_out_f32(&json, -0.0f);
    json_out_end(&json);
    written(&json, "[0.1, 0.1, 16777216, null, null, -0.0]");
}

// Each of these is a mistake in a program, and none may go unnoticed.
static void misplaced(void **state)
{
    lll_error err;
    (void)state;
    for (int mistake = 0; mistake < 9; mistake++) {
        json_out json;
        begin(&json);
        switch (mistake) {
        case 0: break;                                      // nothing at all
        case 1: json_out_key(&json, "a"); break;
        case 2: json_out_null(&json); json_out_null(&json); break;
        case 3: json_out_object(&json); json_out_null(&json); break;
        case 4: json_out_array(&json); json_out_key(&json, "a"); break;
        case 5: json_out_object(&json); json_out_key(&json, "a");
                json_out_end(&json); break;
        case 6: json_out_array(&json); break;
        case 7: json_out_end(&json); break;
        case 8: for (int i = 0; i <= JSON_OUT_DEPTH; i++)
                    json_out_array(&json);
                for (int i = 0; i <= JSON_OUT_DEPTH; i++)
                    json_out_end(&json);
                break;
        }
        assert_int_equal(json_out_finish(&json, &err), LLL_ERR_ARGUMENT);
    }
}

static void text_in_parts(void **state)
{
    json_out json;
    (void)state;
    begin(&json);
    json_out_object(&json);
    json_out_key(&json, "text");
    json_out_bytes_begin(&json);
    json_out_bytes_part(&json, "a \"b", 4);
    json_out_bytes_part(&json, "", 0);
    json_out_bytes_part(&json, "\n\xc3\xa9", 3);
    json_out_bytes_end(&json);
    json_out_key(&json, "n");
    json_out_u64(&json, 1);
    json_out_end(&json);
    written(&json, "{\"text\": \"a \\\"b\\u000a\xc3\xa9\", \"n\": 1}");
    begin(&json);
    json_out_object(&json);
    json_out_bytes_begin(&json);            // where a key belongs
    json_out_bytes_part(&json, "a", 1);
    json_out_bytes_end(&json);
    json_out_end(&json);
    assert_int_equal(json_out_finish(&json, NULL), LLL_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting),
        cmocka_unit_test(strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(misplaced),
        cmocka_unit_test(text_in_parts),
    };
    return cmocka_run_group_tests(tests, open_file, close_file);
}
