#include "common/plan_file.h"

// @begin plan-file-lists
// An array of texts, or NULL.
static const gguf_value *texts(const gguf_file *file, const char *key)
{
    const gguf_value *value = gguf_find_value(file, key);
    return value != NULL && value->type == GGUF_ARRAY
           && value->item_type == GGUF_STRING ? value : NULL;
}

static size_t longest_text(const gguf_value *list, size_t longest)
{
    const unsigned char *cursor = list->bytes;
    for (uint64_t i = 0; i < list->n_items; i++) {
        gguf_string text = gguf_next_string(&cursor);
        if (text.n_bytes > longest)
            longest = text.n_bytes;
    }
    return longest;
}
// @end plan-file-lists

// @begin plan-file-count
vocabulary_size plan_count_vocabulary(const gguf_file *file)
{
    const gguf_value *tokens = texts(file, "tokenizer.ggml.tokens");
    const gguf_value *merges = texts(file, "tokenizer.ggml.merges");
    const gguf_value *types = gguf_find_value(file,
                                              "tokenizer.ggml.token_type");
    gguf_string model;
    vocabulary_size n = {0};
    if (tokens == NULL)
        return n;
    n.n_tokens = (size_t)tokens->n_items;
    n.longest_text = longest_text(tokens, 0);
    // A SentencePiece vocabulary joins by scores; a merge list in its file
    // is not read.
    bool joins = gguf_get_string(file, "tokenizer.ggml.model", &model, NULL)
                 == LLL_OK && gguf_string_is(model, "gpt2");
    if (joins && merges != NULL) {
        n.n_merges = (size_t)merges->n_items;
        n.longest_text = longest_text(merges, n.longest_text);
    }
    for (uint64_t i = 0; types != NULL && i < types->n_items; i++) {
        int64_t type = gguf_item_i64(types, i);
        // Unknown, control and the user's own.
        n.n_special += type >= 2 && type <= 4;
    }
    return n;
}

void plan_read_file(const gguf_file *file, plan_request *request)
{
    request->index_bytes = file->index_bytes;
    request->vocabulary = plan_count_vocabulary(file);
}
// @end plan-file-count
