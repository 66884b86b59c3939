// replaces settle() in common/tokenizer.c; caught by tests/test_tokenizer.c
//
// "Not yet" is taken for "never": whatever does not decode is shown as what
// cannot be shown.

// @begin wrong-half-characters
static size_t settle(utf8_stream *s, bool finished, char *out,
                     size_t capacity)
{
    (void)finished;             // what is not a character is none
    static const char replacement[] = "\xef\xbf\xbd";
    size_t written = 0;
    while (s->n_held > 0) {
        uint32_t code;
        int length = unicode_decode(s->held, (size_t)s->n_held, &code);
        const char *from = length > 0 ? (const char *)s->held : replacement;
        size_t n = length > 0 ? (size_t)length : 3;
        if (n <= capacity - written) {
            memcpy(out + written, from, n);
            written += n;
        }
        int used = length > 0 ? length : length < 0 ? -length : s->n_held;
        s->n_held -= used;
        memmove(s->held, s->held + used, (size_t)s->n_held);
    }
    return written;
}
// @end wrong-half-characters
