#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// @begin text-stdin
lll_status read_stdin(char **bytes, size_t *n_bytes, lll_error *err)
{
    size_t capacity = 1 << 16, n = 0;
    char *text = malloc(capacity);
    while (text != NULL) {
        n += fread(text + n, 1, capacity - n, stdin);
        if (n < capacity)
            break;
        char *larger = capacity > SIZE_MAX / 2
                     ? NULL : realloc(text, capacity * 2);
        if (larger == NULL)
            free(text);
        text = larger;
        capacity *= 2;
    }
    if (text == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for more than %zu "
                        "bytes from standard input", n);
    if (ferror(stdin)) {
        free(text);
        return lll_fail(err, LLL_ERR_IO, "standard input could not be read");
    }
    *bytes = text;
    *n_bytes = n;
    return LLL_OK;
}
// @end text-stdin

// @begin text-find
lll_status find_text(const args_list *words, text_span *text, char **owned,
                     lll_error *err)
{
    lll_status status = LLL_OK;
    size_t n = 0;
    if (words->n_items == 0
        || (words->n_items == 1 && strcmp(words->items[0], "-") == 0)) {
        status = read_stdin(owned, &text->n_bytes, err);
        text->bytes = *owned;
        return status;
    }
    for (int i = 0; i < words->n_items; i++)
        n += strlen(words->items[i]) + 1;
    *owned = malloc(n);
    if (*owned == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for the text");
    char *at = *owned;
    for (int i = 0; i < words->n_items; i++) {
        size_t length = strlen(words->items[i]);
        memcpy(at, words->items[i], length);
        at += length;
        *at++ = ' ';
    }
    text->bytes = *owned;
    text->n_bytes = n - 1;
    return LLL_OK;
}
// @end text-find

// @begin text-open
// What file_map_open() says of an empty file is meant for models.
lll_status text_open(text_file *file, const char *path, lll_error *err)
{
    struct stat info;
    text_file opened = {.owned = NULL};
    lll_status status;
    if (strcmp(path, "-") == 0) {
        status = read_stdin(&opened.owned, &opened.text.n_bytes, err);
        opened.text.bytes = opened.owned;
    } else if (stat(path, &info) == 0 && S_ISREG(info.st_mode)
               && info.st_size == 0) {
        return lll_fail(err, LLL_ERR_IO, "%s: found an empty file, expected "
                        "a text; leave it out", path);
    } else {
        status = file_map_open(&opened.map, path, err);
        opened.text.bytes = (const char *)opened.map.bytes;
        opened.text.n_bytes = opened.map.n_bytes;
    }
    if (status == LLL_OK)
        *file = opened;
    return status;
}

void text_close(text_file *file)
{
    file_map_close(&file->map);
    free(file->owned);
    memset(file, 0, sizeof *file);
}
// @end text-open
