#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

// @begin verify-vocabulary
// The list, or NULL where its type is not the one that verify_standard()
// expects.
static const gguf_value *list_of(const gguf_file *file, const char *key,
                                 gguf_type type)
{
    const gguf_value *list = gguf_find_value(file, key);
    bool good = list != NULL && list->type == GGUF_ARRAY
                && list->item_type == type;
    return good ? list : NULL;
}

static bool is_token_id(gguf_string key)
{
    static const char begins[] = "tokenizer.ggml.", ends[] = "_token_id";
    const size_t n = sizeof begins - 1, m = sizeof ends - 1;
    return key.n_bytes > n + m && memcmp(key.bytes, begins, n) == 0
           && memcmp(key.bytes + key.n_bytes - m, ends, m) == 0;
}

static void verify_ids(report *r, uint64_t n_tokens)
{
    for (size_t i = 0; i < r->file->n_values; i++) {
        const gguf_value *value = &r->file->values[i];
        char shown[NAME_TEXT];
        if (is_token_id(value->key) && gguf_type_bytes(value->type) > 0
            && gguf_item_u64(value, 0) >= n_tokens)
            finding(r, "key %s: found %" PRIu64 ", expected the number of "
                    "one of %" PRIu64 " tokens",
                    name_text(value->key.bytes, value->key.n_bytes, shown),
                    gguf_item_u64(value, 0), n_tokens);
    }
}
// @end verify-vocabulary

// @begin verify-lists
void verify_vocabulary(report *r)
{
    static const char types[] = "tokenizer.ggml.token_type";
    const gguf_value *tokens = list_of(r->file, "tokenizer.ggml.tokens",
                                       GGUF_STRING);
    const gguf_value *beside[] = {
        list_of(r->file, "tokenizer.ggml.scores", GGUF_F32),
        list_of(r->file, types, GGUF_I32)};
    if (tokens == NULL)
        return;
    for (int i = 0; i < 2; i++)
        if (beside[i] != NULL && beside[i]->n_items != tokens->n_items)
            finding(r, "key %.*s: found %" PRIu64 " items, expected one for "
                    "each of %" PRIu64 " tokens",
                    (int)beside[i]->key.n_bytes, beside[i]->key.bytes,
                    beside[i]->n_items, tokens->n_items);
    // Normal, unknown, control, user defined, unused, byte.
    for (uint64_t i = 0; beside[1] != NULL && i < beside[1]->n_items; i++) {
        int64_t type = gguf_item_i64(beside[1], i);
        if (type < 1 || type > 6) {
            finding(r, "key %s: item %" PRIu64 " is %" PRId64 ", expected 1 "
                    "to 6", types, i, type);
            break;
        }
    }
    verify_ids(r, tokens->n_items);
}
// @end verify-lists

// @begin verify-twins
static int by_bytes(const void *a, const void *b)
{
    return gguf_string_order(*(const gguf_string *)a,
                             *(const gguf_string *)b);
}

// A token that is there twice has two numbers, and nobody can say which is
// meant. Sorted, equal ones are neighbours.
void verify_twins(report *r)
{
    const gguf_value *tokens = list_of(r->file, "tokenizer.ggml.tokens",
                                       GGUF_STRING);
    size_t n = tokens != NULL ? (size_t)tokens->n_items : 0, n_twins = 0;
    gguf_string *sorted = calloc(n + 1, sizeof *sorted);
    char shown[NAME_TEXT] = "";
    if (sorted == NULL) {
        r->no_memory = true;
        return;
    }
    const unsigned char *cursor = tokens != NULL ? tokens->bytes : NULL;
    for (size_t i = 0; i < n; i++)
        sorted[i] = gguf_next_string(&cursor);
    qsort(sorted, n, sizeof *sorted, by_bytes);
    for (size_t i = 1; i < n; i++)
        if (by_bytes(&sorted[i - 1], &sorted[i]) == 0 && n_twins++ == 0)
            name_text(sorted[i].bytes, sorted[i].n_bytes, shown);
    if (n_twins > 0)
        finding(r, "key tokenizer.ggml.tokens: %zu token%s there before, "
                "\"%s\" for one", n_twins, n_twins == 1 ? " was" : "s were",
                shown);
    free(sorted);
}
// @end verify-twins
