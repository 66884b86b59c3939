// tokenize MODEL.gguf TEXT: a text's tokens, a number and its bytes each.
#include <lll/session.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    session s;
    const int32_t *ids;
    size_t n;
    lll_error err = {.text = "usage: tokenize MODEL.gguf TEXT"};
    if (argc != 3 || session_open(&s, argv[1], NULL, &err) != LLL_OK
        || session_encode(&s, argv[2], strlen(argv[2]), &ids, &n, &err) != 0)
        return fprintf(stderr, "%s\n", err.text), 1;
    for (size_t i = 0; i < n; i++) {
        char piece[256] = "";   // of longer ones the beginning is shown
        tokenizer_piece(&s.words, ids[i], true, piece, sizeof piece - 1);
        printf("%d \"%s\"\n", ids[i], piece);
    }
    session_close(&s);
}
