// score MODEL.gguf TEXT...: which text does the model find most natural?
#include <stdio.h>
#include <string.h>

#include <lll/score.h>
#include <lll/session.h>

int main(int argc, char **argv)
{
    session s = {0};
    session_options how = session_defaults();
    const int32_t *ids;
    size_t n_ids;
    lll_error err = {.text = "usage: score MODEL.gguf TEXT..."};
    bool good = argc > 2 && session_open(&s, argv[1], &how, &err) == LLL_OK;
    for (int i = 2; i < argc && good; i++) {
        text_score score = {0};
        good = session_encode(&s, argv[i], strlen(argv[i]), &ids, &n_ids,
                              &err) == LLL_OK
            && score_window(&s.model, 0, ids, n_ids, &score, &err) == LLL_OK
            && score_finish(&score, &err) == LLL_OK;
        if (good)
            printf("%8.2f  %s\n", score.perplexity, argv[i]);
    }
    if (!good)
        fprintf(stderr, "%s\n", err.text);
    session_close(&s);
    return good ? 0 : 1;
}
