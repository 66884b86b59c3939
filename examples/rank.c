// rank MODEL.gguf QUERY TEXT...: how near is each text to the query?
// Nearest first: rank ... | sort -rn
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lll/embed.h>
#include <lll/session.h>

int main(int argc, char **argv)
{
    session s = {0};
    session_options how = session_defaults();
    lll_error err = {.text = "usage: rank MODEL.gguf QUERY TEXT..."};
    bool good = argc > 3 && session_open(&s, argv[1], &how, &err) == LLL_OK;
    size_t d = (size_t)s.config.d_model;
    float *vectors = calloc(2 * d + 1, sizeof *vectors);   // query, text
    for (int i = 2; i < argc && good && vectors != NULL; i++) {
        float *vector = i == 2 ? vectors : vectors + d;
        double cosine = 0;
        good = embed_text(&s, argv[i], strlen(argv[i]), EMBED_MEAN, true,
                          vector, &err) == LLL_OK;
        for (size_t k = 0; k < d; k++)
            cosine += (double)vectors[k] * (double)vector[k];
        if (good && i > 2)
            printf("%.4f  %s\n", cosine, argv[i]);
    }
    good = good && vectors != NULL;
    if (!good)
        fprintf(stderr, "%s\n", vectors != NULL ? err.text : "no memory");
    free(vectors);
    session_close(&s);
    return good ? 0 : 1;
}
