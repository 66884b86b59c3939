#include "tools/exercise_sheet.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/exercise.h"

enum { MAX_ANSWERS = 64, MAX_FILE = 1 << 16, WRAP = 76 };

typedef struct {
    char *name, *text;
    bool asked;
} answer;

static enum { NO_SHEET, ASK, CHECK, SOLVE } mode;
static answer answers[MAX_ANSWERS];
static int n_answers;
static uint64_t state;              // of the picked numbers

static void give_up(const char *why, const char *what)
{
    n_answers = 0;                  // nobody asks for them any more
    mode = CHECK;
    exercise_case(false, "the sheet", "%s%s", why, what);
    exit(exercise_end());
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        text[--n] = '\0';
    return text;
}

static answer *find(const char *name)
{
    for (int i = 0; i < n_answers; i++)
        if (strcmp(answers[i].name, name) == 0)
            return &answers[i];
    return NULL;
}

// "name = text"; what follows a '#' is a remark.
static void read_line(char *line)
{
    line[strcspn(line, "#")] = '\0';
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        if (*trim(line) != '\0')
            give_up("no equals sign in the line: ", trim(line));
        return;
    }
    *equals = '\0';
    char *name = trim(line);
    if (find(name) != NULL)
        give_up("two answers to ", name);
    if (n_answers == MAX_ANSWERS)
        give_up("too many answers", "");
    answers[n_answers++] = (answer){name, trim(equals + 1), false};
}

static void read_sheet(const char *path)
{
    static char bytes[MAX_FILE];
    FILE *in = fopen(path, "r");
    if (in == NULL)
        give_up("cannot read ", path);
    size_t n = fread(bytes, 1, MAX_FILE - 1, in);
    fclose(in);
    bytes[n] = '\0';
    for (char *line = bytes, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        read_line(line);
    }
}

static uint64_t read_seed(const char *text)
{
    char *end;
    unsigned long long seed = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != '\0')
        give_up("a seed is a number, not ", text);
    return seed;
}

void exercise_sheet(int argc, char **argv)
{
    const char *what = argc == 3 ? argv[1] : "";
    mode = strcmp(what, "ask") == 0 ? ASK
           : strcmp(what, "solve") == 0 ? SOLVE : CHECK;
    if (argc != 3 || (mode == CHECK && strcmp(what, "check") != 0))
        give_up("usage: ask SEED | check FILE | solve SEED", "");
    if (mode == CHECK) {
        read_sheet(argv[2]);
        answer *seed = find("seed");
        if (seed == NULL)
            give_up("the line with the seed is gone: seed = 1", "");
        seed->asked = true;
        state = read_seed(seed->text);
    } else {
        state = read_seed(argv[2]);
        printf("seed = %s\n", argv[2]);
    }
}

// SplitMix64: any seed will do, neighbours give unlike numbers.
int64_t exercise_pick(int64_t lowest, int64_t highest)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    uint64_t n = (uint64_t)highest - (uint64_t)lowest + 1;
    return (int64_t)((uint64_t)lowest + (n == 0 ? z : z % n));
}

static void print_wrapped(const char *text)
{
    int column = WRAP;              // full: the first word opens a line
    while (*(text += strspn(text, " \n")) != '\0') {
        int n = (int)strcspn(text, " \n");
        if (column + 1 + n > WRAP)
            column = printf("\n#") - 1;
        column += printf(" %.*s", n, text);
        text += n;
    }
    printf("\n");
}

// The answer to look at, or NULL where there is nothing to check: a question
// is printed, with the right answer behind it if that was asked for.
static const char *take(const char *name, const char *right,
                        const char *question, const char *more, va_list args)
{
    if (mode == CHECK) {
        answer *found = find(name);
        if (found != NULL)
            found->asked = true;
        if (found == NULL || *found->text == '\0')
            exercise_case(false, name, "no answer yet");
        return found == NULL || *found->text == '\0' ? NULL : found->text;
    }
    char text[2048];
    int n = vsnprintf(text, sizeof text, question, args);
    if (n > 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, "%s", more);
    print_wrapped(text);
    printf("%s =%s%s\n", name, mode == SOLVE ? " " : "",
           mode == SOLVE ? right : "");
    return NULL;
}

