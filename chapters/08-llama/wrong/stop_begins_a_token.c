// replaces could_be_stop() in common/generate.c;
// caught by tests/test_generate.c
//
// Holds a token's text back when it begins a stop text. Tokens do not begin
// where stop texts do.

// @begin wrong-stop
static size_t could_be_stop(const text_stream *s)
{
    for (int i = 0; i < s->options->n_stops; i++)
        if (s->n_held < strlen(s->options->stops[i])
            && memcmp(s->held, s->options->stops[i], s->n_held) == 0)
            return s->n_held;
    return 0;
}
// @end wrong-stop
