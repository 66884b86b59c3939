#include "chapters/02-parameter-calculator/exercises/02-7-checkpoints/kept.h"
#include "common/size.h"

size_t checkpoint_bytes(const model_config *config,
                        const activation_request *request, int every)
{
    (void)config;               // your work begins here
    (void)request;
    (void)every;
    return 0;
}

int best_every(const model_config *config, const activation_request *request)
{
    (void)config;
    (void)request;
    return 1;
}
