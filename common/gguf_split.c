#include "common/gguf_split.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// @begin gguf-split-keys
static const char COUNT[] = "split.count", NO[] = "split.no",
                  TENSORS[] = "split.tensors.count";

bool gguf_split_is_key(gguf_string key)
{
    return gguf_string_is(key, COUNT) || gguf_string_is(key, NO)
           || gguf_string_is(key, TENSORS);
}
// @end gguf-split-keys

// @begin gguf-split-read
// The number at `key`, at most `most`; it stays where the key is missing.
static lll_status read_count(const gguf_file *part, const char *key,
                             uint64_t most, uint64_t *number, lll_error *err)
{
    uint64_t found = *number;
    if (gguf_find_value(part, key) == NULL)
        return LLL_OK;
    lll_status status = gguf_get_u64(part, key, &found, err);
    if (status == LLL_OK && found > most)
        return lll_fail(err, LLL_ERR_FORMAT, "%s: key %s: found %" PRIu64
                        ", expected 0 to %" PRIu64, part->path, key, found,
                        most);
    if (status == LLL_OK)
        *number = found;
    return status;
}

lll_status gguf_split_read(const gguf_file *part, gguf_split *split,
                           lll_error *err)
{
    gguf_split s = {.count = 1, .n_tensors = UINT64_MAX};
    lll_status status = read_count(part, COUNT, GGUF_MAX_PARTS, &s.count,
                                   err);
    if (s.count == 0)           // as some write it who split nothing
        s.count = 1;
    if (status == LLL_OK)
        status = read_count(part, NO, s.count - 1, &s.no, err);
    if (status == LLL_OK)
        status = read_count(part, TENSORS, GGUF_MAX_ENTRIES, &s.n_tensors,
                            err);
    if (status == LLL_OK)
        *split = s;
    return status;
}
// @end gguf-split-read

// @begin gguf-split-path
enum { TAIL = 20 };             // bytes of "-00001-of-00003.gguf"

// The end of a name, or NULL where it is not that of a part.
static const char *tail_of(const char *path)
{
    static const char form[] = "-00000-of-00000.gguf";
    size_t length = strlen(path);
    if (length < TAIL)
        return NULL;
    const char *tail = path + length - TAIL;
    for (int i = 0; i < TAIL; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)tail[i])
                           : tail[i] != form[i])
            return NULL;
    return tail;
}

void gguf_split_path(const char *first, uint64_t i, char *path)
{
    size_t length = strlen(first);
    memcpy(path, first, length + 1);
    char *digits = path + length - TAIL + 1;
    for (int d = 4; d >= 0; d--) {
        uint64_t rest = i + 1;
        for (int k = d; k < 4; k++)
            rest /= 10;
        digits[d] = (char)('0' + rest % 10);
    }
}
// @end gguf-split-path

// @begin gguf-split-first
lll_status gguf_split_check_first(const gguf_file *first,
                                  const gguf_split *split, lll_error *err)
{
    char tail[TAIL + 1];
    const char *found = tail_of(first->path);
    if (split->count == 1)
        return LLL_OK;
    snprintf(tail, sizeof tail, "-00001-of-%05u.gguf",
             (unsigned)split->count % 100000);
    if (split->no != 0)
        return lll_fail(err, LLL_ERR_FORMAT, "%s: found part %" PRIu64
                        " of %" PRIu64 " of a model, expected the first; "
                        "open %.*s%s", first->path, split->no + 1,
                        split->count, found != NULL
                        ? (int)(found - first->path) : 0, first->path,
                        found != NULL ? tail : "part 1");
    if (found == NULL || strcmp(found, tail) != 0)
        return lll_fail(err, LLL_ERR_FORMAT, "%s: found the first of %" PRIu64
                        " parts of a model, expected a name that ends in %s; "
                        "give all parts their names again", first->path,
                        split->count, tail);
    return LLL_OK;
}
// @end gguf-split-first

// @begin gguf-split-check
lll_status gguf_split_check(const gguf_file *first, const gguf_split *split,
                            uint64_t i, const gguf_file *part,
                            lll_error *err)
{
    gguf_split found;
    lll_status status = gguf_split_read(part, &found, err);
    if (status != LLL_OK)
        return status;
    if (found.count == 1)
        return lll_fail(err, LLL_ERR_FORMAT, "%s: found a whole model, "
                        "expected part %" PRIu64 " of %" PRIu64 " of %s",
                        part->path, i + 1, split->count, first->path);
    if (found.no != i || found.count != split->count)
        return lll_fail(err, LLL_ERR_FORMAT, "%s: found part %" PRIu64
                        " of %" PRIu64 ", expected part %" PRIu64 " of %"
                        PRIu64 " of %s; were the files renamed?", part->path,
                        found.no + 1, found.count, i + 1, split->count,
                        first->path);
    if (found.n_tensors != split->n_tensors)
        return lll_fail(err, LLL_ERR_FORMAT, "%s: found a part of a model of "
                        "%" PRIu64 " tensors, expected one of the %" PRIu64
                        " of %s; fetch all parts of one model", part->path,
                        found.n_tensors, split->n_tensors, first->path);
    return LLL_OK;
}
// @end gguf-split-check

// @begin gguf-split-total
lll_status gguf_split_check_total(const gguf_file *file,
                                  const gguf_split *split, lll_error *err)
{
    if (split->n_tensors == UINT64_MAX || split->n_tensors == file->n_tensors)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT, "%s: key split.tensors.count: found "
                    "%zu tensors in its %" PRIu64 " parts, expected %" PRIu64
                    "; fetch all parts again", file->path, file->n_tensors,
                    split->count, split->n_tensors);
}
// @end gguf-split-total
