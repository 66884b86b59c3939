#include "common/vocabulary_load.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/plan_file.h"

// What the lists of a file are, once checked.
// @begin vocabulary-lists
typedef struct {
    vocabulary_kind kind;
    const gguf_value *tokens, *types, *scores, *merges;     // or NULL
    vocabulary_size size;
} lists;

static lll_status find_list(const gguf_file *file, const char *key,
                            bool texts, const gguf_value **out,
                            lll_error *err)
{
    const gguf_value *value = gguf_find_value(file, key);
    *out = NULL;
    if (value == NULL)
        return LLL_OK;
    bool right = value->type == GGUF_ARRAY
        && (texts ? value->item_type == GGUF_STRING
                  : value->item_type != GGUF_STRING
                    && value->item_type != GGUF_ARRAY);
    if (!right)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %s is %s of %s, expected a list of %s",
                        file->path, key,
                        value->type == GGUF_ARRAY ? "a list" : "one value",
                        gguf_type_name(value->item_type),
                        texts ? "texts" : "numbers");
    *out = value;
    return LLL_OK;
}
// @end vocabulary-lists

// @begin vocabulary-lists-2
static lll_status same_length(const gguf_file *file, const lists *l,
                              const gguf_value *list, const char *name,
                              lll_error *err)
{
    if (list == NULL || list->n_items == l->size.n_tokens)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT,
                    "%s: tokenizer.ggml.%s has %" PRIu64 " entries, expected "
                    "%zu, one for each token",
                    file->path, name, list->n_items, l->size.n_tokens);
}
// @end vocabulary-lists-2

// @begin vocabulary-model
static lll_status read_model(const gguf_file *file, vocabulary_kind *kind,
                             lll_error *err)
{
    static const char key[] = "tokenizer.ggml.model";
    gguf_string model;
    lll_status status = gguf_get_string(file, key, &model, err);
    if (status == LLL_ERR_NOT_FOUND)
        return lll_fail(err, status,
                        "%s: no %s, expected \"gpt2\" or \"llama\": the file "
                        "has no vocabulary", file->path, key);
    if (status != LLL_OK)
        return status;
    if (gguf_string_is(model, "gpt2"))
        *kind = VOCABULARY_BYTE_LEVEL;
    else if (gguf_string_is(model, "llama"))
        *kind = VOCABULARY_SENTENCEPIECE;
    else
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: %s is \"%.*s\", expected \"gpt2\" (byte-level "
                        "BPE) or \"llama\" (SentencePiece BPE)", file->path,
                        key, model.n_bytes < 64 ? (int)model.n_bytes : 64,
                        model.bytes);
    return LLL_OK;
}
// @end vocabulary-model

// @begin vocabulary-read-lists
static lll_status read_lists(const gguf_file *file, lists *l, lll_error *err)
{
    memset(l, 0, sizeof *l);
    lll_status s = read_model(file, &l->kind, err);
    if (s == LLL_OK)
        s = find_list(file, "tokenizer.ggml.tokens", true, &l->tokens, err);
    if (s == LLL_OK)
        s = find_list(file, "tokenizer.ggml.token_type", false, &l->types,
                      err);
    if (s == LLL_OK)
        s = find_list(file, "tokenizer.ggml.scores", false, &l->scores, err);
    if (s == LLL_OK)
        s = find_list(file, "tokenizer.ggml.merges", true, &l->merges, err);
    if (s != LLL_OK)
        return s;
    if (l->tokens == NULL || l->tokens->n_items == 0)
        return lll_fail(err, LLL_ERR_NOT_FOUND,
                        "%s: tokenizer.ggml.tokens is %s, expected a list of "
                        "texts: the file has no vocabulary", file->path,
                        l->tokens == NULL ? "missing" : "empty");
    bool bytes = l->kind == VOCABULARY_BYTE_LEVEL;
    if (bytes ? l->merges == NULL : l->scores == NULL)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: tokenizer.ggml.%s is missing, expected with "
                        "tokenizer.ggml.model \"%s\"", file->path,
                        bytes ? "merges" : "scores",
                        bytes ? "gpt2" : "llama");
    if (l->tokens->n_items > INT32_MAX
        || (bytes && l->merges->n_items > INT32_MAX))
        return lll_fail(err, LLL_ERR_OVERFLOW,
                        "%s: %" PRIu64 " tokens, expected at most %d",
                        file->path, l->tokens->n_items, INT32_MAX);
