#include "show.h"

#include <stdio.h>
#include <string.h>

#include "common/terminal.h"

// @begin pieces
static void print_pieces(const pretokenizer *rules, text_span text)
{
    pretokenize_scan scan;
    size_t begin, end;
    int columns = printf("%.*s", (int)strcspn(rules->names, " "),
                         rules->names);
    pretokenize_begin(&scan, rules, text.bytes, text.n_bytes);
    while (pretokenize_next(&scan, &begin, &end)) {
        if (begin > 0)
            putchar('|');
        else
            printf("%*s", columns < 16 ? 16 - columns : 1, "");
        terminal_text(stdout, text.bytes + begin, end - begin);
    }
    putchar('\n');
}
// @end pieces

// @begin pieces-2
lll_status show_pieces(text_span text, const char *pre, lll_error *err)
{
    const pretokenizer *rules;
    const char *names;
    lll_status status = LLL_OK;
    if (pre != NULL) {
        status = pretokenize_find(pre, strlen(pre), &rules, err);
        if (status == LLL_OK)
            print_pieces(rules, text);
        return status;
    }
    for (size_t i = 0; (names = pretokenize_names(i)) != NULL; i++) {
        status = pretokenize_find(names, strcspn(names, " "), &rules, err);
        if (status != LLL_OK)
            return status;
        print_pieces(rules, text);
    }
    return LLL_OK;
}
// @end pieces-2
