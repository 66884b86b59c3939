// rank MODEL.gguf QUERY TEXT...: how near is each text to the query?
// Nearest first: rank ... | sort -rn
#include <lll/embed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    session s;
    lll_error err = {.text = "usage: rank MODEL.gguf QUERY TEXT..."};
    if (argc < 4 || session_open(&s, argv[1], NULL, &err) != LLL_OK)
        return fprintf(stderr, "%s\n", err.text), 1;
    size_t d = (size_t)s.config.d_model;
    float *vectors = calloc(2 * d, sizeof *vectors);    // query, text
    if (vectors == NULL)
        return perror(argv[0]), 1;
    for (int i = 2; i < argc; i++) {
        float *vector = i == 2 ? vectors : vectors + d;
        double cosine = 0;
        if (embed_text(&s, argv[i], strlen(argv[i]), EMBED_MEAN, true, vector,
                       &err) != LLL_OK)
            return fprintf(stderr, "%s\n", err.text), 1;
        for (size_t k = 0; k < d; k++)
            cosine += vectors[k] * vector[k];
        if (i > 2)
            printf("%.4f  %s\n", cosine, argv[i]);
    }
    free(vectors);
    session_close(&s);
}
