#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "common/gguf.h"
#include "common/tokenizer.h"

#include "show.h"

// @begin main-request
typedef struct {
    bool ids, many, decode, pieces, steps, stats, train; // what to do
    bool json, bos, no_special;
    const char *model, *pre, *output;
    args_texts special;
    int64_t vocab_size, min_count;
} request;
// @end main-request

// @begin main-check-train
// Which options belong to training alone, and which do not.
static lll_status check_train(const request *r, const args_list *words,
                              lll_error *err)
{
    const char *given = r->output != NULL ? "-o"
                      : r->vocab_size > 0 ? "--vocab-size"
                      : r->min_count > 0 ? "--min-frequency"
                      : r->special.n_items > 0 ? "--special" : NULL;
    if (!r->train)
        return given == NULL ? LLL_OK
             : lll_fail(err, LLL_ERR_USAGE, "%s is for --train: give the "
                        "texts to learn from, --train FILE...", given);
    if (words->n_items == 0)
        return lll_fail(err, LLL_ERR_USAGE, "--train needs the names of text "
                        "files, or - for standard input");
    given = r->model != NULL ? "-m" : r->bos ? "--bos"
          : r->no_special ? "--no-special"
          : r->output != NULL && r->json ? "--json beside -o" : NULL;
    if (given != NULL)
        return lll_fail(err, LLL_ERR_USAGE, "--train has no use for %s: "
                        "leave it out", given);
    int least = 256 + (r->special.n_items > 0 ? r->special.n_items : 1);
    if (r->vocab_size < least)
        return lll_fail(err, LLL_ERR_USAGE, "--train needs --vocab-size N of "
                        "%d or more: the 256 bytes, and the special tokens",
                        least);
    return LLL_OK;
}
// @end main-check-train

// @begin main-check
static lll_status check(const request *r, const args_list *words,
                        lll_error *err)
{
    if (r->ids + r->many + r->decode + r->pieces + r->steps + r->stats
        + r->train > 1)
        return lll_fail(err, LLL_ERR_USAGE, "--ids, --ids0, --decode, "
                        "--pieces, --steps, --stats and --train are "
                        "different things to do: give one");
    if (r->stats && words->n_items == 0)
        return lll_fail(err, LLL_ERR_USAGE,
                        "--stats needs the names of text files");
    if ((r->many || r->pieces || r->steps) && r->json)
        return lll_fail(err, LLL_ERR_USAGE, "%s prints lines, found --json "
                        "beside it: leave one out",
                        r->many ? "--ids0"
                        : r->pieces ? "--pieces" : "--steps");
    if (r->many && (words->n_items > 1 || (words->n_items == 1
        && strcmp(words->items[0], "-") != 0)))
        return lll_fail(err, LLL_ERR_USAGE, "--ids0 reads its texts from "
                        "standard input, a zero byte between two");
    const char *unused = (r->decode || r->steps || r->pieces) && r->bos
                       ? "--bos" : r->pieces && r->model != NULL ? "-m"
                       : (r->steps || r->pieces) && r->no_special
                       ? "--no-special" : NULL;
    if (unused != NULL)
        return lll_fail(err, LLL_ERR_USAGE, "%s has no use for %s: leave it "
                        "out", r->decode ? "--decode"
                        : r->pieces ? "--pieces" : "--steps", unused);
    return check_train(r, words, err);
}
// @end main-check

// @begin main-work
static lll_status work(const request *r, const args_list *words,
                       const tokenizer *t, lll_error *err)
{
    unsigned flags = (r->bos ? TOKENIZER_BOS : 0u)
        | (r->no_special ? 0u : TOKENIZER_SPECIAL);
    if (r->stats)
        return show_stats(t, words->items, words->n_items, flags, r->json,
                          err);
    char *owned = NULL;
    text_span text;
    lll_status status = find_text(words, &text, &owned, err);
    if (status != LLL_OK)
        return status;
    if (r->decode)
        status = decode(t, text, !r->no_special, r->json, err);
    else if (r->many)
        status = print_ids_of_many(t, text, flags, err);
    else if (r->json)
        status = json_tokens(t, text, flags, err);
    else if (r->ids)
        status = print_ids(t, text, flags, err);
    else if (r->pieces)
        status = show_pieces(text, r->pre, err);
    else if (r->steps)
        status = show_steps(t, text, err);
    else
        status = show_tokens(t, text, flags, err);
    free(owned);
    return status;
}
// @end main-work

