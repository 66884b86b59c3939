#ifndef COMMON_ARGS_H
#define COMMON_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"

// Command lines. One table per program says what its options are; parsing,
// --help and the book's reference page all come from it.
//
//     bool json = false;
//     int64_t n_threads = 0;
//     const args_option options[] = {
//         ARGS_FLAG(NULL, "--json", &json, "print JSON"),
//         ARGS_INT("-t", "--threads", "N", &n_threads, 0, 1024,
//                  "threads (0: one for each core)"),
//     };
//     const args_program program = {"./chapter-08/run",
//                                   "[-m FILE] [-p TEXT]",
//                                   "Run a Llama.", options, 2};
//     args_list rest;
//     bool help;
//     lll_error err;
//     lll_status s = args_parse(&program, argc, argv, &rest, &help, &err);
//
// A box in chapter 1: used everywhere, explained once.

typedef enum {
    ARGS_KIND_FLAG, ARGS_KIND_INT, ARGS_KIND_REAL, ARGS_KIND_TEXT,
    ARGS_KIND_TEXTS, ARGS_KIND_HEADING
} args_kind;

enum { ARGS_MAX_TEXTS = 16 };

// What stands outside the options.
typedef struct {
    const char *const *items;   // borrowed from argv
    int n_items;
} args_list;

// Several values of one option: --stop A --stop B.
typedef struct {
    const char *items[ARGS_MAX_TEXTS];
    int n_items;
} args_texts;

typedef struct {
    args_kind kind;
    const char *short_name;     // "-n" or NULL
    const char *long_name;      // "--predict" or NULL
    const char *value;          // "N", as --help shows it; NULL for a flag
    void *target;               // where the value goes; holds the default
    double minimum, maximum;    // of a number, both allowed
    const char *help;           // one line; NULL hides the option
} args_option;

#define ARGS_FLAG(s, l, target, help) \
    {ARGS_KIND_FLAG, s, l, NULL, target, 0, 0, help}      /* bool * */
#define ARGS_INT(s, l, v, target, low, high, help) \
    {ARGS_KIND_INT, s, l, v, target, low, high, help}     /* int64_t * */
#define ARGS_REAL(s, l, v, target, low, high, help) \
    {ARGS_KIND_REAL, s, l, v, target, low, high, help}    /* double * */
#define ARGS_TEXT(s, l, v, target, help) \
    {ARGS_KIND_TEXT, s, l, v, target, 0, 0, help}         /* const char ** */
#define ARGS_TEXTS(s, l, v, target, help) \
    {ARGS_KIND_TEXTS, s, l, v, target, 0, 0, help}        /* args_texts * */
#define ARGS_HEADING(text) \
    {ARGS_KIND_HEADING, NULL, NULL, NULL, NULL, 0, 0, text}

typedef struct {
    const char *name;           // "./chapter-08/run"
    const char *usage;          // "[-m FILE] [-p TEXT]"
    const char *summary;        // one sentence
    const args_option *options;
    size_t n_options;
} args_program;

// Fill the targets from argv. Both "--name value" and "--name=value" are
// understood, "--" ends the options, a lone "-" is not an option, and a
// negative number is a value.
//
// rest   what stands outside the options, in order; argv is reordered
//
// LLL_OK, or LLL_ERR_USAGE with a sentence that names the nearest option
// ("unknown option --thread; did you mean --threads?"). *help is set when
// --help or -h was given, and then nothing else is checked.
lll_status args_parse(const args_program *program, int argc, char **argv,
                      args_list *rest, bool *help, lll_error *err);

// What a program is called: under the name that it was installed as; a file
// "run" is called as in the book, "./" and its name there.
const char *args_name(const char *started_as, const char *in_book);

// Write the help text to `out`, at most 78 columns wide.
void args_help(const args_program *program, FILE *out);

// What main() returns: flushes standard output, writes "error: ..." to
// standard error where there is one, and gives 0, 1 (bad input, failed work,
// a result that could not be written) or 2 (wrong usage, with a hint to
// --help).
int args_finish(const args_program *program, lll_status status,
                const lll_error *err);

// How many letters must be inserted, removed or replaced to make `b` of the
// first n_a bytes of `a` (Levenshtein's distance); 40 for longer words.
int args_distance(const char *a, size_t n_a, const char *b);

#endif
