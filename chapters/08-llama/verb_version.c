#include <stdio.h>

#include "chapters/08-llama/verbs.h"
#include "common/kernels.h"

// @begin verb-version
lll_status verb_version(session *s, const settings *set, lll_error *err)
{
    (void)s;                    // it needs no model
    const kernels *in_use;
    lll_status status = kernels_select(set->isa, &in_use, err);
    if (status == LLL_OK)
        printf("Llama, Line by Line " LLL_VERSION "\nkernels: %s\n"
               "in use: %s\n", kernels_names(), in_use->name);
    return status;
}
// @end verb-version
