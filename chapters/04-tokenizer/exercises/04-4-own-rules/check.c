#include <stdio.h>
#include <string.h>

#include "chapters/04-tokenizer/exercises/04-4-own-rules/rules.h"
#include "tools/exercise.h"

static void cuts(const char *text, const char *wanted)
{
    pretokenize_scan scan;
    size_t begin, end;
    char got[256] = "", name[64];
    size_t n = 0;
    pretokenize_begin(&scan, &own_rules, text, strlen(text));
    while (pretokenize_next(&scan, &begin, &end) && n + end - begin < 200) {
        if (n > 0)
            got[n++] = '|';
        memcpy(got + n, text + begin, end - begin);
        n += end - begin;
    }
    snprintf(name, sizeof name, "\"%s\"", text);
    for (char *at = name; *at != '\0'; at++)
        if (*at == '\n')
            *at = '^';
    exercise_case(strcmp(got, wanted) == 0, name, "expected %s, got %s",
                  wanted, got);
}

int main(void)
{
    cuts("one", "one");
    cuts("one two", "one| two");
    cuts("don't stop", "don't| stop");
    cuts("'tis the dogs' day", "'tis| the| dogs'| day");
    cuts("na\u00efve \u00e9tude", "na\u00efve| \u00e9tude");
    cuts("12345", "12|34|5");
    cuts("in 1984.", "in| |19|84|.");
    cuts("x2y34", "x|2|y|34");
    cuts("\u0664\u0665\u0666", "\u0664\u0665|\u0666");
    cuts("well... no", "well|...| no");
    cuts("a +- b", "a| +-| b");
    cuts("--'a'--", "--|'a'|--");
    cuts("\u2019a", "\u2019|a");
    cuts("a   b", "a|  | b");
    cuts("a  2", "a| | |2");
    cuts("a   ", "a|   ");
    cuts("a\n\nb", "a|\n|\n|b");
    cuts("", "");
    return exercise_end();
}
