#include <stddef.h>

#include "common/dtype.h"
#include "common/kv_cache.h"
#include "tools/exercise.h"

int main(int argc, char **argv)
{
    size_t bytes = 0;
    exercise_sheet(argc, argv);
    int n_kv = 1 << exercise_pick(1, 3);
    int group = (int)exercise_pick(2, 4);
    int layers = 4 * (int)exercise_pick(4, 10);
    int width = 32 * (int)exercise_pick(2, 4);
    int context = 1024 << exercise_pick(1, 3);
    int heads = n_kv * group;
    int asked = heads - 1 - (int)exercise_pick(1, group);
    int agree = 0;
    for (int h = 0; h < heads; h++)
        agree += h / group == h % n_kv;

    exercise_whole("reads", asked / group, "A model has %d query heads and "
                   "%d sets of keys and values, all counted from 0. Which "
                   "set does query head %d read?", heads, n_kv, asked);
    exercise_whole("serves", group, "A key has been fetched from memory. For "
                   "how many query heads is it multiplied before the next "
                   "is fetched?");
    exercise_whole("token", (int64_t)layers * n_kv * width * 2 * 2,
                   "The model has %d layers, and a head %d numbers. How many "
                   "bytes does its cache keep for a token, as halves?",
                   layers, width);
    kv_cache_bytes(DTYPE_F16, layers, n_kv, width, context, &bytes, NULL);
    exercise_number("cache", (double)bytes / (1 << 20), 1e-3, "How many MiB "
                    "is the cache of a context of %d positions?", context);
    exercise_whole("queries", 0, "And how many bytes of old queries are in "
                   "it?");
    exercise_number("unshared", group * (double)bytes / (1 << 20), 1e-3,
                    "How many MiB would it be if each query head had keys "
                    "and values of its own?");
    exercise_whole("dealt", asked % n_kv, "Somebody deals the sets out like "
                   "cards: query head h reads set h modulo %d. Which one "
                   "does head %d read then?", n_kv, asked);
    exercise_whole("agree", agree, "How many of the %d query heads still "
                   "read the right set?", heads);
    return exercise_end();
}
