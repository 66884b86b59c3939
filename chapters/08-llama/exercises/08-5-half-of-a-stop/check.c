#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chapters/08-llama/exercises/08-5-half-of-a-stop/stop.h"
#include "tools/exercise.h"

enum { MOST = 64 };

// Does some stop text begin at text[at], and how much of it is there?
static bool begins(const char *text, size_t n, size_t at,
                   const char *const *stops, int n_stops, bool whole)
{
    for (int i = 0; i < n_stops; i++) {
        size_t length = strlen(stops[i]), left = n - at;
        if (length > 0 && (length <= left) == whole
            && memcmp(text + at, stops[i], whole ? length : left) == 0)
            return true;
    }
    return false;
}

static size_t right_answer(const char *text, size_t n,
                           const char *const *stops, int n_stops,
                           bool *stopped)
{
    for (size_t at = 0; at < n; at++)
        if ((*stopped = begins(text, n, at, stops, n_stops, true)))
            return at;
    for (size_t at = 0; at < n; at++)
        if (begins(text, n, at, stops, n_stops, false))
            return at;
    return n;
}

// A text in pieces of some lengths, over and over. Each call gets a block of
// its own, so that a byte too many is noticed.
static bool in_pieces(const char *text, const int *lengths, int n_lengths,
                      const char *const *stops, int n_stops, char *why)
{
    size_t at = 0, n = strlen(text), written = 0;
    for (int i = 0; at < n; i++) {
        at += (size_t)lengths[i % n_lengths];
        at = at < n ? at : n;
        size_t n_held = at - written;
        char *held = malloc(n_held + (n_held == 0));
        if (held == NULL)
            return false;
        memcpy(held, text + written, n_held);
        bool wanted_stop = false, stopped = i % 2 == 0;
        size_t wanted = right_answer(held, n_held, stops, n_stops,
                                     &wanted_stop);
        size_t got = let_out(held, n_held, stops, n_stops, &stopped);
        snprintf(why, 128, "of \"%.*s\": expected %zu%s, got %zu%s",
                 (int)n_held, held, wanted, wanted_stop ? ", stopped" : "",
                 got, stopped ? ", stopped" : "");
        free(held);
        if (got != wanted || stopped != wanted_stop)
            return false;
        if (stopped)
            return true;
        written += got;
    }
    return true;
}

static void expect(const char *name, const char *text,
                   const char *const *stops, int n_stops)
{
    static const int cuts[][3] = {{MOST, MOST, MOST}, {1, 1, 1}, {2, 2, 2},
                                  {3, 1, 2}, {5, 4, 7}};
    char why[128] = "";
    for (int i = 0; i < 5; i++)
        if (!in_pieces(text, cuts[i], 3, stops, n_stops, why)) {
            exercise_case(false, name, "%s", why);
            return;
        }
    exercise_case(true, name, "-");
}

int main(void)
{
    static const char *const hashes[] = {"###"};
    static const char *const aab[] = {"aab"};
    static const char *const two[] = {"User:", "\n\n"};
    static const char *const inside[] = {"abcd", "bc"};
    static const char *const same[] = {"ab", "abc"};
    static const char *const nothing[] = {"", "x"};
    expect("no stop text", "all of it", NULL, 0);
    expect("it never comes", "all of it", hashes, 1);
    expect("it comes", "before###behind", hashes, 1);
    expect("almost", "a # and ## and #", hashes, 1);
    expect("at the very start", "###", hashes, 1);
    expect("a beginning in a beginning", "aaaaaabaa", aab, 1);
    expect("the first of two", "hello\nyou\n\nUser: x", two, 2);
    expect("the second of two", "hello\nUse\nUser: x\n\n", two, 2);
    expect("one inside the other", "xxabce abcd", inside, 2);
    expect("the outer one comes first", "xxabcd", inside, 2);
    expect("one begins the other", "xaabc", same, 2);
    expect("an empty one", "text", nothing, 2);
    return exercise_end();
}
