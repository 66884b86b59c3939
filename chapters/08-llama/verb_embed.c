#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/verbs.h"
#include "common/embed.h"
#include "common/json_out.h"

// @begin verb-embed-print
// A vector is a line of numbers; in JSON a text with its vector, or its list
// of them, is one.
typedef struct {
    const settings *set;
    const char *text;
    size_t n_bytes;
    bool many, begun;
    json_out json;
} printer;

static void print_vector(void *context, const float *vector, int d_model)
{
    printer *p = context;
    if (!p->set->json) {
        for (int i = 0; i < d_model; i++)
            printf("%s%.9g", i > 0 ? " " : "", (double)vector[i]);
        putchar('\n');
        return;
    }
    if (!p->begun) {
        json_out_begin(&p->json, stdout);
        json_out_object(&p->json);
        json_out_key(&p->json, "text");
        json_out_bytes(&p->json, p->text, p->n_bytes);
        json_out_key(&p->json, p->many ? "embeddings" : "embedding");
        if (p->many)
            json_out_array(&p->json);
    }
    p->begun = true;
    json_out_array(&p->json);
    for (int i = 0; i < d_model; i++)
        json_out_f32(&p->json, vector[i]);
    json_out_end(&p->json);
}
// @end verb-embed-print

// @begin verb-embed-one
static const char *const poolings[] = {"mean", "last", "none"};

static lll_status print_one(session *s, const settings *set,
                            embed_pooling pooling, const char *text, size_t n,
                            lll_error *err)
{
    printer p = {.set = set, .text = text, .n_bytes = n,
                 .many = pooling == EMBED_NONE};
    lll_status status = embed_each(s, text, n, pooling, !set->unscaled,
                                   print_vector, &p, err);
    if (!p.begun)
        return name_model(s, status, err);
    if (p.many)
        json_out_end(&p.json);
    json_out_end(&p.json);
    lll_status written = json_out_finish(&p.json, err);
    return status != LLL_OK ? name_model(s, status, err) : written;
}
// @end verb-embed-one

// @begin verb-embed
lll_status verb_embed(session *s, const settings *set, lll_error *err)
{
    file_map map;
    const char *text, *line;
    size_t n_bytes, n, n_lines = 0, pooling = 0;
    while (pooling < 3 && set->pooling != NULL
           && strcmp(poolings[pooling], set->pooling) != 0)
        pooling++;
    if (pooling == 3)
        return lll_fail(err, LLL_ERR_USAGE, "--pooling %s: expected mean, "
                        "last or none", set->pooling);
    lll_status status = prompt_text(s, set, &map, &text, &n_bytes, err);
    if (status == LLL_OK && set->prompt_file == NULL)
        status = print_one(s, set, (embed_pooling)pooling, text, n_bytes,
                           err);
    while (status == LLL_OK && set->prompt_file != NULL
           && cut_line(&text, &n_bytes, &line, &n)) {
        n_lines++;
        if (n > 0)
            status = print_one(s, set, (embed_pooling)pooling, line, n, err);
        if (status != LLL_OK && err != NULL)
            status = lll_fail(err, status, "%s, line %zu: %s",
                              set->prompt_file, n_lines, err->text);
    }
    file_map_close(&map);
    return status;
}
// @end verb-embed
