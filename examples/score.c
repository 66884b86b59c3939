// score MODEL.gguf TEXT: how much does a text surprise a model?
#include <lll/score.h>
#include <lll/session.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    session s;
    const int32_t *ids;
    size_t n;
    text_score score = {0};
    lll_error err = {.text = "usage: score MODEL.gguf TEXT"};
    if (argc != 3 || session_open(&s, argv[1], NULL, &err) != LLL_OK
        || session_encode(&s, argv[2], strlen(argv[2]), &ids, &n, &err) != 0
        || score_window(&s.model, 0, ids, n, &score, &err) != LLL_OK
        || score_finish(&score, &err) != LLL_OK)
        return fprintf(stderr, "%s\n", err.text), 1;
    printf("perplexity %.2f\n", score.perplexity);
    session_close(&s);
}
