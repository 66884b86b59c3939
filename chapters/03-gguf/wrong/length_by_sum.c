// replaces take_string() in common/gguf_read.c; caught by tests/test_gguf.c
//
// "Does the text end inside the file?" It reads like the rule, and is right
// for every file that somebody wrote in good faith.

// @begin wrong-length-by-sum
static lll_status take_string(gguf_reader *r, gguf_string *text)
{
    uint64_t n = 0;
    lll_status status = gguf_take_number(r, &n, sizeof n);
    if (status != LLL_OK)
        return status;
    if (r->at + n > r->n_bytes)
        return gguf_too_long(r, n, "bytes of text are announced");
    text->bytes = (const char *)r->bytes + r->at;
    text->n_bytes = (size_t)n;
    r->at += (size_t)n;
    return LLL_OK;
}
// @end wrong-length-by-sum
