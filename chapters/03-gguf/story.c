#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/terminal.h"

#include "show.h"

// @begin story-damage
static const char TINY[] = "data/tiny.gguf";

// What a night on the network, a careless script or a hostile stranger does
// to a file. n_bytes 0 leaves the rest as it was.
static const struct {
    const char *what;
    size_t keep;                // bytes of the good file, 0 for all
    size_t at;                  // where it is overwritten
    const char *with;
    size_t n_bytes;
} damages[] = {
    {"a download that stopped", 3000, 0, NULL, 0},
    {"the page about the file", 0, 0, "<!doctype html>", 15},
    {"a pointer to the file", 0, 0, "version https://git-lfs.github.com", 34},
    {"2^56 tensors announced", 0, 15, "\x01", 1},
    {"the bytes of 3 swapped", 0, 4, "\0\0\0\x03", 4},
    {"a key of 2^63 bytes", 0, 31, "\x80", 1},
    {"a key that clears the screen", 0, 48, "\x1b[2J\x63\0\0\0", 8},
};
// @end story-damage

// @begin story-wrapped
// In lines of at most 74 columns, set in by four.
static void print_wrapped(const char *text)
{
    int column = 80;
    while (*text != '\0') {
        int n = (int)strcspn(text, " ");
        if (column + 1 + n > 78)
            column = printf("\n    %.*s", n, text) - 1;
        else
            column += printf(" %.*s", n, text);
        text += n;
        text += strspn(text, " ");
    }
    putchar('\n');
}
// @end story-wrapped

// @begin story-break
// Write `n` bytes where nobody looks, and try to open them.
static lll_status refuse(const char *what, const void *bytes, size_t n,
                         lll_error *err)
{
    const char *folder = getenv("TMPDIR");
    char path[1024];
    file_writer out;
    gguf_file file;
    lll_error why;
    if (folder == NULL || folder[0] == '\0' || strlen(folder) > 900)
        folder = "/tmp";
    snprintf(path, sizeof path, "%s/line-by-line-XXXXXX", folder);
    int handle = mkstemp(path);
    if (handle < 0)
        return lll_fail(err, LLL_ERR_IO, "%s: cannot create it: %s", path,
                        strerror(errno));
    close(handle);
    lll_status status = file_create(&out, path, err);
    if (status == LLL_OK)
        status = file_write(&out, bytes, n, err);
    if (status == LLL_OK)
        status = file_commit(&out, err);
    file_abandon(&out);
    if (status == LLL_OK && gguf_open(&file, path, &why) == LLL_OK) {
        printf("%s\n    is accepted\n", what);
        gguf_close(&file);
    } else if (status == LLL_OK) {
        // The name of the temporary file tells nobody anything.
        printf("%s", what);
        print_wrapped(why.text + strlen(path) + 2);
    }
    unlink(path);
    return status;
}
// @end story-break

// @begin story-copies
static lll_status break_copies(const file_map *good, lll_error *err)
{
    lll_status status = LLL_OK;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]
                       && status == LLL_OK; i++) {
        // Whoever makes the tiny file smaller gets fewer damages, not a
        // write behind its end.
        if (damages[i].keep > good->n_bytes
            || damages[i].at + damages[i].n_bytes > good->n_bytes)
            continue;
        unsigned char *copy = malloc(good->n_bytes);
        if (copy == NULL)
            return lll_fail(err, LLL_ERR_MEMORY, "no memory for a copy of "
                            "%zu bytes", good->n_bytes);
        memcpy(copy, good->bytes, good->n_bytes);
        if (damages[i].n_bytes > 0)
            memcpy(copy + damages[i].at, damages[i].with, damages[i].n_bytes);
        status = refuse(damages[i].what, copy, damages[i].keep > 0
                        ? damages[i].keep : good->n_bytes, err);
        free(copy);
    }
    return status;
}
// @end story-copies

// @begin story
lll_status story(lll_error *err)
{
    bool color = terminal_color(stdout);
    gguf_file file;
    lll_status status = gguf_open(&file, TINY, err);
    if (status != LLL_OK)
        return status;
    show_label(&file);
    putchar('\n');
    terminal_bold(stdout, color, "Its first bytes");
    printf("\n");
    show_hex(&file, NULL);
    putchar('\n');
    terminal_bold(stdout, color, "Broken copies of it, refused");
    printf("\n");
    status = break_copies(&file.map, err);
    gguf_close(&file);
    return status;
}
// @end story
