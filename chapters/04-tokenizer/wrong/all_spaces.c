// replaces match_spaces() in common/pretokenize.c;
// caught by tests/test_pretokenize.c
//
// Somebody tidies up: of two alternatives, \s+(?!\S) and \s+, the second
// seems to say it all.

static size_t match_spaces(rule_kind kind, const unsigned char *text,
                           size_t at, size_t end, size_t *run)
{
    size_t stop = at, line = at;
    while (stop < end) {
        character c = read_char(text, stop, end);
        if (!(c.kind & UNICODE_SPACE))
            break;
        stop += c.n_bytes;
        if (c.kind & UNICODE_NEWLINE)
            line = stop;
    }
    // @begin wrong-all-spaces
    *run = stop - at;
    if (kind == LINES)
        return line;
    if (kind == SPACES_AT_END)
        return stop == end ? stop : at;
    return stop;                // \s+, which covers it
    // @end wrong-all-spaces
}
