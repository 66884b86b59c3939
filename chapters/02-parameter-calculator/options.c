// The flags of the calculator, as tables.
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"

// @begin options-model
static size_t model_options(settings *set, args_option *rows)
{
    const args_option list[] = {
        ARGS_HEADING("Which model (default: SmolLM2-135M)"),
        ARGS_TEXT("-m", "--gguf", "FILE", &set->gguf, "a model file"),
        ARGS_TEXT(NULL, "--config", "FILE", &set->config, "a configuration: "
                  "ours, or a Hugging Face config.json"),
        ARGS_FLAG(NULL, "--interactive", &set->interactive,
                  "ask; an empty answer keeps what stands in brackets"),
        ARGS_TEXT(NULL, "--arch", "NAME", &set->arch, "llama, gpt2, gptneox "
                  "or stablelm, with the sizes of its best-known member"),
        ARGS_HEADING("Other sizes than that has"),
        ARGS_INT(NULL, "--n-layer", "N", &set->n_layers, 1, 4096, "layers"),
        ARGS_INT(NULL, "--n-embd", "N", &set->d_model, 1, 1 << 24, "width"),
        ARGS_INT(NULL, "--n-head", "N", &set->n_heads, 1, 1 << 24,
                 "query heads (default: width / 64)"),
        ARGS_INT(NULL, "--n-kv-head", "N", &set->n_kv_heads, 0, 1 << 24,
                 "key-value heads (default: as many)"),
        ARGS_INT(NULL, "--head-dim", "N", &set->head_dim, 0, 1 << 14,
                 "numbers of a head (default: width / heads)"),
        ARGS_INT(NULL, "--d-ff", "N", &set->d_ff, 1, 1 << 24,
                 "width of the feed-forward (default: 4 x width, "
                 "with a gate 8/3 x width)"),
        ARGS_INT(NULL, "--vocab-size", "N", &set->vocab_size, 1, 1 << 24,
                 "tokens"),
        ARGS_INT(NULL, "--block-size", "N", &set->context_length, 1,
                 1 << 24, "positions that it was trained for"),
        ARGS_FLAG(NULL, "--bias", &set->bias, "biases where the family has "
                  "them; llama, stablelm: q, k and v"),
        ARGS_FLAG(NULL, "--no-bias", &set->no_bias, "none of those"),
        ARGS_FLAG(NULL, "--tied", &set->tied,
                  "the output head is the embedding table"),
        ARGS_FLAG(NULL, "--untied", &set->untied,
                  "it is a matrix of its own"),
    };
    // @end options-model
    memcpy(rows, list, sizeof list);
    return sizeof list / sizeof list[0];
}

// @begin options-show
static size_t show_options(settings *set, args_option *rows)
{
    const args_option list[] = {
        ARGS_HEADING("What to show"),
        ARGS_FLAG(NULL, "--show-formula", &set->formula,
                  "the algebra, with this model's numbers in it"),
        ARGS_FLAG(NULL, "--mistakes", &set->mistakes,
                  "totals that other ways of counting give"),
        ARGS_FLAG(NULL, "--compare", &set->compare,
                  "the files that are named, side by side"),
        ARGS_FLAG(NULL, "--list", &set->list,
                  "all configurations of data/configs"),
        ARGS_FLAG(NULL, "--json", &set->json, "print JSON"),
        ARGS_HEADING("How it is run"),
        ARGS_INT("-c", "--ctx-size", "N", &set->n_ctx, 0, 1 << 24,
                 "positions of the context (0: the model's, at most 4096)"),
        ARGS_INT("-b", "--batch-size", "N", &set->n_batch, 1, 1 << 16,
                 "tokens that go through together"),
        ARGS_INT("-t", "--threads", "N", &set->n_threads, 0, 1024,
                 "threads (0: one for each core)"),
        ARGS_INT(NULL, "--sequences", "N", &set->n_sequences, 1, 1 << 16,
                 "texts side by side"),
        ARGS_TEXT("-ctk", "--cache-type", "TYPE", &set->cache_type,
                  "of keys and values: f16, f32 or q8_0"),
    };
    memcpy(rows, list, sizeof list);
    return sizeof list / sizeof list[0];
}

size_t calculator_options(settings *set, args_option *rows)
{
    size_t n = model_options(set, rows);
    n += show_options(set, rows + n);
    return n + cost_options(&set->costs, rows + n);
}
// @end options-show

