#include <stdio.h>
#include <string.h>

#include "common/bpe_train.h"
#include "tools/exercise.h"

enum { N_WORDS = 4 };

// How often the pair of two letters stands in the words, as letters.
static int64_t count_letters(const char *const *words, const int64_t *times,
                             const char *pair)
{
    int64_t n = 0;
    for (int i = 0; i < N_WORDS; i++)
        for (const char *at = words[i]; (at = strstr(at, pair)) != NULL; at++)
            n += times[i];
    return n;
}

// The same when the letters that were joined first are letters no more.
static int64_t count_left(const char *const *words, const int64_t *times,
                          const char *joined, const char *pair)
{
    int64_t n = 0;
    for (int i = 0; i < N_WORDS; i++) {
        char word[16];
        snprintf(word, sizeof word, "%s", words[i]);
        for (char *at = word; (at = strstr(at, joined)) != NULL; )
            at[0] = at[1] = '#';
        for (char *at = word; (at = strstr(at, pair)) != NULL; at++)
            n += times[i];
    }
    return n;
}

static void ask(const bpe_trainer *t, const char *const *words,
                const int64_t *times)
{
    char first[4], joined[3];
    int64_t n_letters = 0;
    for (int i = 0; i < N_WORDS; i++)
        n_letters += times[i] * (int64_t)strlen(words[i]);
    size_t n;
    const unsigned char *bytes = bpe_trainer_token(t, 256, &n);
    snprintf(joined, sizeof joined, "%c%c", bytes[0], bytes[1]);
    snprintf(first, sizeof first, "%c+%c", bytes[0], bytes[1]);
    const char *other = strcmp(joined, "en") == 0 ? "he" : "en";
    exercise_choice("first", first, "e+n, e+s, h+e, n+s, t+e, t+h",
                    "The words are %s (%d), %s (%d), %s (%d) and %s (%d). "
                    "Which pair is joined first?", words[0], (int)times[0],
                    words[1], (int)times[1], words[2], (int)times[2],
                    words[3], (int)times[3]);
    exercise_whole("count", (int64_t)t->merges[0].count,
                   "How often is it there?");
    exercise_whole("before", count_letters(words, times, other),
                   "How often was %c+%c there, before that?", other[0],
                   other[1]);
    exercise_whole("after", count_left(words, times, joined, other),
                   "And how often afterwards?");
    exercise_whole("second", (int64_t)t->merges[1].count,
                   "How often is the pair there that is joined next?");
    exercise_whole("length", t->merges[1].n_bytes,
                   "How many letters has the token that it makes?");
    exercise_whole("tokens", n_letters - (int64_t)t->merges[0].count
                             - (int64_t)t->merges[1].count,
                   "How many tokens are all these words together, after the "
                   "two joins?");
}

int main(int argc, char **argv)
{
    static const char *const all[] = {"hen", "then", "hens", "ten", "tens",
                                      "the", "these", "he", "tent"};
    exercise_sheet(argc, argv);
    const char *words[N_WORDS];
    int64_t times[N_WORDS];
    int64_t from = exercise_pick(0, 8), step = exercise_pick(1, 2);
    const pretokenizer *gpt2;
    bpe_trainer t;
    pretokenize_find("gpt-2", 5, &gpt2, NULL);
    bpe_trainer_init(&t, gpt2, NULL, 0, NULL);
    for (int i = 0; i < N_WORDS; i++) {
        words[i] = all[(from + i * step) % 9];
        times[i] = exercise_pick(1, 5);
        for (int64_t n = 0; n < times[i]; n++)
            bpe_trainer_add(&t, words[i], strlen(words[i]), NULL);
    }
    bpe_trainer_run(&t, 256 + 2, 1, NULL, NULL, NULL);
    ask(&t, words, times);
    bpe_trainer_free(&t);
    return exercise_end();
}
