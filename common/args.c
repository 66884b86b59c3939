#include "common/args.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// @begin args-find
// The name an option goes by in sentences.
static const char *name_of(const args_option *option)
{
    return option->long_name != NULL ? option->long_name
                                     : option->short_name;
}

// Is `word` this name, up to the "=" of "--name=value"?
static bool is_name(const char *word, size_t n, const char *name)
{
    return name != NULL && strlen(name) == n && memcmp(word, name, n) == 0;
}

// The option that `word` names, or NULL. *value is what stands after "=",
// which only names with two dashes may have.
static const args_option *find_option(const args_program *program,
                                      const char *word, const char **value)
{
    size_t n = strlen(word);
    const char *equals = strchr(word, '=');
    *value = NULL;
    if (equals != NULL && strncmp(word, "--", 2) == 0) {
        n = (size_t)(equals - word);
        *value = equals + 1;
    }
    for (size_t i = 0; i < program->n_options; i++) {
        const args_option *option = &program->options[i];
        if (is_name(word, n, option->short_name)
            || is_name(word, n, option->long_name))
            return option;
    }
    return NULL;
}
// @end args-find

// @begin args-nearest
static int smaller(int a, int b) { return a < b ? a : b; }

// Row i, column j holds what the first i letters of one word are away from
// the first j of the other; only one row is needed at a time.
int args_distance(const char *a, size_t n_a, const char *b)
{
    enum { LONGEST = 40 };
    int row[LONGEST + 1];
    int n = (int)strlen(b);
    if (n > LONGEST || n_a > LONGEST)
        return LONGEST;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; i <= (int)n_a; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(replaced, 1 + smaller(row[j], row[j - 1]));
        }
    }
    return row[n];
}
// @end args-nearest

// @begin args-unknown
static lll_status unknown(const args_program *program, const char *word,
                          lll_error *err)
{
    const char *nearest = NULL;
    size_t n = strcspn(word, "=");      // "--sed=5": the value is no slip
    int best = 3;               // further away it is another word, not a slip
    for (size_t i = 0; i < program->n_options; i++) {
        const char *name = program->options[i].long_name;
        if (name == NULL || program->options[i].help == NULL)
            continue;
        bool starts = n > 3 && strncmp(word, name, n) == 0;
        int d = starts ? 1 : args_distance(word, n, name);
        if (d < best) {
            best = d;
            nearest = name;
        }
    }
    if (nearest != NULL)
        return lll_fail(err, LLL_ERR_USAGE,
                        "unknown option %.*s; did you mean %s?", (int)n, word,
                        nearest);
    return lll_fail(err, LLL_ERR_USAGE, "unknown option %.*s", (int)n, word);
}
// @end args-unknown

// @begin args-numbers
static lll_status set_int(const args_option *option, const char *text,
                          lll_error *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    // strtoll skips spaces and stops at the first letter; "12abc" and an
    // empty value must not pass for numbers.
    if (end == text || *end != '\0' || strchr(" \t\n\v\f\r", text[0]) != NULL
        || errno == ERANGE
        || (double)number < option->minimum
        || (double)number > option->maximum)
        return lll_fail(err, LLL_ERR_USAGE,
                        "%s \"%s\": expected a whole number from %.0f to "
                        "%.0f", name_of(option), text, option->minimum,
                        option->maximum);
    *(int64_t *)option->target = number;
    return LLL_OK;
}

static lll_status set_real(const args_option *option, const char *text,
                           lll_error *err)
{
    char *end;
    double number = strtod(text, &end);
    // Written so that NaN, for which every comparison is false, fails.
    if (end == text || *end != '\0' || strchr(" \t\n\v\f\r", text[0]) != NULL
        || !(number >= option->minimum && number <= option->maximum))
        return lll_fail(err, LLL_ERR_USAGE,
                        "%s \"%s\": expected a number from %g to %g",
                        name_of(option), text, option->minimum,
                        option->maximum);
    *(double *)option->target = number;
    return LLL_OK;
}
// @end args-numbers

// @begin args-set
static lll_status set_option(const args_option *option, const char *value,
                             lll_error *err)
{
    args_texts *texts = option->target;
    switch (option->kind) {
    case ARGS_KIND_INT:
        return set_int(option, value, err);
    case ARGS_KIND_REAL:
        return set_real(option, value, err);
    case ARGS_KIND_TEXT:
        *(const char **)option->target = value;
        return LLL_OK;
    case ARGS_KIND_TEXTS:
        if (texts->n_items == ARGS_MAX_TEXTS)
            return lll_fail(err, LLL_ERR_USAGE, "%s: given more than %d "
                            "times", name_of(option), ARGS_MAX_TEXTS);
        texts->items[texts->n_items++] = value;
        return LLL_OK;
    case ARGS_KIND_FLAG:
    case ARGS_KIND_HEADING:
        break;
    }
    return LLL_OK;
}
// @end args-set

// @begin args-take
// Take the option at argv[*i] and its value, which may be the next word.
static lll_status take(const args_program *program, char **argv, int argc,
                       int *i, lll_error *err)
{
    const char *value, *unused;
    const char *word = argv[*i];
    const args_option *option = find_option(program, word, &value);
    if (option == NULL)
        return unknown(program, word, err);
    if (option->kind == ARGS_KIND_FLAG) {
        if (value != NULL)
            return lll_fail(err, LLL_ERR_USAGE,
                            "%s takes no value, found \"%s\"",
                            name_of(option), value);
        *(bool *)option->target = true;
        return LLL_OK;
    }
    if (value == NULL && *i + 1 < argc) {
        value = argv[++*i];
        if (value[0] == '-' && find_option(program, value, &unused) != NULL)
            return lll_fail(err, LLL_ERR_USAGE, "%s needs a value %s, found "
                            "the option %s", word, option->value, value);
    }
    if (value == NULL)
        return lll_fail(err, LLL_ERR_USAGE, "%s needs a value %s", word,
                        option->value);
    return set_option(option, value, err);
}
// @end args-take

