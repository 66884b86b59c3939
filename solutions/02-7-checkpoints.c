#include "chapters/02-parameter-calculator/exercises/02-7-checkpoints/kept.h"
#include "common/size.h"

size_t checkpoint_bytes(const model_config *config,
                        const activation_request *request, int every)
{
    activation_memory m = activations_plan(config, request);
    int n_layers = config->n_layers;
    int whole = every < n_layers ? every : n_layers;
    int n_groups = (n_layers - 1) / whole + 1;
    size_t layer = size_plus(m.layer_linear, m.layer_square);
    size_t total = size_times((size_t)whole, layer);
    // The group that is whole has its input among its tensors.
    total = size_plus(total, size_times((size_t)n_groups - 1,
                                        m.bytes[KEPT_INPUT]));
    for (int i = KEPT_LAYER_PARTS; i < KEPT_PARTS; i++)
        total = size_plus(total, m.bytes[i]);
    return total;
}

int best_every(const model_config *config, const activation_request *request)
{
    size_t least = SIZE_MAX;
    int best = 1;
    for (int every = 1; every <= config->n_layers; every++) {
        size_t bytes = checkpoint_bytes(config, request, every);
        if (bytes < least) {
            least = bytes;
            best = every;
        }
    }
    return best;
}
