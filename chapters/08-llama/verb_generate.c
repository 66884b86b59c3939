#include <stdio.h>
#include <unistd.h>

#include "chapters/08-llama/verbs.h"

// @begin verb-generate
lll_status verb_generate(session *s, const settings *set, lll_error *err)
{
    const int32_t *ids;
    const char *text;
    size_t n_ids, n;
    file_map map;
    generate_report report;
    lll_status status = prompt_text(s, set, &map, &text, &n, err);
    if (status == LLL_OK)
        status = session_encode(s, text, n, &ids, &n_ids, err);
    // On a terminal the reader sees where the text began; what the model says
    // stands alone on standard output.
    if (!set->json && !set->quiet && set->prompt_file == NULL
        && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && status == LLL_OK)
        show_text(stderr, text, n);
    file_map_close(&map);
    return status != LLL_OK ? status
                            : answer(s, set, ids, n_ids, &report, err);
}
// @end verb-generate
