#include <stdio.h>

#include "common/config.h"
#include "common/cost.h"
#include "tools/exercise.h"

static const model_config MODEL = {
    .architecture = "llama", .n_layers = 6, .d_model = 320, .n_heads = 8,
    .n_kv_heads = 2, .head_dim = 64, .d_ff = 1000, .vocab_size = 5000,
    .context_length = 512, .tied_output = true,
};
static const char CHOICES[] = "same, less than double, double, "
                              "more than double, fourfold";

static const char *twice(model_config *c, int64_t what)
{
    static const char *const names[] = {"d_model", "n_kv_heads", "head_dim",
                                        "d_ff"};
    int *fields[] = {&c->d_model, &c->n_kv_heads, &c->head_dim, &c->d_ff};
    *fields[what] *= 2;
    return names[what];
}

static const char *word(uint64_t before, uint64_t after)
{
    return after == before ? "same"
           : after < 2 * before ? "less than double"
           : after == 2 * before ? "double"
           : after < 4 * before ? "more than double" : "fourfold";
}

static void ask_one(const model_config *c, const char *doubled)
{
    parameter_count old = config_count(&MODEL), new = config_count(c);
    const struct { const char *name, *part; uint64_t before, after; }
    parts[] = {
        {"table", "the embedding table", old.embedding, new.embedding},
        {"attention", "the four matrices of attention", old.attention,
         new.attention},
        {"feed_forward", "the three of the feed-forward", old.feed_forward,
         new.feed_forward},
        {"norms", "the norms of a layer", old.norms, new.norms},
        {"cache", "the cache of a position",
         cost_cache_position(&MODEL, DTYPE_F16),
         cost_cache_position(c, DTYPE_F16)},
    };
    for (int i = 0; i < 5; i++)
        exercise_choice(parts[i].name, word(parts[i].before, parts[i].after),
                        CHOICES, "%s is doubled, and nothing else. What "
                        "becomes of %s?", doubled, parts[i].part);
}

int main(int argc, char **argv)
{
    exercise_sheet(argc, argv);
    model_config c = MODEL;
    int64_t first = exercise_pick(0, 3);
    // Another one, and not d_ff, which attention does not have.
    int64_t second = first == 3 ? exercise_pick(0, 2)
                                : (first + exercise_pick(1, 2)) % 3;
    const char *one = twice(&c, first);
    ask_one(&c, one);
    const char *other = twice(&c, second);
    exercise_choice("both", word(config_count(&MODEL).attention,
                                 config_count(&c).attention), CHOICES,
                    "Now %s is doubled as well as %s. What becomes of the "
                    "matrices of attention, against those at first?", other,
                    one);
    exercise_choice("both_cache",
                    word(cost_cache_position(&MODEL, DTYPE_F16),
                         cost_cache_position(&c, DTYPE_F16)), CHOICES,
                    "And of the cache?");
    return exercise_end();
}
