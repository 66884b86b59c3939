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
        verify_keys, verify_general, verify_texts, verify_vocabulary,
        verify_names, verify_layout, verify_numbers,
    };
    report r = {.file = file, .json = json};
    if (json != NULL)
        json_out_array(json);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        rules[i](&r);
    if (json != NULL)
        json_out_end(json);
    else if (r.n_findings == 0)
        printf("nothing found in %zu entries and %zu tensors\n",
               file->n_values, file->n_tensors);
    if (json == NULL && r.n_unchecked > 0)
        printf("not looked into: the numbers of %zu tensors of type IQ1_M\n",
               r.n_unchecked);
    if (r.n_findings == 0)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT, "%s: %zu finding%s", file->path,
                    r.n_findings, r.n_findings == 1 ? "" : "s");
}
// @end verify
