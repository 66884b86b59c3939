#include "common/vocabulary_store.h"

#include <stdlib.h>
#include <string.h>

#include "common/size.h"
#include "common/unicode.h"
#include "common/vocabulary.h"

// @begin store-spell
// The lists in the making. Every text is written once, into `text`.
typedef struct {
    const bpe_trainer *t;
    uint32_t letter_of[256];
    char *text;
    size_t n_text;
    gguf_string *tokens, *merges;
    int32_t *types;
} lists;

static void find_letters(uint32_t letter_of[256])
{
    for (uint32_t letter = 0, n = 0; n < 256; letter++) {
        int byte = vocabulary_byte_of_letter(letter);
        if (byte >= 0) {
            letter_of[byte] = letter;
            n++;
        }
    }
}

static void spell(lists *l, size_t id)
{
    size_t n;
    const unsigned char *bytes = bpe_trainer_token(l->t, id, &n);
    unsigned char *text = (unsigned char *)l->text;
    for (size_t i = 0; i < n; i++)
        if (id < l->t->n_special)
            text[l->n_text++] = bytes[i];
        else
            l->n_text += (size_t)unicode_encode(l->letter_of[bytes[i]],
                                                text + l->n_text);
}
// @end store-spell

// @begin store-fill
static void fill(lists *l)
{
    const bpe_trainer *t = l->t;
    for (size_t id = 0; id < t->n_tokens; id++) {
        size_t start = l->n_text;
        spell(l, id);
        gguf_string token = {l->text + start, l->n_text - start};
        l->tokens[id] = token;
        l->types[id] = id < t->n_special ? TOKEN_CONTROL : TOKEN_NORMAL;
    }
    for (size_t i = 0; i < t->n_merges; i++) {
        size_t start = l->n_text;
        spell(l, t->merges[i].left);
        l->text[l->n_text++] = ' ';
        spell(l, t->merges[i].right);
        gguf_string merge = {l->text + start, l->n_text - start};
        l->merges[i] = merge;
    }
}
// @end store-fill

// @begin store-room
// A byte's letter has at most two bytes in UTF-8, and a merge has a space.
static bool count_text(const bpe_trainer *t, size_t *n_text)
{
    size_t sum = 0, n;
    bool fits = true;
    for (size_t id = 0; id < t->n_tokens && fits; id++) {
        bpe_trainer_token(t, id, &n);
        fits = size_add(sum, n, &sum);
    }
    for (size_t i = 0; i < t->n_merges && fits; i++) {
        bpe_trainer_token(t, t->n_special + BPE_N_BYTES + i, &n);
        fits = size_add(sum, n + 1, &sum);
    }
    return fits && size_mul(sum, 2, n_text);
}

static lll_status make_room(lists *l, lll_error *err)
{
    const bpe_trainer *t = l->t;
    size_t n_text, tokens, merges;
    if (!count_text(t, &n_text)
        || !size_mul(t->n_tokens, sizeof *l->tokens, &tokens)
        || !size_mul(t->n_merges + 1, sizeof *l->merges, &merges))
        return lll_fail(err, LLL_ERR_OVERFLOW, "vocabulary size overflow: "
                        "%zu tokens, %zu merges", t->n_tokens, t->n_merges);
    l->text = malloc(n_text);
    l->tokens = malloc(tokens);
    l->types = malloc(tokens);
    l->merges = malloc(merges);
    if (!l->text || !l->tokens || !l->types || !l->merges)
        return lll_fail(err, LLL_ERR_MEMORY, "the system refused memory to "
                        "write %zu tokens and %zu merges", t->n_tokens,
                        t->n_merges);
    return LLL_OK;
}
// @end store-room

// @begin store
static void set_keys(const lists *l, const char *pre, gguf_writer *out)
{
    const bpe_trainer *t = l->t;
    gguf_set_string(out, "tokenizer.ggml.model", "gpt2", 4);
    gguf_set_string(out, "tokenizer.ggml.pre", pre, strlen(pre));
    gguf_set_strings(out, "tokenizer.ggml.tokens", l->tokens, t->n_tokens);
    gguf_set_array(out, "tokenizer.ggml.token_type", GGUF_I32, l->types,
                   t->n_tokens);
    gguf_set_strings(out, "tokenizer.ggml.merges", l->merges, t->n_merges);
    if (t->n_special > 0) {
        gguf_set_u32(out, "tokenizer.ggml.bos_token_id", 0);
        gguf_set_u32(out, "tokenizer.ggml.eos_token_id", 0);
    }
    gguf_set_bool(out, "tokenizer.ggml.add_bos_token", false);
}

lll_status vocabulary_store(const bpe_trainer *t, const char *pre,
                            gguf_writer *out, lll_error *err)
{
    lists l = {.t = t};
    find_letters(l.letter_of);
    lll_status status = make_room(&l, err);
    if (status == LLL_OK) {
        fill(&l);
        set_keys(&l, pre, out);
    }
    free(l.text);
    free(l.tokens);
    free(l.types);
    free(l.merges);
    return status;
}
// @end store
