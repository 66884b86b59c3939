#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/pretokenize.h"
#include "tools/exercise.h"

static const struct { const char *key, *name, *text; } families[] = {
    {"gpt2", "gpt-2", "GPT-2"}, {"llama3", "llama-bpe", "Llama 3"},
    {"smollm", "smollm", "SmolLM"},
};
enum { N_FAMILIES_HERE = sizeof families / sizeof families[0] };

static int64_t count_pieces(const char *name, const char *text)
{
    const pretokenizer *rules;
    pretokenize_scan scan;
    size_t begin, end;
    int64_t n = 0;
    pretokenize_find(name, strlen(name), &rules, NULL);
    pretokenize_begin(&scan, rules, text, strlen(text));
    while (pretokenize_next(&scan, &begin, &end))
        n++;
    return n;
}

static void ask(const char *key, const char *text)
{
    for (int i = 0; i < N_FAMILIES_HERE; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s_%s", key, families[i].key);
        exercise_whole(name, count_pieces(families[i].name, text),
                       "Into how many pieces does %s cut \"%s\"?",
                       families[i].text, text);
    }
}

// With commas before each group of three.
static void group(int64_t number, char text[32])
{
    if (number < 1000) {
        snprintf(text, 32, "%" PRId64, number);
        return;
    }
    group(number / 1000, text);
    size_t n = strlen(text);
    snprintf(text + n, 32 - n, ",%03d", (int)(number % 1000));
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    int64_t power = 1;
    for (int64_t n = exercise_pick(3, 9); n > 0; n--)
        power *= 10;
    int64_t number = exercise_pick(power, 10 * power - 1);
    char text[32], spaced[32];
    snprintf(text, sizeof text, "%" PRId64, number);
    ask("plain", text);
    snprintf(spaced, sizeof spaced, " %" PRId64, number);
    ask("spaced", spaced);
    group(number, text);
    ask("grouped", text);
    return exercise_end();
}