// @end vocabulary-read-lists
// @begin vocabulary-read-counts
    l->size = plan_count_vocabulary(file);
    s = same_length(file, l, l->types, "token_type", err);
    if (s == LLL_OK && !bytes)
        s = same_length(file, l, l->scores, "scores", err);
    return s;
}
// @end vocabulary-read-counts

// @begin vocabulary-plan
// The planner of chapter 2 knows no more of the tables than these.
static_assert(sizeof(vocabulary_token) <= PLAN_TOKEN_BYTES
              && sizeof(vocabulary_special) <= PLAN_SPECIAL_BYTES
              && sizeof(bpe_pair) <= PLAN_MERGE_BYTES,
              "the planner's numbers for a vocabulary are too small");

static lll_status plan_tables(const lists *l, size_t bytes[PLAN_TABLES],
                              size_t *total, lll_error *err)
{
    size_t sum = plan_tokenizer(&l->size, bytes);
    if (sum == SIZE_MAX)
        return lll_fail(err, LLL_ERR_OVERFLOW, "vocabulary size overflow: "
                        "%zu tokens, %zu merges", l->size.n_tokens,
                        l->size.n_merges);
    *total = sum;
    return LLL_OK;
}

lll_status vocabulary_plan(const gguf_file *file, size_t *n_bytes,
                           lll_error *err)
{
    lists l;
    size_t bytes[PLAN_TABLES];
    lll_status status = read_lists(file, &l, err);
    return status != LLL_OK ? status : plan_tables(&l, bytes, n_bytes, err);
}
// @end vocabulary-plan

// @begin vocabulary-read-token
static lll_status read_rank(vocabulary_token *token, double score,
                            const char *path, size_t id, lll_error *err)
{
    float f = (float)score + 0.0f;      // -0 becomes 0, the same number
    uint32_t bits;
    if (f != f)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: tokenizer.ggml.scores of token %zu is not a "
                        "number", path, id);
    memcpy(&bits, &f, sizeof bits);
    // As unsigned numbers, the bits of positive floats grow with them, and
    // those of negative ones shrink. A rank goes the other way.
    token->rank = bits >> 31 ? bits : 0x7fffffff - bits;
    return LLL_OK;
}
// @end vocabulary-read-token

// @begin vocabulary-check-special
// A user-defined "<|im_end|>" would be matched in what a user types, and
// would not end an answer.
static lll_status check_special(vocabulary_token *token, const char *path,
                                size_t id, lll_error *err)
{
    if (token->type == TOKEN_USER_DEFINED
        && vocabulary_is_control_name(token->text, token->n_bytes))
        token->type = TOKEN_CONTROL;
    if (!vocabulary_is_special(token->type)
        || token->n_bytes <= VOCABULARY_SPECIAL_MOST)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT, "%s: token %zu is special and has %"
                    PRIu32 " bytes, expected at most %d", path, id,
                    token->n_bytes, VOCABULARY_SPECIAL_MOST);
}
// @end vocabulary-check-special

