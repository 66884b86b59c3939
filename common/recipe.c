#include "common/recipe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/quant.h"

// @begin recipe-table
static const recipe recipes[] = {
    {"F32",    DTYPE_F32,  DTYPE_F32,  0},
    {"F16",    DTYPE_F16,  DTYPE_F16,  1},
    {"BF16",   DTYPE_BF16, DTYPE_BF16, 32},
    {"Q8_0",   DTYPE_Q8_0, DTYPE_Q8_0, 7},
    {"Q4_0",   DTYPE_Q4_0, DTYPE_Q4_0, 2},
    {"Q4_1",   DTYPE_Q4_1, DTYPE_Q4_1, 3},
    {"Q5_0",   DTYPE_Q5_0, DTYPE_Q5_0, 8},
    {"Q5_1",   DTYPE_Q5_1, DTYPE_Q5_1, 9},
    {"Q3_K",   DTYPE_Q3_K, DTYPE_Q3_K, 11},
    {"Q4_K",   DTYPE_Q4_K, DTYPE_Q4_K, 14},
    {"Q5_K",   DTYPE_Q5_K, DTYPE_Q5_K, 16},
    {"Q2_K",   DTYPE_Q2_K, DTYPE_Q6_K, 10},
    {"Q3_K_S", DTYPE_Q3_K, DTYPE_Q6_K, 11},
    {"Q3_K_M", DTYPE_Q3_K, DTYPE_Q6_K, 12},
    {"Q3_K_L", DTYPE_Q3_K, DTYPE_Q6_K, 13},
    {"Q4_K_S", DTYPE_Q4_K, DTYPE_Q6_K, 14},
    {"Q4_K_M", DTYPE_Q4_K, DTYPE_Q6_K, 15},
    {"Q5_K_S", DTYPE_Q5_K, DTYPE_Q6_K, 16},
    {"Q5_K_M", DTYPE_Q5_K, DTYPE_Q6_K, 17},
    {"Q6_K",   DTYPE_Q6_K, DTYPE_Q6_K, 18},
};
// @end recipe-table

// @begin recipe-table-2
const char *recipe_names(void)
{
    return "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q3_K, Q4_K, Q5_K, "
           "Q2_K, Q3_K_S, Q3_K_M, Q3_K_L, Q4_K_S, Q4_K_M, Q5_K_S, Q5_K_M, "
           "Q6_K";
}

bool recipe_find(const char *name, recipe *out)
{
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        const char *a = recipes[i].name, *b = name;
        while (*a != '\0' && *a == toupper((unsigned char)*b)) {
            a++;
            b++;
        }
        if (*a == '\0' && *b == '\0') {
            *out = recipes[i];
            return true;
        }
    }
    return false;
}
// @end recipe-table-2

// @begin recipe-which
// Which layers a rule is for.
typedef enum {
    LAYERS_ALL,
    LAYERS_SHARED,                      // all, where four heads of queries or
                                        // more share one of keys and values
    LAYERS_TWO, LAYERS_FOUR,            // the first of them
    LAYERS_SIXTEENTH, LAYERS_EIGHTH,    // the first part of them
    LAYERS_MORE                         // the first and the last eighth, and
} layers;                               // every third between
// @end recipe-which

// @begin recipe-rules
// More bits for: the matrix that makes the logits; the values of attention,
// which are few where heads share them and are added up; the way down out of
// a feed-forward layer, whose inputs are the widest spread. The first row
// that fits decides.
static const struct {
    const char *recipe, *tensor;
    layers layers;
    dtype type;
} rules[] = {
    {"Q2_K",   "attn_v.weight",      LAYERS_SHARED,    DTYPE_Q4_K},
    {"Q2_K",   "attn_v.weight",      LAYERS_ALL,       DTYPE_Q3_K},
    {"Q2_K",   "ffn_down.weight",    LAYERS_ALL,       DTYPE_Q3_K},
    {"Q2_K",   "attn_output.weight", LAYERS_ALL,       DTYPE_Q3_K},
    {"Q3_K_M", "attn_v.weight",      LAYERS_TWO,       DTYPE_Q5_K},
    {"Q3_K_M", "attn_v.weight",      LAYERS_ALL,       DTYPE_Q4_K},
    {"Q3_K_M", "ffn_down.weight",    LAYERS_SIXTEENTH, DTYPE_Q5_K},
    {"Q3_K_M", "ffn_down.weight",    LAYERS_ALL,       DTYPE_Q4_K},
    {"Q3_K_M", "attn_output.weight", LAYERS_ALL,       DTYPE_Q4_K},
    {"Q3_K_L", "attn_v.weight",      LAYERS_ALL,       DTYPE_Q5_K},
    {"Q3_K_L", "ffn_down.weight",    LAYERS_ALL,       DTYPE_Q5_K},
    {"Q3_K_L", "attn_output.weight", LAYERS_ALL,       DTYPE_Q5_K},
    {"Q4_K_S", "attn_v.weight",      LAYERS_FOUR,      DTYPE_Q5_K},
    {"Q4_K_S", "ffn_down.weight",    LAYERS_EIGHTH,    DTYPE_Q5_K},
    {"Q4_K_M", "attn_v.weight",      LAYERS_MORE,      DTYPE_Q6_K},
    {"Q4_K_M", "ffn_down.weight",    LAYERS_MORE,      DTYPE_Q6_K},
    {"Q5_K_M", "attn_v.weight",      LAYERS_MORE,      DTYPE_Q6_K},
    {"Q5_K_M", "ffn_down.weight",    LAYERS_MORE,      DTYPE_Q6_K},
};
// @end recipe-rules

