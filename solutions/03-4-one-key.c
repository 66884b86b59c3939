#include <stdbool.h>
#include <string.h>

#include "chapters/03-gguf/exercises/03-4-one-key/key.h"

enum { U32 = 4, TEXT = 8, ARRAY = 9, N_TYPES = 13 };
static const size_t width[N_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

typedef struct {
    const unsigned char *at;
    size_t left;
} reader;

// Steps over `n` items of `size` bytes: the one place where a claim meets the
// bytes that are there.
static bool skip(reader *r, uint64_t n, size_t size)
{
    if (n > r->left / size)
        return false;
    r->at += n * size;
    r->left -= n * size;
    return true;
}

static bool take(reader *r, void *to, size_t n)
{
    const unsigned char *from = r->at;
    if (!skip(r, n, 1))
        return false;
    memcpy(to, from, n);
    return true;
}

static bool skip_texts(reader *r, uint64_t n)
{
    for (; n > 0; n--) {
        uint64_t length;
        if (!take(r, &length, 8) || !skip(r, length, 1))
            return false;
    }
    return true;
}

static lll_status skip_value(reader *r, uint32_t type)
{
    uint64_t n = 1;
    if (type == ARRAY) {
        if (!take(r, &type, 4) || !take(r, &n, 8))
            return LLL_ERR_FORMAT;
        if (type == ARRAY)
            return LLL_ERR_UNSUPPORTED;
    }
    if (type >= N_TYPES)
        return LLL_ERR_FORMAT;
    bool there = type == TEXT ? skip_texts(r, n) : skip(r, n, width[type]);
    return there ? LLL_OK : LLL_ERR_FORMAT;
}

lll_status find_u32(const unsigned char *bytes, size_t n_bytes,
                    const char *key, uint32_t *value)
{
    reader r = {bytes, n_bytes};
    char magic[4];
    uint32_t version, type;
    uint64_t n_tensors, n_entries, length;
    if (!take(&r, magic, 4) || memcmp(magic, "GGUF", 4) != 0
        || !take(&r, &version, 4))
        return LLL_ERR_FORMAT;
    if (version != 2 && version != 3)
        return LLL_ERR_UNSUPPORTED;
    if (!take(&r, &n_tensors, 8) || !take(&r, &n_entries, 8))
        return LLL_ERR_FORMAT;
    for (; n_entries > 0; n_entries--) {
        if (!take(&r, &length, 8))
            return LLL_ERR_FORMAT;
        const unsigned char *name = r.at;
        if (!skip(&r, length, 1) || !take(&r, &type, 4))
            return LLL_ERR_FORMAT;
        if (length == strlen(key) && memcmp(name, key, length) == 0)
            return type == U32 && take(&r, value, 4) ? LLL_OK
                                                     : LLL_ERR_FORMAT;
        lll_status status = skip_value(&r, type);
        if (status != LLL_OK)
            return status;
    }
    return LLL_ERR_NOT_FOUND;
}