// The digits without what groups them; false when there is too much.
static bool ungroup(const char *text, char *plain, size_t capacity)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        if (strchr(", _'", *text) != NULL)
            continue;
        if (n + 1 >= capacity)
            return false;
        plain[n++] = *text;
    }
    plain[n] = '\0';
    return true;
}

void exercise_whole(const char *name, int64_t right, const char *question,
                    ...)
{
    char shown[32], plain[64] = "", *end = plain;
    va_list args;
    snprintf(shown, sizeof shown, "%lld", (long long)right);
    va_start(args, question);
    const char *text = take(name, shown, question, "", args);
    va_end(args);
    if (text == NULL)
        return;
    errno = 0;
    long long got = ungroup(text, plain, sizeof plain)
                    ? strtoll(plain, &end, 10) : 0;
    if (end == plain || *end != '\0' || errno != 0)
        exercise_case(false, name, "not a whole number: %s", text);
    else
        exercise_case(got == right, name, "it is not %lld", got);
}

// "0.125", "1e-3", "1/8", "2^-3"
static bool read_number(const char *text, double *number)
{
    char plain[64], *end;
    if (!ungroup(text, plain, sizeof plain))
        return false;
    double value = strtod(plain, &end);
    if (end == plain)
        return false;
    if (*end == '/') {
        char *below = end + 1;
        value /= strtod(below, &end);
        if (end == below)
            return false;
    } else if (*end == '^') {
        char *power = end + 1;
        value = pow(value, strtod(power, &end));
        if (end == power)
            return false;
    }
    *number = value;
    return *end == '\0' && isfinite(value);
}

void exercise_number(const char *name, double right, double tolerance,
                     const char *question, ...)
{
    char shown[32];
    double got, limit = tolerance * (right == 0 ? 1 : fabs(right));
    va_list args;
    snprintf(shown, sizeof shown, "%.9g", right);
    va_start(args, question);
    const char *text = take(name, shown, question, "", args);
    va_end(args);
    if (text == NULL)
        return;
    if (!read_number(text, &got))
        exercise_case(false, name, "not a number: %s", text);
    else
        exercise_case(fabs(got - right) <= limit, name, "it is not %.9g",
                      got);
}

// Does `word` stand in the list "one, two, three"?
static bool listed(const char *word, const char *choices)
{
    size_t n = strlen(word);
    for (const char *c = choices; *c != '\0'; c += strspn(c, ", ")) {
        size_t length = strcspn(c, ",");
        bool same = length == n;
        for (size_t i = 0; same && i < n; i++)
            same = tolower((unsigned char)c[i])
                   == tolower((unsigned char)word[i]);
        if (same)
            return true;
        c += length;
    }
    return false;
}

void exercise_choice(const char *name, const char *right, const char *choices,
                     const char *question, ...)
{
    char more[512];
    va_list args;
    snprintf(more, sizeof more, " One of: %s.", choices);
    va_start(args, question);
    const char *text = take(name, right, question, more, args);
    va_end(args);
    if (text == NULL)
        return;
    if (!listed(right, choices) || !listed(text, choices))
        exercise_case(false, name, "not one of %s: %s", choices, text);
    else
        exercise_case(listed(text, right), name, "it is not %s", text);
}

bool exercise_sheet_end(void)
{
    for (int i = 0; i < n_answers; i++)
        if (!answers[i].asked)
            exercise_case(false, answers[i].name,
                          "there is no such question");
    n_answers = 0;
    return mode == CHECK || mode == NO_SHEET;
}
