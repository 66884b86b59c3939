#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/terminal.h"
#include "common/unicode.h"

// Merging as one would do it by hand: look at all pairs, join the best, look
// again. Quadratic, so for words; common/bpe.c does it for texts.

// @begin steps-symbols
typedef struct {
    const char *bytes;
    size_t n_bytes;
    int32_t id;             // or -1
} symbol;

// A byte each, or a character where the vocabulary is made of those.
static size_t smallest_symbols(const tokenizer *t, text_span piece,
                               symbol *symbols)
{
    size_t n = 0, length;
    for (size_t at = 0; at < piece.n_bytes; at += length) {
        const unsigned char *bytes = (const unsigned char *)piece.bytes + at;
        uint32_t code;
        int decoded = t->pre != NULL
                    ? 1 : unicode_decode(bytes, piece.n_bytes - at, &code);
        length = decoded < 1 ? 1 : (size_t)decoded;
        symbol s = {piece.bytes + at, length,
                    vocabulary_find(&t->words, bytes, length)};
        // A byte that a byte-level vocabulary lacks is left out.
        if (s.id >= 0 || t->pre == NULL)
            symbols[n++] = s;
    }
    return n;
}
// @end steps-symbols

// @begin steps-rank
// How early two neighbours are joined, smaller first, or BPE_NONE; and into
// what.
static uint32_t find_join(const tokenizer *t, const symbol *left, int32_t *id)
{
    const symbol *right = left + 1;
    if (t->pre != NULL) {
        uint32_t line = bpe_table_find(&t->words.merges, left->id,
                                       right->id);
        *id = line == BPE_NONE ? -1 : t->words.merges.pairs[line].result;
        return line;
    }
    *id = vocabulary_find(&t->words, (const unsigned char *)left->bytes,
                          left->n_bytes + right->n_bytes);
    return *id < 0 ? BPE_NONE : t->words.tokens[*id].rank;
}
// @end steps-rank

// @begin steps-join
static bool join_best(const tokenizer *t, symbol *symbols, size_t *n,
                      int32_t *made)
{
    uint32_t best = BPE_NONE;
    size_t at = 0;
    for (size_t i = 0; i + 1 < *n; i++) {
        int32_t id;
        uint32_t rank = find_join(t, &symbols[i], &id);
        if (rank < best) {
            best = rank;
            at = i;
            *made = id;
        }
    }
    if (best == BPE_NONE)
        return false;
    symbols[at].n_bytes += symbols[at + 1].n_bytes;
    symbols[at].id = *made;
    --*n;
    memmove(&symbols[at + 1], &symbols[at + 2],
            (*n - at - 1) * sizeof *symbols);
    return true;
}
// @end steps-join

// @begin steps-row
static void print_row(const char *label, const symbol *symbols, size_t n)
{
    printf("%8s  ", label);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            putchar('|');
        terminal_text(stdout, symbols[i].bytes, symbols[i].n_bytes);
    }
    putchar('\n');
}

// What is no token falls into its bytes, in SentencePiece.
static void print_bytes(const symbol *symbols, size_t n)
{
    bool all = true;
    for (size_t i = 0; i < n; i++)
        all = all && symbols[i].id >= 0;
    if (all)
        return;
    printf("%8s  ", "bytes");
    for (size_t i = 0; i < n; i++) {
        size_t each = symbols[i].id >= 0 ? symbols[i].n_bytes : 1;
        for (size_t at = 0; at < symbols[i].n_bytes; at += each) {
            if (i + at > 0)
                putchar('|');
            terminal_text(stdout, symbols[i].bytes + at, each);
        }
    }
    putchar('\n');
}
// @end steps-row

// @begin steps-piece
static void show_piece(const tokenizer *t, text_span piece, symbol *symbols)
{
    char label[16];
    int32_t id;
    size_t n = smallest_symbols(t, piece, symbols);
    print_row("", symbols, n);
    if (t->pre != NULL && t->pre->whole_words) {
        id = vocabulary_find(&t->words, (const unsigned char *)piece.bytes,
                             piece.n_bytes);
        if (id >= 0) {
            symbol whole = {piece.bytes, piece.n_bytes, id};
            snprintf(label, sizeof label, "%" PRId32, id);
            print_row(label, &whole, 1);
            return;
        }
    }
    while (join_best(t, symbols, &n, &id)) {
        snprintf(label, sizeof label, "%" PRId32, id);
        print_row(label, symbols, n);
    }
    print_bytes(symbols, n);
}
// @end steps-piece

// @begin steps
static void step_through(const tokenizer *t, text_span text, symbol *symbols)
{
    pretokenize_scan scan;
    size_t begin, end;
    printf("%8s  %s\n", "token", "made in");
    if (t->pre == NULL) {
        show_piece(t, text, symbols);
        return;
    }
    pretokenize_begin(&scan, t->pre, text.bytes, text.n_bytes);
    while (pretokenize_next(&scan, &begin, &end)) {
        text_span piece = {text.bytes + begin, end - begin};
        show_piece(t, piece, symbols);
    }
}
// @end steps

// @begin steps-verb
lll_status show_steps(const tokenizer *t, text_span text, lll_error *err)
{
    enum { MOST = 1000 };
    if (text.n_bytes > MOST)
        return lll_fail(err, LLL_ERR_ARGUMENT, "--steps got a text of %zu "
                        "bytes, expected at most %d: a word or a sentence",
                        text.n_bytes, MOST);
    symbol *symbols = calloc(text.n_bytes + 1, sizeof *symbols);
    char *copy = malloc(text.n_bytes + 1);
    if (symbols == NULL || copy == NULL) {
        free(symbols);
        free(copy);
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for the steps");
    }
    // Where encoding puts a space before the text, so do we.
    copy[0] = ' ';
    if (text.n_bytes > 0)
        memcpy(copy + 1, text.bytes, text.n_bytes);
    text_span with = {t->add_space_prefix ? copy : copy + 1,
                      text.n_bytes + t->add_space_prefix};
    if (text.n_bytes > 0)
        step_through(t, with, symbols);
    free(symbols);
    free(copy);
    return LLL_OK;
}
// @end steps-verb
