#include <stdio.h>
#include <string.h>

#include "common/bpe.h"
#include "common/pretokenize.h"
#include "tools/exercise.h"

// Tokens are bytes, and behind them what each line of the list makes.
enum { N_MERGES = 4, A_LINE = 256 };
static const bpe_pair MERGES[N_MERGES] = {
    {' ', 't', A_LINE}, {' ', 'a', A_LINE + 1}, {'h', 'e', A_LINE + 2},
    {A_LINE, A_LINE + 2, A_LINE + 3},
};

static uint32_t line_of(const void *vocabulary, const unsigned char *text,
                        const bpe_symbol *left, const bpe_symbol *right)
{
    (void)vocabulary;
    (void)text;
    for (uint32_t i = 0; i < N_MERGES; i++)
        if (MERGES[i].left == left->id && MERGES[i].right == right->id)
            return i;
    return BPE_NONE;
}

static int32_t made_of(const void *vocabulary, const unsigned char *text,
                       const bpe_symbol *left, const bpe_symbol *right,
                       uint32_t rank)
{
    (void)vocabulary;
    (void)text;
    (void)left;
    (void)right;
    return MERGES[rank].result;
}

static int tokens_of_piece(const unsigned char *text, size_t n)
{
    static const bpe_rules rules = {NULL, line_of, made_of};
    bpe_symbol symbols[64];
    uint32_t numbers[BPE_NUMBERS(64)];
    int n_tokens = 0;
    for (size_t i = 0; i < n; i++)
        symbols[i] = (bpe_symbol){
            .start = (uint32_t)i, .n_bytes = 1, .id = text[i],
            .previous = i == 0 ? BPE_NONE : (uint32_t)i - 1,
            .next = i + 1 == n ? BPE_NONE : (uint32_t)i + 1};
    bpe_merge(&rules, text, symbols, n, numbers);
    for (uint32_t at = 0; at != BPE_NONE; at = symbols[at].next)
        n_tokens++;
    return n_tokens;
}

static void count(const char *text, int64_t *n_pieces, int64_t *n_tokens)
{
    const pretokenizer *gpt2;
    pretokenize_scan scan;
    size_t begin, end;
    pretokenize_find("gpt-2", 5, &gpt2, NULL);
    pretokenize_begin(&scan, gpt2, text, strlen(text));
    *n_pieces = *n_tokens = 0;
    while (pretokenize_next(&scan, &begin, &end)) {
        *n_pieces += 1;
        *n_tokens += tokens_of_piece((const unsigned char *)text + begin,
                                     end - begin);
    }
}

static void ask(const char *pieces, const char *tokens, const char *text)
{
    int64_t n_pieces, n_tokens;
    char shown[64] = "";
    count(text, &n_pieces, &n_tokens);
    strncpy(shown, text, sizeof shown - 1);
    for (char *at = shown; *at != '\0'; at++)
        if (*at == ' ')
            *at = '_';
    exercise_whole(pieces, n_pieces, "Into how many pieces is %s cut?",
                   shown);
    exercise_whole(tokens, n_tokens, "And how many tokens is it?");
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"the", "that", "then", "heat",
                                        "at", "hat"};
    exercise_sheet(argc, argv);
    const char *first = words[exercise_pick(0, 2)];
    const char *second = words[exercise_pick(3, 5)];
    int n = (int)exercise_pick(2, 5);
    int m = (int)exercise_pick(2, 5);
    char text[64];
    ask("pieces_1", "tokens_1", first);
    snprintf(text, sizeof text, " %s", first);
    ask("pieces_2", "tokens_2", text);
    snprintf(text, sizeof text, "%*s%s", n, "", first);
    ask("pieces_3", "tokens_3", text);
    snprintf(text, sizeof text, "%s %s%*s", first, second, m, "");
    ask("pieces_4", "tokens_4", text);
    return exercise_end();
}
