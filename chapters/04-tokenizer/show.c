#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_out.h"
#include "common/terminal.h"

enum { TABLE_MOST = 200, TEXT_COLUMNS = 32 };   // tokens listed one by one

// @begin show-encode
lll_status encode(const tokenizer *words, text_span text, unsigned flags,
                  id_list *out, lll_error *err)
{
    size_t capacity = tokenizer_max_ids(words, text.n_bytes);
    int32_t *ids = capacity > SIZE_MAX / sizeof *ids
                 ? NULL : malloc(capacity * sizeof *ids);
    if (ids == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for the tokens of "
                        "%zu bytes of text", text.n_bytes);
    lll_status status = tokenizer_encode(words, text.bytes, text.n_bytes,
                                         flags, ids, capacity, &out->n_ids,
                                         err);
    if (status == LLL_OK)
        out->ids = ids;
    else
        free(ids);
    return status;
}
// @end show-encode

// @begin show-left-out
// Bytes for which the vocabulary has no token are left out; what the tokens
// give back is shorter by just those.
static void note_left_out(const tokenizer *words, text_span text,
                          unsigned flags, const id_list *list)
{
    size_t first = (flags & TOKENIZER_BOS) != 0;
    // SentencePiece has the unknown token for them, and says so by it.
    if (words->pre == NULL && words->unknown >= 0)
        return;
    size_t n = tokenizer_decode(words, list->ids + first,
                                list->n_ids - first, true, NULL, 0);
    if (n < text.n_bytes)
        fprintf(stderr, "note: %zu byte%s no token in this vocabulary and "
                "%s left out\n", text.n_bytes - n,
                text.n_bytes - n == 1 ? " has" : "s have",
                text.n_bytes - n == 1 ? "was" : "were");
}
// @end show-left-out

// @begin show-ids
static lll_status print_line(const tokenizer *words, text_span text,
                             unsigned flags, bool notes, lll_error *err)
{
    id_list list;
    lll_status status = encode(words, text, flags, &list, err);
    if (status != LLL_OK)
        return status;
    if (notes)
        note_left_out(words, text, flags, &list);
    for (size_t i = 0; i < list.n_ids; i++)
        printf("%s%" PRId32, i == 0 ? "" : " ", list.ids[i]);
    putchar('\n');
    free(list.ids);
    return LLL_OK;
}

lll_status print_ids(const tokenizer *words, text_span text, unsigned flags,
                     lll_error *err)
{
    return print_line(words, text, flags, true, err);
}
// @end show-ids

// @begin show-ids-2
lll_status print_ids_of_many(const tokenizer *words, text_span texts,
                             unsigned flags, lll_error *err)
{
    lll_status status = LLL_OK;
    const char *at = texts.bytes, *end = texts.bytes + texts.n_bytes;
    while (status == LLL_OK) {
        const char *zero = memchr(at, '\0', (size_t)(end - at));
        const char *stop = zero != NULL ? zero : end;
        text_span one = {at, (size_t)(stop - at)};
        status = print_line(words, one, flags, false, err);
        if (zero == NULL)
            break;
        at = zero + 1;
    }
    return status;
}
// @end show-ids-2

// @begin show-decode
// Not strchr(): it finds the zero at the end of the list, too.
static bool separates(char c)
{
    return memchr(" \t\r\n,", c, 5) != NULL;
}

static lll_status read_numbers(const tokenizer *words, text_span text,
                               id_list *out, lll_error *err)
{
    size_t n = 0;
    const char *at = text.bytes, *end = text.bytes + text.n_bytes;
    for (;;) {
        while (at < end && separates(*at))
            at++;
        if (at == end)
            break;
        const char *first = at;
        uint64_t id = 0;
        while (at < end && *at >= '0' && *at <= '9' && id <= INT32_MAX)
            id = id * 10 + (uint64_t)(*at++ - '0');
        bool ended = at == end || separates(*at);
        if (first == at || !ended || id >= words->n_tokens) {
            size_t length = 0;
            while (first + length < end && length < 24
                   && !separates(first[length]))
                length++;
            return lll_fail(err, LLL_ERR_NOT_FOUND, "\"%.*s\" is no token, "
                            "expected numbers from 0 to %zu", (int)length,
                            first, words->n_tokens - 1);
        }
        out->ids[n++] = (int32_t)id;
    }
    out->n_ids = n;
    return LLL_OK;
}
// @end show-decode

// @begin show-decode-2
static lll_status print_text(const char *bytes, size_t n, bool json,
                             lll_error *err)
{
    json_out out;
    if (!json) {
        fwrite(bytes, 1, n, stdout);
        return LLL_OK;
    }
    json_out_begin(&out, stdout);
    json_out_object(&out);
    json_out_key(&out, "text");
    json_out_bytes(&out, bytes, n);
    json_out_end(&out);
    return json_out_finish(&out, err);
}
// @end show-decode-2

// @begin show-decode-3
lll_status decode(const tokenizer *words, text_span numbers, bool special,
                  bool json, lll_error *err)
{
    id_list list = {malloc((numbers.n_bytes / 2 + 1) * sizeof(int32_t)), 0};
    if (list.ids == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for a list of tokens "
                        "of %zu bytes", numbers.n_bytes);
    lll_status status = read_numbers(words, numbers, &list, err);
    size_t n = 0;
    if (status == LLL_OK)
        n = tokenizer_decode(words, list.ids, list.n_ids, special, NULL, 0);
    char *bytes = malloc(n + 1);
    if (status == LLL_OK && bytes == NULL)
        status = lll_fail(err, LLL_ERR_MEMORY,
                          "no memory for %zu bytes of text", n);
    if (status == LLL_OK) {
        tokenizer_decode(words, list.ids, list.n_ids, special, bytes, n);
        status = print_text(bytes, n, json, err);
    }
    free(bytes);
    free(list.ids);
    return status;
}
// @end show-decode-3