// @begin main-train
static lll_status run_train(const request *r, const args_list *words,
                            lll_error *err)
{
    static const char *const usual[] = {"<|endoftext|>"};
    bool named = r->special.n_items > 0;
    const train_request asked = {
        .paths = words->items, .n_paths = words->n_items,
        .pre = r->pre != NULL ? r->pre : "gpt-2", .output = r->output,
        .special = named ? r->special.items : usual,
        .n_special = named ? r->special.n_items : 1,
        .vocab_size = (size_t)r->vocab_size,
        .min_count = r->min_count > 0 ? (uint64_t)r->min_count : 2,
        .json = r->json};
    return train(&asked, err);
}
// @end main-train

// @begin main-work-2
static lll_status run(const request *r, const args_list *words, bool lesson,
                      lll_error *err)
{
    gguf_file file;
    tokenizer t;
    if (r->train)
        return run_train(r, words, err);
    lll_status status = gguf_open(&file, r->model != NULL ? r->model
                                         : "data/tiny.gguf", err);
    if (status != LLL_OK)
        return status;
    status = tokenizer_init(&t, &file, r->pre, err);
    if (status == LLL_OK) {
        status = lesson ? show_lesson(&t, err) : work(r, words, &t, err);
        tokenizer_free(&t);
    }
    gguf_close(&file);
    return status;
}
// @end main-work-2

// @begin main
enum { MOST_TOKENS = 1000000 };     // more is more than a file may list

int main(int argc, char **argv)
{
    request r = {.model = NULL};
    bool help = false;
    const args_option options[] = {
        ARGS_TEXT("-m", "--model", "FILE", &r.model,
                  "the model whose vocabulary to use (data/tiny.gguf)"),
        ARGS_FLAG(NULL, "--ids", &r.ids,
                  "print the numbers of the tokens, nothing else"),
        ARGS_FLAG(NULL, "--ids0", &r.many, "the same for many texts on "
                  "standard input, a zero byte between two"),
        ARGS_FLAG(NULL, "--decode", &r.decode, "from numbers to text"),
        ARGS_FLAG(NULL, "--pieces", &r.pieces, "where pre-tokenizers cut "
                  "the text: --pre, or all we know"),
        ARGS_FLAG(NULL, "--steps", &r.steps, "how the text is joined"),
        ARGS_FLAG(NULL, "--stats", &r.stats,
                  "bytes for each token in text files, and the speed"),
        ARGS_FLAG(NULL, "--json", &r.json, "print JSON"),
        ARGS_FLAG(NULL, "--bos", &r.bos,
                  "begin with the token for the beginning of a text"),
        ARGS_FLAG(NULL, "--no-special", &r.no_special,
                  "\"<|im_end|>\" in the text is only text"),
        ARGS_TEXT(NULL, "--pre", "NAME", &r.pre,
                  "cut text as this pre-tokenizer does (--train: gpt-2)"),
        // @end main
        // @begin main-options
        ARGS_HEADING("A vocabulary of one's own"),
        ARGS_FLAG(NULL, "--train", &r.train, "learn the merges from text "
                  "files, and print them or write them to -o"),
        ARGS_INT(NULL, "--vocab-size", "N", &r.vocab_size, 1, MOST_TOKENS,
                 "how many tokens to have"),
        ARGS_TEXT("-o", "--output", "FILE", &r.output,
                  "the GGUF file to make: a vocabulary without a model"),
        ARGS_TEXTS(NULL, "--special", "TEXT", &r.special, "a special token "
                   "(<|endoftext|>); the first one also ends a text"),
        ARGS_INT(NULL, "--min-frequency", "N", &r.min_count, 1, 1e15,
                 "stop when no pair is there so often (2)"),
    };
    const args_program program = {
        args_name(argv[0], "./chapter-04/run"),
        "[-m FILE] [OPTION...] [TEXT | FILE... | -]",
        "Cut text into tokens, and put tokens together. Without arguments: "
        "a sentence.",
        options, sizeof options / sizeof options[0]
    };
    // @end main-options
    // @begin main-parse
    args_list words;
    lll_error err;
    bool lesson = argc == 1;
    lll_status status = args_parse(&program, argc, argv, &words, &help, &err);
    if (status == LLL_OK && help)
        args_help(&program, stdout);
    else if (status == LLL_OK) {
        status = check(&r, &words, &err);
        if (status == LLL_OK)
            status = run(&r, &words, lesson, &err);
    }
    return args_finish(&program, status, &err);
}
// @end main-parse