// @begin vocabulary-read-token-2
static lll_status read_type(const lists *l, vocabulary_token *token,
                            const char *path, size_t id, lll_error *err)
{
    const unsigned char *text = (const unsigned char *)token->text;
    int byte = vocabulary_byte_of_name(text, token->n_bytes);
    bool bytes_named = l->kind == VOCABULARY_SENTENCEPIECE;
    int64_t type = TOKEN_NORMAL;
    if (l->types != NULL)
        type = gguf_item_i64(l->types, id);
    else if (bytes_named && byte >= 0)
        type = TOKEN_BYTE;
    if (type < 0 || type > TOKEN_BYTE)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: tokenizer.ggml.token_type of token %zu is %"
                        PRId64 ", expected 0 to 6", path, id, type);
    if (type == TOKEN_BYTE && bytes_named && byte < 0)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: token %zu is a byte, and its text is \"%.*s\", "
                        "expected \"<0x00>\" to \"<0xFF>\"", path, id,
                        token->n_bytes < 64 ? (int)token->n_bytes : 64,
                        token->text);
    token->type = type == 0 ? TOKEN_NORMAL : (unsigned char)type;
    return check_special(token, path, id, err);
}
// @end vocabulary-read-token-2

// @begin vocabulary-enter-token
static lll_status duplicate(const char *path, const vocabulary *v,
                            int32_t id, int32_t other, lll_error *err)
{
    const vocabulary_token *token = &v->tokens[id];
    return lll_fail(err, LLL_ERR_FORMAT,
                    "%s: tokens %" PRId32 " and %" PRId32 " are both "
                    "\"%.*s\", expected each text once", path, other, id,
                    token->n_bytes < 64 ? (int)token->n_bytes : 64,
                    token->text);
}
// @end vocabulary-enter-token

// @begin vocabulary-enter-token-2
// Enter token `id` where it will be looked for.
static lll_status enter_token(vocabulary *v, const char *path, int32_t id,
                              unsigned char *scratch, lll_error *err)
{
    const vocabulary_token *token = &v->tokens[id];
    size_t n = vocabulary_spell(v, id, scratch);
    bool bytes_named = v->kind == VOCABULARY_SENTENCEPIECE;
    if (token->type == TOKEN_BYTE && bytes_named) {
        if (v->byte_tokens[scratch[0]] < 0)
            v->byte_tokens[scratch[0]] = id;
        return LLL_OK;
    }
    if (n > 0 && vocabulary_is_special(token->type)) {
        vocabulary_special s = {token->text, token->n_bytes, id};
        v->special[v->n_special++] = s;
        v->special_first[scratch[0]] = true;
    }
    // What is found in the text itself is not what merges make: a token of
    // two spaces is not a space behind the one that is put before a text.
    bool joined = !vocabulary_is_special(token->type)
        || (token->type == TOKEN_USER_DEFINED && !bytes_named);
    if (n == 0 || !joined)
        return LLL_OK;
    int32_t other = vocabulary_enter(v, id, scratch, n);
    if (other != id && v->tokens[other].n_bytes == token->n_bytes
        && memcmp(v->tokens[other].text, token->text, token->n_bytes) == 0)
        return duplicate(path, v, id, other, err);
    return LLL_OK;
}
// @end vocabulary-enter-token-2

// @begin vocabulary-read-tokens
static lll_status read_tokens(vocabulary *v, const lists *l,
                              const char *path, unsigned char *scratch,
                              lll_error *err)
{
    const unsigned char *cursor = l->tokens->bytes;
    lll_status status = LLL_OK;
    for (int i = 0; i < 256; i++)
        v->byte_tokens[i] = -1;
    v->words_apart = true;
    for (size_t id = 0; id < l->size.n_tokens && status == LLL_OK; id++) {
        gguf_string text = gguf_next_string(&cursor);
        vocabulary_token *token = &v->tokens[id];
        if (text.n_bytes > UINT32_MAX)
            return lll_fail(err, LLL_ERR_OVERFLOW,
                            "%s: token %zu has %zu bytes, expected less than "
                            "4 GiB", path, id, text.n_bytes);
        token->text = text.bytes;
        token->n_bytes = (uint32_t)text.n_bytes;
        status = read_type(l, token, path, id, err);
        if (status == LLL_OK && l->kind == VOCABULARY_SENTENCEPIECE)
            status = read_rank(token, gguf_item_f64(l->scores, id), path, id,
                               err);
        if (status == LLL_OK)
            status = enter_token(v, path, (int32_t)id, scratch, err);
    }
    if (status == LLL_OK && l->kind == VOCABULARY_BYTE_LEVEL)
        for (int i = 0; i < 256; i++) {
            unsigned char byte = (unsigned char)i;
            v->byte_tokens[i] = vocabulary_find(v, &byte, 1);
        }
    return status;
}
// @end vocabulary-read-tokens