// @begin show-fitting
// How many of the bytes fit in so many columns, as terminal_text() will
// write them. *columns is what these take at most: from U+3000 on, where the
// first byte is 0xE3, characters are counted as two columns wide, as those of
// Chinese, Japanese and Korean are.
static size_t fitting(const char *bytes, size_t n, int most, int *columns)
{
    size_t at = 0;
    *columns = 0;
    while (at < n) {
        int length = printable_bytes(bytes + at, n - at);
        int more = length == 0 ? 4          // as \xNN
                 : (unsigned char)bytes[at] >= 0xE3 ? 2 : 1;
        if (*columns + more > most)
            break;
        *columns += more;
        at += length > 0 ? (size_t)length : 1;
    }
    return at;
}

// @end show-fitting

// @begin show-colour
// Token after token on changing backgrounds; without colour, bars between.
static void paint_tokens(const tokenizer *words, const id_list *list,
                         char *piece)
{
    static const int background[] = {153, 193, 223, 183, 230};
    bool color = terminal_color(stdout);
    int width = terminal_width(stdout), at = 0;
    for (size_t i = 0; i < list->n_ids; i++) {
        size_t n = tokenizer_piece(words, list->ids[i], true, piece,
                                   words->longest_token);
        int columns;
        fitting(piece, n, width, &columns);
        columns += !color;
        if (at > 0 && at + columns > width) {
            putchar('\n');
            at = 0;
        }
        at += columns;
        if (color)
            printf("\033[30;48;5;%dm", background[i % 5]);
        terminal_text(stdout, piece, n);
        fputs(color ? "\033[0m" : i + 1 < list->n_ids ? "|" : "", stdout);
    }
    putchar('\n');
}
// @end show-colour

// @begin show-colour-2
static void list_tokens(const tokenizer *words, const id_list *list,
                        char *piece)
{
    printf("\n%8s  %-24s text\n", "id", "bytes");
    for (size_t i = 0; i < list->n_ids && i < TABLE_MOST; i++) {
        size_t n = tokenizer_piece(words, list->ids[i], true, piece,
                                   words->longest_token);
        printf("%8" PRId32 "  ", list->ids[i]);
        int columns = 0;
        for (size_t j = 0; j < n && j < 8; j++)
            columns += printf("%02x ", (unsigned)(unsigned char)piece[j]);
        if (n > 8)
            columns += printf("...");
        printf("%*s \"", columns < 24 ? 24 - columns : 0, "");
        size_t shown = fitting(piece, n, TEXT_COLUMNS, &columns);
        terminal_text(stdout, piece, shown);
        printf("\"%s\n", shown < n ? "..." : "");
    }
    if (list->n_ids > TABLE_MOST)
        printf("     ...  and %zu more; --ids prints all\n",
               list->n_ids - TABLE_MOST);
}
// @end show-colour-2

// @begin show-colour-3
lll_status show_tokens(const tokenizer *words, text_span text,
                       unsigned flags, lll_error *err)
{
    id_list list;
    char *piece = malloc(words->longest_token + 1);
    lll_status status = piece == NULL
        ? lll_fail(err, LLL_ERR_MEMORY, "no memory for a token")
        : encode(words, text, flags, &list, err);
    if (status == LLL_OK) {
        note_left_out(words, text, flags, &list);
        paint_tokens(words, &list, piece);
        list_tokens(words, &list, piece);
        printf("\n%zu bytes, %zu tokens", text.n_bytes, list.n_ids);
        if (list.n_ids > 0)
            printf(", %.2f bytes a token",
                   (double)text.n_bytes / (double)list.n_ids);
        putchar('\n');
        free(list.ids);
    }
    free(piece);
    return status;
}
// @end show-colour-3

// @begin show-json
void json_text_and_bytes(json_out *json, const char *bytes, size_t n)
{
    json_out_key(json, "text");
    json_out_bytes(json, bytes, n);
    json_out_key(json, "bytes");
    json_out_array(json);
    for (size_t i = 0; i < n; i++)
        json_out_u64(json, (unsigned char)bytes[i]);
    json_out_end(json);
}

static void json_token(json_out *json, const tokenizer *words, int32_t id,
                       char *piece)
{
    static const char *const type[] = {"normal", "unknown", "control",
                                       "user-defined", "unused", "byte"};
    size_t n = tokenizer_piece(words, id, true, piece, words->longest_token);
    json_out_object(json);
    json_out_key(json, "id");
    json_out_i64(json, id);
    json_out_key(json, "type");
    json_out_text(json, type[words->words.tokens[id].type - 1]);
    json_text_and_bytes(json, piece, n);
    json_out_end(json);
}
// @end show-json

// @begin show-json-2
lll_status json_tokens(const tokenizer *words, text_span text,
                       unsigned flags, lll_error *err)
{
    id_list list;
    char *piece = malloc(words->longest_token + 1);
    lll_status status = piece == NULL
        ? lll_fail(err, LLL_ERR_MEMORY, "no memory for a token")
        : encode(words, text, flags, &list, err);
    if (status == LLL_OK) {
        json_out json;
        json_out_begin(&json, stdout);
        json_out_object(&json);
        json_out_key(&json, "n_bytes");
        json_out_u64(&json, text.n_bytes);
        json_out_key(&json, "tokens");
        json_out_array(&json);
        for (size_t i = 0; i < list.n_ids; i++)
            json_token(&json, words, list.ids[i], piece);
        json_out_end(&json);
        json_out_end(&json);
        status = json_out_finish(&json, err);
        free(list.ids);
    }
    free(piece);
    return status;
}
// @end show-json-2