// @begin args-parse
// "-" alone means standard input, and "-5" is a number.
static bool is_option(const args_program *program, const char *word)
{
    const char *unused;
    if (word[0] != '-' || word[1] == '\0')
        return false;
    bool number = (word[1] >= '0' && word[1] <= '9') || word[1] == '.';
    return !number || find_option(program, word, &unused) != NULL;
}
// @end args-parse

// @begin args-words
lll_status args_parse(const args_program *program, int argc, char **argv,
                      args_list *rest, bool *help, lll_error *err)
{
    int n_rest = 0;
    bool options_ended = false;

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *help = true;
            rest->items = NULL;
            rest->n_items = 0;
            return LLL_OK;
        }
    }
    for (int i = 1; i < argc; i++) {
        if (!options_ended && strcmp(argv[i], "--") == 0) {
            options_ended = true;
        } else if (!options_ended && is_option(program, argv[i])) {
            lll_status status = take(program, argv, argc, &i, err);
            if (status != LLL_OK)
                return status;
        } else {
            // Never ahead of i: nothing unread is overwritten.
            argv[1 + n_rest++] = argv[i];
        }
    }
    *help = false;
    rest->items = (const char *const *)(argv + 1);
    rest->n_items = n_rest;
    return LLL_OK;
}
// @end args-words

// @begin args-help
enum { HELP_WIDTH = 78, HELP_INDENT = 26 };

// Write text from column `column` on, breaking lines between words; lines
// after the first begin in column `indent`.
static void wrapped(FILE *out, const char *text, int column, int indent)
{
    bool first = true;
    for (text += strspn(text, " "); *text != '\0';
         text += strspn(text, " ")) {
        int n = (int)strcspn(text, " ");
        if (!first && column + 1 + n > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            column += fprintf(out, " ");
        }
        column += fprintf(out, "%.*s", n, text);
        text += n;
        first = false;
    }
    fputc('\n', out);
}
// @end args-help

// @begin args-help-line
// " [0.8]" where the target holds a default worth telling.
static void default_text(const args_option *option, char *text, size_t n)
{
    text[0] = '\0';
    if (option->kind == ARGS_KIND_INT && *(int64_t *)option->target != 0)
        snprintf(text, n, " [%" PRId64 "]", *(int64_t *)option->target);
    if (option->kind == ARGS_KIND_REAL && fabs(*(double *)option->target) > 0)
        snprintf(text, n, " [%g]", *(double *)option->target);
    if (option->kind == ARGS_KIND_TEXT
        && *(const char **)option->target != NULL)
        snprintf(text, n, " [%s]", *(const char **)option->target);
}

static void help_line(FILE *out, const args_option *option)
{
    char left[80], right[256], after[64];
    bool both = option->short_name != NULL && option->long_name != NULL;
    default_text(option, after, sizeof after);
    snprintf(right, sizeof right, "%s%s", option->help, after);
    snprintf(left, sizeof left, "  %s%s%s%s%s",
             option->short_name != NULL ? option->short_name : "    ",
             both ? ", " : "",
             option->long_name != NULL ? option->long_name : "",
             option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
    int column = fprintf(out, "%-*s", HELP_INDENT - 1, left);
    if (column >= HELP_INDENT) {
        fprintf(out, "\n%*s", HELP_INDENT, "");
        column = HELP_INDENT;
    } else {
        column += fprintf(out, " ");
    }
    wrapped(out, right, column, HELP_INDENT);
}
// @end args-help-line

// @begin args-name
const char *args_name(const char *started_as, const char *in_book)
{
    const char *slash = started_as != NULL ? strrchr(started_as, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : started_as;
    return name == NULL || strcmp(name, "run") == 0 ? in_book : name;
}
// @end args-name

// @begin args-help-all
void args_help(const args_program *program, FILE *out)
{
    static const args_option help_option = {
        ARGS_KIND_FLAG, "-h", "--help", NULL, NULL, 0, 0, "show this"
    };
    int column = fprintf(out, "usage: %s ", program->name);
    wrapped(out, program->usage, column, 11);
    wrapped(out, program->summary, 0, 0);
    fputc('\n', out);
    for (size_t i = 0; i < program->n_options; i++) {
        const args_option *option = &program->options[i];
        if (option->kind == ARGS_KIND_HEADING)
            fprintf(out, "%s%s\n", i > 0 ? "\n" : "", option->help);
        else if (option->help != NULL)
            help_line(out, option);
    }
    help_line(out, &help_option);
}
// @end args-help-all

// @begin args-finish
int args_finish(const args_program *program, lll_status status,
                const lll_error *err)
{
    // A full disk shows only when the last buffer is written.
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (status == LLL_OK) {
            fprintf(stderr, "error: standard output could not be written\n");
            return 1;
        }
    }
    if (status == LLL_OK)
        return 0;
    if (status == LLL_ERR_USAGE) {
        fprintf(stderr, "error: %s (%s --help lists the options)\n",
                err->text, program->name);
        return 2;
    }
    fprintf(stderr, "error: %s\n", err->text);
    return 1;
}
// @end args-finish
