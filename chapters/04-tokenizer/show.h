#ifndef CHAPTER_04_SHOW_H
#define CHAPTER_04_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/args.h"
#include "common/file.h"
#include "common/json_out.h"
#include "common/tokenizer.h"

// What the program of chapter 4 does with a text once it has one.

typedef struct {
    const char *bytes;
    size_t n_bytes;
} text_span;

typedef struct {
    int32_t *ids;           // owned
    size_t n_ids;
} id_list;

// Encode into memory that the caller frees.
lll_status encode(const tokenizer *words, text_span text, unsigned flags,
                  id_list *out, lll_error *err);

// The tokens in colour, then one line for each with number and bytes.
lll_status show_tokens(const tokenizer *words, text_span text,
                       unsigned flags, lll_error *err);
lll_status json_tokens(const tokenizer *words, text_span text,
                       unsigned flags, lll_error *err);
// Numbers separated by spaces, and one newline.
lll_status print_ids(const tokenizer *words, text_span text, unsigned flags,
                     lll_error *err);
// The same for each text in turn, a zero byte standing between two.
lll_status print_ids_of_many(const tokenizer *words, text_span texts,
                             unsigned flags, lll_error *err);
// From "17 4 2" to the bytes of these tokens, or to {"text": ...}.
lll_status decode(const tokenizer *words, text_span numbers, bool special,
                  bool json, lll_error *err);
// Two keys of an object: "text", where halves of characters are U+FFFD, and
// "bytes", where nothing is lost.
void json_text_and_bytes(json_out *json, const char *bytes, size_t n);

// A sentence taken apart and put together again, and how well it went.
lll_status show_lesson(const tokenizer *words, lll_error *err);

// A text from a file, or from standard input for "-".
typedef struct {
    text_span text;
    file_map map;           // closed for standard input
    char *owned;            // NULL for a file
} text_file;
lll_status text_open(text_file *file, const char *path, lll_error *err);
void text_close(text_file *file);
// All of standard input; owned by the caller.
lll_status read_stdin(char **bytes, size_t *n_bytes, lll_error *err);

// The text to work on: standard input for "-" or where nothing is given,
// else the words of the command line with a space between. `*owned` is to
// be freed.
lll_status find_text(const args_list *words, text_span *text, char **owned,
                     lll_error *err);

// Where pre-tokenizers cut: `pre`, or for NULL all there are, a line each.
lll_status show_pieces(text_span text, const char *pre, lll_error *err);

// How each piece of the text is joined, one line for each join.
lll_status show_steps(const tokenizer *words, text_span text,
                      lll_error *err);

// Learn a vocabulary from texts; write it to a file, or the merges to
// standard output.
typedef struct {
    const char *const *paths;
    int n_paths;
    const char *pre, *output;       // output: NULL to print
    const char *const *special;
    int n_special;
    size_t vocab_size;
    uint64_t min_count;
    bool json;
} train_request;
lll_status train(const train_request *r, lll_error *err);

// Bytes for each token in these files, on standard output, and the speed,
// on standard error. `items` are paths.
lll_status show_stats(const tokenizer *words, const char *const *items,
                      int n_items, unsigned flags, bool json,
                      lll_error *err);

#endif