// @begin vocabulary-sort-special
static int by_text(const void *a, const void *b)
{
    const vocabulary_special *x = a, *y = b;
    uint32_t shared = x->n_bytes < y->n_bytes ? x->n_bytes : y->n_bytes;
    int order = memcmp(x->text, y->text, shared);
    return order != 0 ? order
         : x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes;
}

static lll_status sort_special(vocabulary *v, const char *path,
                               lll_error *err)
{
    qsort(v->special, v->n_special, sizeof v->special[0], by_text);
    for (size_t i = 1; i < v->n_special; i++)
        if (by_text(&v->special[i - 1], &v->special[i]) == 0)
            return duplicate(path, v, v->special[i].id,
                             v->special[i - 1].id, err);
    return LLL_OK;
}
// @end vocabulary-sort-special

// @begin vocabulary-merge-token
// Look up a token of a merge: its id, -1 for a special one, which text must
// never make, -2 for none.
static int32_t merge_token(const vocabulary *v, const unsigned char *bytes,
                           size_t n_bytes)
{
    int32_t id = vocabulary_find(v, bytes, n_bytes);
    size_t length;
    if (id >= 0)
        return id;
    return vocabulary_find_special(v, bytes, n_bytes, true, &length) >= 0
        && length == n_bytes ? -1 : -2;
}

static size_t decode(const vocabulary *v, const char *text, size_t n_bytes,
                     unsigned char *bytes)
{
    vocabulary_cursor cursor = vocabulary_spelled(v, text, n_bytes);
    size_t n = 0;
    while (vocabulary_next(&cursor, &bytes[n]))
        n++;
    return n;
}
// @end vocabulary-merge-token

// @begin vocabulary-merge-token-2
// Is `id` the token whose text is this line without its space? Most lists
// have their tokens in the order of their merges, so that the one after the
// last result is worth a look, which a search costs ten times.
static bool is_joined(const vocabulary *v, int32_t id, gguf_string line,
                      size_t first)
{
    if (id < 0 || (size_t)id >= v->n_tokens)
        return false;
    const vocabulary_token *token = &v->tokens[id];
    return token->type == TOKEN_NORMAL
        && token->n_bytes + 1 == line.n_bytes
        && memcmp(token->text, line.bytes, first) == 0
        && memcmp(token->text + first, line.bytes + first + 1,
                  token->n_bytes - first) == 0;
}
// @end vocabulary-merge-token-2

// @begin vocabulary-enter-merge
// Enter a line that makes these bytes, unless a special token is in it.
static void enter_merge(vocabulary *v, uint32_t rank,
                        const unsigned char *bytes, size_t n)
{
    const bpe_pair *pair = &v->merges.pairs[rank];
    if (pair->left < 0 || pair->right < 0 || pair->result < 0)
        return;
    bpe_table_add(&v->merges, rank);
    if (n == 2)
        v->byte_pairs[bytes[0]][bytes[1] / 32] |= 1u << bytes[1] % 32;
}
// @end vocabulary-enter-merge

