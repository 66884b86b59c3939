// The question of exercise 02-7.
#include "common/activations.h"

size_t checkpoint_bytes(const model_config *config,
                        const activation_request *request, int every);
int best_every(const model_config *config,
               const activation_request *request);
