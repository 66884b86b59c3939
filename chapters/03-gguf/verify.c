#include "verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "show.h"

// @begin verify-finding
void finding(report *r, const char *fmt, ...)
{
    char text[480];
    lll_error clean;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    // Escapes what a stranger put into a name.
    lll_fail(&clean, LLL_ERR_FORMAT, "%s", text);
    if (r->json != NULL)
        json_out_text(r->json, clean.text);
    else
        printf("%s\n", clean.text);
    r->n_findings++;
}
// @end verify-finding

// @begin verify-utf8
bool is_utf8(const char *bytes, size_t n)
{
    while (n > 0) {
        int length = printable_bytes(bytes, n);
        unsigned char first = (unsigned char)bytes[0];
        // Control characters are not printable, but well-formed.
        if (length == 0 && (first < 0x20 || first == 0x7f))
            length = 1;
        if (length == 0 && first == 0xc2 && n > 1
            && (bytes[1] & 0xc0) == 0x80)
            length = 2;
        if (length == 0)
            return false;
        bytes += length;
        n -= (size_t)length;
    }
    return true;
}
// @end verify-utf8

// @begin verify
lll_status verify(const gguf_file *file, json_out *json, lll_error *err)
{
    static void (*const rules[])(report *) = {
        verify_keys, verify_standard, verify_required, verify_texts,
        verify_reals, verify_vocabulary, verify_twins, verify_names,
        verify_layout, verify_numbers,
    };
    report r = {.file = file, .json = json};
    if (json != NULL)
        json_out_array(json);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        rules[i](&r);
    if (json != NULL)
        json_out_end(json);
    else if (r.n_findings == 0)
        printf("nothing found in %zu entr%s and %zu tensor%s\n",
               file->n_values, file->n_values == 1 ? "y" : "ies",
               file->n_tensors, file->n_tensors == 1 ? "" : "s");
    if (r.no_memory)
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory to sort its "
                        "tokens", file->path);
    if (r.n_findings == 0)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT, "%s: %zu finding%s", file->path,
                    r.n_findings, r.n_findings == 1 ? "" : "s");
}
// @end verify
