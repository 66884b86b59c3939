// tokenize MODEL.gguf TEXT: the tokens of a text, a number and its bytes each.
#include <stdio.h>
#include <string.h>

#include <lll/session.h>

int main(int argc, char **argv)
{
    session s = {0};
    session_options how = session_defaults();
    const int32_t *ids;
    size_t n_ids = 0;
    lll_error err = {.text = "usage: tokenize MODEL.gguf TEXT"};
    bool good = argc == 3 && session_open(&s, argv[1], &how, &err) == LLL_OK
        && session_encode(&s, argv[2], strlen(argv[2]), &ids, &n_ids,
                          &err) == LLL_OK;
    for (size_t i = 0; i < n_ids; i++) {
        char piece[256];
        size_t n = tokenizer_piece(&s.words, ids[i], true, piece, 256);
        printf("%d \"%.*s\"\n", ids[i], n < 256 ? (int)n : 256, piece);
    }
    if (!good)
        fprintf(stderr, "%s\n", err.text);
    session_close(&s);
    return good ? 0 : 1;
}
