#include <stdio.h>

#include "chapters/02-parameter-calculator/exercises/02-7-checkpoints/kept.h"
#include "common/config.h"
#include "tools/exercise.h"

static model_config known(const char *family)
{
    model_config c = config_family(family)->kinds;
    config_complete(&c, family, NULL);
    return c;
}

static void bytes_of(const char *name, const model_config *c,
                     const activation_request *r, int every, size_t wanted)
{
    size_t got = checkpoint_bytes(c, r, every);
    exercise_case(got == wanted, name, "expected %zu bytes, got %zu", wanted,
                  got);
}

static void best(const char *name, const model_config *c,
                 const activation_request *r, int wanted)
{
    int got = best_every(c, r);
    exercise_case(got == wanted, name, "expected every %d, got every %d",
                  wanted, got);
}

// The model of the chapter, of which a layer keeps 180 numbers for three
// tokens, 12 of them its input, and 57 stand behind the last layer.
static void by_hand(void)
{
    model_config c = {.n_layers = 7, .d_model = 4, .n_heads = 2,
                      .n_kv_heads = 1, .head_dim = 2, .d_ff = 8,
                      .vocab_size = 10};
    activation_request r = {.n_batch = 1, .n_block = 3};
    bytes_of("every layer of seven", &c, &r, 1, 4 * (180 + 6 * 12 + 57));
    bytes_of("every second", &c, &r, 2, 4 * (2 * 180 + 3 * 12 + 57));
    bytes_of("every third", &c, &r, 3, 4 * (3 * 180 + 2 * 12 + 57));
    bytes_of("every sixth", &c, &r, 6, 4 * (6 * 180 + 12 + 57));
    bytes_of("all in one group", &c, &r, 7, 4 * (7 * 180 + 57));
    bytes_of("a group larger than that", &c, &r, 100, 4 * (7 * 180 + 57));
    r.checkpoint = true;
    bytes_of("the request says nothing", &c, &r, 2,
             4 * (2 * 180 + 3 * 12 + 57));
    best("best for seven layers", &c, &r, 1);
    c.n_layers = 1;
    bytes_of("one layer", &c, &r, 1, 4 * (180 + 57));
}

static void both_ends(const char *family)
{
    model_config c = known(family);
    activation_request r = {.n_batch = 2, .n_block = 300, .half = true};
    char name[64];
    for (int i = 0; i < 2; i++) {
        r.checkpoint = i == 0;
        activation_memory m = activations_plan(&c, &r);
        snprintf(name, sizeof name, "%s, %s", family,
                 i == 0 ? "each layer" : "no checkpoints");
        bytes_of(name, &c, &r, i == 0 ? 1 : c.n_layers, m.linear + m.square);
    }
}

int main(void)
{
    by_hand();
    both_ends("llama");
    both_ends("gpt2");
    both_ends("gptneox");
    model_config c = known("llama");
    activation_request r = {.n_batch = 1, .n_block = 512};
    best("best for SmolLM2", &c, &r, 1);
    // Narrow inside: a layer is hardly more than its input.
    model_config thin = {.n_layers = 400, .d_model = 512, .n_heads = 1,
                         .n_kv_heads = 1, .head_dim = 2, .d_ff = 2,
                         .vocab_size = 10};
    r.n_block = 8;
    best("best for 400 thin layers", &thin, &r, 10);
    model_config tie = {.n_layers = 48, .d_model = 8, .n_heads = 1,
                        .n_kv_heads = 1, .head_dim = 2, .d_ff = 7,
                        .vocab_size = 10};
    r.n_block = 1;
    best("a tie of 2 and 3", &tie, &r, 2);
    r.n_batch = r.n_block = 1 << 24;
    bytes_of("more than can be counted", &c, &r, 1, SIZE_MAX);
    best("and then", &c, &r, 1);
    return exercise_end();
}
