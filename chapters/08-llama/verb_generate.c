#include <stdio.h>
#include <unistd.h>

#include "chapters/08-llama/verbs.h"

// @begin verb-generate
lll_status verb_generate(session *s, const settings *set, lll_error *err)
{
    const int32_t *ids;
    size_t n_ids;
    lll_status status = read_prompt(s, set, &ids, &n_ids, err);
    if (status != LLL_OK)
        return status;
    // On a terminal the reader sees where the text began; what the model says
    // stands alone on standard output.
    if (!set->json && !set->quiet && set->prompt_file == NULL
        && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
        fputs(set->prompt != NULL ? set->prompt : default_prompt, stderr);
    return answer(s, set, ids, n_ids, err);
}
// @end verb-generate