// @begin options-views
// What can be shown, as bits, and what a flag may count for.
enum {
    SHOW_ALL = 1, SHOW_FORMULA = 2, SHOW_MISTAKES = 4, SHOW_LIST = 8,
    SHOW_COMPARE = 16, SHOW_HARDWARE = 32, SHOW_CONTEXT = 64,
    SHOW_GPUS = 128, SHOW_BLOCK = 256, SHOW_ACTIVATIONS = 512,
    FOR_OTHERS = SHOW_HARDWARE | SHOW_GPUS,
    FOR_MODEL = SHOW_ALL | SHOW_FORMULA | SHOW_MISTAKES | SHOW_CONTEXT
                | SHOW_BLOCK | SHOW_ACTIVATIONS,
    FOR_RUNNING = SHOW_ALL | SHOW_CONTEXT | FOR_OTHERS,
    FOR_TRAINING = SHOW_ALL | SHOW_BLOCK | SHOW_ACTIVATIONS | FOR_OTHERS
};

// Which table it is; 0 for none, and for a name that print_table() refuses.
static unsigned table_view(const settings *set)
{
    static const struct { const char *name; unsigned view; } tables[] = {
        {"hardware", SHOW_HARDWARE}, {"context", SHOW_CONTEXT},
        {"gpus", SHOW_GPUS}, {"block-size", SHOW_BLOCK},
        {"activations", SHOW_ACTIVATIONS},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (set->costs.table != NULL
            && strcmp(set->costs.table, tables[i].name) == 0)
            return tables[i].view;
    return 0;
}

bool asks_of_others(const settings *set)
{
    return (table_view(set) & FOR_OTHERS) != 0;
}
// @end options-views

// @begin options-counts
typedef struct {
    const char *flag;
    bool given;
    unsigned counts;            // for these
} flag_use;
enum { N_VIEWS = 5, N_USES = 24 };

// The flags that choose what is shown come first.
static void flag_uses(const settings *s, flag_use *uses)
{
    const cost_settings *c = &s->costs;
    const flag_use all[N_USES] = {
        {"--show-formula", s->formula, SHOW_FORMULA},
        // As JSON everything is shown, and the mistakes with it.
        {"--mistakes", s->mistakes,
         s->json ? SHOW_MISTAKES | SHOW_ALL : SHOW_MISTAKES},
        {"--list", s->list, SHOW_LIST},
        {"--compare", s->compare, SHOW_COMPARE},
        {"--table", c->table != NULL, table_view(s)},
        {"--json", s->json, ~(unsigned)SHOW_FORMULA},
        {"--gguf", s->gguf != NULL, FOR_MODEL},
        {"--config", s->config != NULL, FOR_MODEL},
        {"--interactive", s->interactive, FOR_MODEL},
        {"--arch", s->arch != NULL, FOR_MODEL},
        {"a size of a model", sizes_given(s), FOR_MODEL},
        {"--ctx-size", s->n_ctx > 0, SHOW_ALL | FOR_OTHERS},
        // @end options-counts
        // @begin options-counts-2
        {"--batch-size", s->n_batch != 512, FOR_RUNNING},
        {"--threads", s->n_threads > 0, FOR_RUNNING},
        {"--sequences", s->n_sequences > 1, FOR_RUNNING},
        {"--cache-type", strcmp(s->cache_type, "f16") != 0, FOR_RUNNING},
        {"--memory", c->memory != NULL, SHOW_ALL},
        {"--bits", c->bits > 0, SHOW_ALL},
        {"--bandwidth or --probe", c->bandwidth > 0 || c->probe,
         SHOW_ALL | SHOW_HARDWARE},
        {"--train-batch", c->n_texts > 0, FOR_TRAINING},
        {"--train-block", c->n_block > 0,
         FOR_TRAINING & ~(unsigned)SHOW_BLOCK},
        {"--mixed", c->mixed, FOR_TRAINING},
        // Tables of other models, and of blocks, try it with and without.
        {"--checkpoint", c->checkpoint, SHOW_ALL | SHOW_ACTIVATIONS},
        {"--lora-rank", c->lora_rank > 0,
         FOR_TRAINING & ~(unsigned)FOR_OTHERS},
    };
    memcpy(uses, all, sizeof all);
}
// @end options-counts-2

// @begin options-check
lll_status check_asked(const settings *set, lll_error *err)
{
    flag_use uses[N_USES];
    const flag_use *view = NULL;
    flag_uses(set, uses);
    for (int i = 0; i < N_VIEWS && view == NULL; i++)
        if (uses[i].given)
            view = &uses[i];
    bool table = view == &uses[N_VIEWS - 1];
    for (int i = 0; view != NULL && view->counts != 0 && i < N_USES; i++)
        if (uses[i].given && (uses[i].counts & view->counts) == 0)
            return lll_fail(err, LLL_ERR_USAGE, "found %s beside %s%s%s, "
                            "where it says nothing; give one of the two",
                            uses[i].flag, view->flag, table ? " " : "",
                            table ? set->costs.table : "");
    if (set->costs.probe && set->costs.bandwidth > 0)
        return lll_fail(err, LLL_ERR_USAGE, "--probe measures what "
                        "--bandwidth says; give one of the two");
    return LLL_OK;
}
// @end options-check
