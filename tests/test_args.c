// Command lines, right and wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/args.h"

static bool json, help;
static int64_t n;
static double temperature;
static const char *model;
static args_texts stops;
static args_list rest;
static lll_error err;

static const args_option options[] = {
    ARGS_HEADING("Model"),
    ARGS_TEXT("-m", "--model", "FILE", &model, "the model file"),
    ARGS_INT("-n", "--predict", "N", &n, -1, 100, "how many tokens"),
    ARGS_REAL(NULL, "--temp", "X", &temperature, 0, 5, "temperature, with an "
              "explanation that takes up more than one line of the screen"),
    ARGS_TEXTS(NULL, "--stop", "TEXT", &stops, "stop there"),
    ARGS_FLAG(NULL, "--json", &json, "print JSON"),
    ARGS_FLAG("-md", NULL, &json, NULL),
};
static const args_program program = {
    "./chapter-99/run", "[FILE...]", "Test.", options,
    sizeof options / sizeof *options
};

// Split at spaces and parse; "_" stands for an empty word.
static lll_status parse(const char *line)
{
    static char text[512];
    static char *argv[64];
    int argc = 1;
    json = false, help = false, n = 3, temperature = 0.8, model = NULL;
    memset(&stops, 0, sizeof stops);
    memset(&err, 0, sizeof err);
    snprintf(text, sizeof text, "%s", line);
    argv[0] = text + strlen(text);
    for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " ")) {
        if (strcmp(w, "_") == 0)
            *w = '\0';
        argv[argc++] = w;
    }
    argv[argc] = NULL;
    return args_parse(&program, argc, argv, &rest, &help, &err);
}

static void understood(void **state)
{
    (void)state;
    assert_int_equal(parse("a -n 7 b --temp=0.25 --json -m x.gguf c"),
                     LLL_OK);
    assert_int_equal(n, 7);
    assert_true(json && temperature == 0.25);
    assert_string_equal(model, "x.gguf");
    assert_int_equal(rest.n_items, 3);
    assert_string_equal(rest.items[0], "a");
    assert_string_equal(rest.items[2], "c");
    assert_int_equal(parse("-n -1 -5 -.5 - -- --json -n"), LLL_OK);
    assert_int_equal(n, -1);
    assert_false(json);
    assert_int_equal(rest.n_items, 5);
    assert_string_equal(rest.items[2], "-");
    assert_string_equal(rest.items[4], "-n");
    assert_int_equal(parse("--stop a --stop=b --model=--json"), LLL_OK);
    assert_int_equal(stops.n_items, 2);
    assert_string_equal(stops.items[1], "b");
    assert_string_equal(model, "--json");
    assert_int_equal(parse("-m -x"), LLL_OK);       // not one of ours: a text
    assert_int_equal(parse("-m _ --temp 1e-3"), LLL_OK);
    assert_string_equal(model, "");
    assert_int_equal(parse(""), LLL_OK);
    assert_int_equal(rest.n_items, 0);
    assert_int_equal(parse("--nonsense -h"), LLL_OK);
    assert_true(help);
    assert_int_equal(parse("-- -h"), LLL_OK);
    assert_false(help);
}

static void refused(void **state)
{
    static const struct { const char *line, *sentence; } cases[] = {
        {"--modell x", "unknown option --modell; did you mean --model?"},
        {"--pred 3", "unknown option --pred; did you mean --predict?"},
        {"--predic=4", "unknown option --predic; did you mean --predict?"},
        {"--modell=long-name.gguf", "unknown option --modell; did you mean "
         "--model?"},
        {"--pred=3", "unknown option --pred; did you mean --predict?"},
        {"--zzzzzz=1", "unknown option --zzzzzz"},
        {"--zzzzzz", "unknown option --zzzzzz"},
        {"-x", "unknown option -x"},
        {"-n", "-n needs a value N"},
        {"-n --json", "-n needs a value N, found the option --json"},
        {"--json=1", "--json takes no value, found \"1\""},
        {"-n 101", "--predict \"101\": expected a whole number from -1 to "
         "100"},
        {"-n -2", "--predict \"-2\": expected a whole number from -1 to 100"},
        {"-n 7x", "--predict \"7x\": expected a whole number from -1 to 100"},
        {"-n _", "--predict \"\": expected a whole number from -1 to 100"},
        {"-n 99999999999999999999", "--predict \"99999999999999999999\": "
         "expected a whole number from -1 to 100"},
        {"-n 1.5", "--predict \"1.5\": expected a whole number from -1 to "
         "100"},
        {"--temp nan", "--temp \"nan\": expected a number from 0 to 5"},
        {"--temp inf", "--temp \"inf\": expected a number from 0 to 5"},
        {"--temp -0.1", "--temp \"-0.1\": expected a number from 0 to 5"},
        {"--temp", "--temp needs a value X"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].line), LLL_ERR_USAGE);
        assert_string_equal(err.text, cases[i].sentence);
        assert_int_equal(n, 3);
    }
}

static void too_many_texts(void **state)
{
    char line[400] = "";
    (void)state;
    for (int i = 0; i < ARGS_MAX_TEXTS; i++)
        strcat(line, "--stop a ");
    assert_int_equal(parse(line), LLL_OK);
    strcat(line, "--stop a");
    assert_int_equal(parse(line), LLL_ERR_USAGE);
    assert_string_equal(err.text, "--stop: given more than 16 times");
}

static void help_text(void **state)
{
    char line[128];
    int n_lines = 0, has_default = 0, has_hidden = 0;
    FILE *out = tmpfile();
    (void)state;
    assert_non_null(out);
    parse("");
    args_help(&program, out);
    rewind(out);
    while (fgets(line, sizeof line, out) != NULL) {
        size_t length = strcspn(line, "\n");
        assert_true(length <= 78);
        assert_true(length == 0 || line[length - 1] != ' ');
        has_default += strstr(line, "[0.8]") != NULL;
        has_hidden += strstr(line, "-md") != NULL;
        n_lines++;
    }
    fclose(out);
    assert_int_equal(n_lines, 11);
    assert_int_equal(has_default, 1);
    assert_int_equal(has_hidden, 0);
}

static void called_as_it_was_started(void **state)
{
    static const char book[] = "./chapter-99/run";
    (void)state;
    assert_string_equal(args_name("./chapter-99/run", book), book);
    assert_string_equal(args_name("run", book), book);
    assert_string_equal(args_name(NULL, book), book);
    assert_string_equal(args_name("/usr/bin/lll-run", book), "lll-run");
    assert_string_equal(args_name("lll-run", book), "lll-run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(called_as_it_was_started),
        cmocka_unit_test(understood),
        cmocka_unit_test(refused),
        cmocka_unit_test(too_many_texts),
        cmocka_unit_test(help_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