// @begin recipe-layers
static bool is_among(layers which, uint64_t layer, uint64_t n, bool shared)
{
    switch (which) {
    case LAYERS_ALL: return true;
    case LAYERS_SHARED: return shared;
    case LAYERS_TWO: return layer < 2;
    case LAYERS_FOUR: return layer < 4;
    case LAYERS_SIXTEENTH: return layer < n / 16;
    case LAYERS_EIGHTH: return layer < n / 8;
    case LAYERS_MORE: break;
    }
    return layer < n / 8 || layer >= 7 * n / 8
           || (layer >= n / 8 && (layer - n / 8) % 3 == 2);
}
// @end recipe-layers

// @begin recipe-layers-2
// "blk.12.attn_v.weight" is layer 12, and "attn_v.weight" remains; -1 and the
// whole name where there is no layer.
static long take_layer(const char **name)
{
    char *end;
    if (strncmp(*name, "blk.", 4) != 0 || !isdigit((unsigned char)(*name)[4]))
        return -1;
    long layer = strtol(*name + 4, &end, 10);
    if (*end != '.')
        return -1;
    *name = end + 1;
    return layer;
}

// A number that the model's architecture names; 0 where it is not there.
static uint64_t read_count(const gguf_file *file, const char *what)
{
    gguf_string arch;
    char key[80];
    uint64_t n = 0;
    if (gguf_get_string(file, "general.architecture", &arch, NULL) != LLL_OK
        || arch.n_bytes > 40)
        return 0;
    memcpy(key, arch.bytes, arch.n_bytes);
    memcpy(key + arch.n_bytes, what, strlen(what) + 1);
    (void)gguf_get_u64(file, key, &n, NULL);
    return n < GGUF_MAX_LIST ? n : 0;
}
// @end recipe-layers-2

// @begin recipe-wanted
// Where the embeddings serve as output matrix too, they are treated as that.
static bool is_output(const gguf_file *file, const char *name)
{
    gguf_tensor output;
    return strcmp(name, "output.weight") == 0
           || (strcmp(name, "token_embd.weight") == 0
               && gguf_find_tensor(file, "output.weight", NULL, 0, &output,
                                   NULL) != LLL_OK);
}

static dtype wanted_type(const recipe *r, const gguf_file *file,
                         const char *name)
{
    const char *rest = name;
    long layer = take_layer(&rest);
    uint64_t n_layers = read_count(file, ".block_count");
    uint64_t n_heads = read_count(file, ".attention.head_count");
    uint64_t n_kv = read_count(file, ".attention.head_count_kv");
    bool shared = n_kv > 0 && n_heads / n_kv >= 4;
    if (is_output(file, name))
        return r->output;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (layer >= 0 && strcmp(rules[i].recipe, r->name) == 0
            && strcmp(rules[i].tensor, rest) == 0
            && is_among(rules[i].layers, (uint64_t)layer, n_layers, shared))
            return rules[i].type;
    return r->type;
}
// @end recipe-wanted

// @begin recipe-choose
// A type of nearly as many bits whose blocks are shorter: what a row takes
// that super-blocks do not divide.
static dtype next_type(dtype type)
{
    switch (type) {
    case DTYPE_Q2_K: case DTYPE_Q3_K: return DTYPE_Q4_0;
    case DTYPE_Q4_K: return DTYPE_Q5_0;
    case DTYPE_Q5_K: return DTYPE_Q5_1;
    case DTYPE_Q6_K: return DTYPE_Q8_0;
    default: return DTYPE_F16;
    }
}
// @end recipe-choose

// @begin recipe-choose-2
recipe_choice recipe_choose(const recipe *r, const gguf_file *file,
                            const gguf_tensor *tensor)
{
    static const char gate[] = "ffn_gate_inp.weight";   // picks experts
    char name[GGUF_MAX_NAME + 1] = {0};
    size_t length = tensor->name.n_bytes;
    recipe_choice c = {RECIPE_ENCODE, tensor->type, tensor->type};
    memcpy(name, tensor->name.bytes,
           length < GGUF_MAX_NAME ? length : GGUF_MAX_NAME);
    if (tensor->n_dims < 2)
        c.reason = RECIPE_KEEP_VECTOR;
    else if (!quant_is_supported(tensor->type))
        c.reason = RECIPE_KEEP_TYPE;
    else if (strstr(name, gate) != NULL)
        c.reason = RECIPE_KEEP_NAME;
    if (c.reason != RECIPE_ENCODE)
        return c;
    c.wanted = c.used = wanted_type(r, file, name);
    while (tensor->dims[0]
           % (uint64_t)dtype_find((uint32_t)c.used)->block_size != 0) {
        c.used = next_type(c.used);
        c.reason = RECIPE_FALLBACK;
    }
    return c;
}
// @end recipe-choose-2
