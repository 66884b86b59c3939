#include "common/config.h"
#include "common/cost.h"
#include "tools/exercise.h"

static double ratio(size_t before, size_t after)
{
    return (double)after / (double)before;
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    model_config c = config_family("llama")->kinds;
    config_complete(&c, "the model", NULL);
    int texts = 1 << exercise_pick(3, 5), block = 256 << exercise_pick(0, 2);
    int times = 1 << exercise_pick(1, 3);
    training_request many = {.activations = {.n_batch = texts,
                                             .n_block = block}};
    training_request few = {.activations = {.n_batch = texts / times,
                                            .n_block = block * times}};
    training_cost a = cost_training(&c, &many), b = cost_training(&c, &few);
    operation_count f = cost_forward_backward(&c, &many);
    operation_count g = cost_forward_backward(&c, &few);

    exercise_number("moments", ratio(a.bytes[TRAIN_MOMENTS],
                                     b.bytes[TRAIN_MOMENTS]), 1e-3,
                    "A batch of %d texts of %d tokens becomes one of %d "
                    "texts of %d. The moments of the optimizer become how "
                    "many times as large? (1 is as large as before.)", texts,
                    block, texts / times, block * times);
    exercise_number("logits", ratio(a.kept.bytes[KEPT_LOGITS],
                                    b.kept.bytes[KEPT_LOGITS]), 1e-3,
                    "And the logits?");
    exercise_number("linear", ratio(a.bytes[TRAIN_LINEAR],
                                    b.bytes[TRAIN_LINEAR]), 1e-3,
                    "And the other activations, without probabilities?");
    exercise_number("square", ratio(a.bytes[TRAIN_SQUARE],
                                    b.bytes[TRAIN_SQUARE]), 1e-3,
                    "And the probabilities?");
    exercise_number("matrices", g.matrices / f.matrices, 1e-3,
                    "How many times as many operations does a token take in "
                    "matrices?");
    exercise_number("seen", g.attention / f.attention, 0.02,
                    "And in attention? (Off by a fiftieth is right.)");
    // As many texts as before, each longer by the same factor.
    few.activations.n_batch = texts;
    b = cost_training(&c, &few);
    exercise_number("longer", ratio(a.bytes[TRAIN_SQUARE],
                                    b.bytes[TRAIN_SQUARE]), 1e-3,
                    "Now %d texts of %d, as many as at first. The "
                    "probabilities become how many times as large?", texts,
                    block * times);
    return exercise_end();
}