// @begin vocabulary-read-merge
// "\u0120 t": the tokens " " and "t" join into " t".
static lll_status read_merge(vocabulary *v, const char *path, uint32_t rank,
                             gguf_string text, unsigned char *scratch,
                             lll_error *err)
{
    const char *space = text.n_bytes < 3 ? NULL
                      : memchr(text.bytes + 1, ' ', text.n_bytes - 2);
    bpe_pair *pair = &v->merges.pairs[rank];
    const char *missing = "no space between two tokens";
    size_t n = 0;
    if (space != NULL) {
        size_t first = (size_t)(space - text.bytes);
        size_t left = decode(v, text.bytes, first, scratch);
        n = left + decode(v, space + 1, text.n_bytes - first - 1,
                                 scratch + left);
        pair->left = merge_token(v, scratch, left);
        pair->right = merge_token(v, scratch + left, n - left);
        pair->result = rank > 0 ? pair[-1].result + 1 : -1;
        if (!is_joined(v, pair->result, text, first))
            pair->result = merge_token(v, scratch, n);
        missing = pair->left == -2 ? "a left side"
                : pair->right == -2 ? "a right side"
                : pair->result == -2 ? "a result" : NULL;
    }
    if (missing != NULL)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: line %" PRIu32 " of tokenizer.ggml.merges, "
                        "\"%.*s\", has %s%s, expected two tokens that join "
                        "into a third", path, rank,
                        text.n_bytes < 64 ? (int)text.n_bytes : 64,
                        text.bytes, missing,
                        space != NULL ? " that is no token" : "");
    enter_merge(v, rank, scratch, n);
    return LLL_OK;
}
// @end vocabulary-read-merge

// @begin vocabulary-init
static lll_status fill(vocabulary *v, const lists *l, const char *path,
                       const size_t bytes[PLAN_TABLES], lll_error *err)
{
    v->kind = l->kind;
    v->n_tokens = l->size.n_tokens;
    v->size = l->size;
    v->tokens = arena_take(&v->memory, bytes[PLAN_TOKENS]);
    v->slots = arena_take(&v->memory, bytes[PLAN_TOKEN_SLOTS]);
    v->n_slots = plan_slots(l->size.n_tokens);
    v->special = arena_take(&v->memory, bytes[PLAN_SPECIAL]);
    v->merges.pairs = arena_take(&v->memory, bytes[PLAN_MERGES]);
    v->merges.slots = arena_take(&v->memory, bytes[PLAN_MERGE_SLOTS]);
    v->merges.n_slots = bytes[PLAN_MERGE_SLOTS] / sizeof(uint32_t);
    unsigned char *scratch = arena_take(&v->memory, bytes[PLAN_SPELLING]);

    lll_status status = read_tokens(v, l, path, scratch, err);
    if (status == LLL_OK)
        status = sort_special(v, path, err);
    if (l->merges == NULL)
        return status;
    const unsigned char *cursor = l->merges->bytes;
    while (v->merges.n_pairs < l->size.n_merges && status == LLL_OK)
        status = read_merge(v, path, v->merges.n_pairs++,
                            gguf_next_string(&cursor), scratch, err);
    return status;
}
// @end vocabulary-init

// @begin vocabulary-init-2
lll_status vocabulary_init(vocabulary *v, const gguf_file *file,
                           lll_error *err)
{
    lists l;
    size_t bytes[PLAN_TABLES], total = 0;
    memset(v, 0, sizeof *v);
    lll_status status = read_lists(file, &l, err);
    if (status == LLL_OK)
        status = plan_tables(&l, bytes, &total, err);
    if (status == LLL_OK)
        status = arena_init(&v->memory, total - ARENA_ALIGNMENT, err);
    if (status == LLL_OK)
        status = fill(v, &l, file->path, bytes, err);
    if (status != LLL_OK)
        vocabulary_free(v);
    return status;
}

void vocabulary_free(vocabulary *v)
{
    arena_free(&v->memory);
    memset(v, 0, sizeof *v);
}
// @end vocabulary-init-2
