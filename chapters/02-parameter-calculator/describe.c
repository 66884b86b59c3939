// Where a description comes from: a file, the command line, or both.
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "chapters/02-parameter-calculator/calculator.h"
#include "common/config_gguf.h"
#include "common/config_json.h"

// @begin model-open
static bool starts_as_gguf(const char *path)
{
    char first[4] = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;           // the other reader will say why
    bool is_gguf = fread(first, 1, 4, file) == 4
                   && memcmp(first, "GGUF", 4) == 0;
    fclose(file);
    return is_gguf;
}

static lll_status open_gguf(model *m, const char *path, lll_error *err)
{
    memset(m, 0, sizeof *m);
    lll_status status = gguf_open(&m->file, path, err);
    if (status == LLL_OK)
        status = config_from_gguf(&m->config, &m->file, err);
    if (status != LLL_OK)
        model_close(m);
    return status;
}

lll_status model_open(model *m, const char *path, lll_error *err)
{
    if (starts_as_gguf(path))
        return open_gguf(m, path, err);
    memset(m, 0, sizeof *m);
    return config_from_json(&m->config, path, err);
}

void model_close(model *m)
{
    gguf_close(&m->file);
}
// @end model-open

// @begin model-sizes
// The numbers that may be given, by the flag that gives them.
static const struct size_flag {
    const char *flag;
    size_t given, field;        // in settings, in model_config
} sizes[] = {
    {"--n-layer", offsetof(settings, n_layers),
     offsetof(model_config, n_layers)},
    {"--n-embd", offsetof(settings, d_model),
     offsetof(model_config, d_model)},
    {"--n-head", offsetof(settings, n_heads),
     offsetof(model_config, n_heads)},
    {"--n-kv-head", offsetof(settings, n_kv_heads),
     offsetof(model_config, n_kv_heads)},
    {"--head-dim", offsetof(settings, head_dim),
     offsetof(model_config, head_dim)},
    {"--d-ff", offsetof(settings, d_ff), offsetof(model_config, d_ff)},
    {"--vocab-size", offsetof(settings, vocab_size),
     offsetof(model_config, vocab_size)},
    {"--block-size", offsetof(settings, context_length),
     offsetof(model_config, context_length)},
};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

static int given(const settings *set, int i)
{
    return (int)*(const int64_t *)((const char *)set + sizes[i].given);
}

static int *field(model_config *c, int i)
{
    return (int *)((char *)c + sizes[i].field);
}
// @end model-sizes

// @begin model-replace
// Heads of 64 where that comes out even, of more where it does not.
static int usual_heads(int d_model)
{
    int n = d_model > 64 ? d_model / 64 : 1;
    while (d_model % n != 0)
        n--;
    return n;
}

void replace_sizes(model_config *c, const settings *set)
{
    if (set->d_model > 0 && set->d_model != c->d_model) {
        c->d_ff = c->head_dim = c->n_kv_heads = 0;
        c->n_heads = usual_heads((int)set->d_model);
    }
    if (set->n_heads > 0 && set->n_heads != c->n_heads)
        c->head_dim = c->n_kv_heads = 0;
    if (set->head_dim > 0 && set->head_dim != c->head_dim)
        c->rope_dim = 0;
    if (c->head_dim == 0)
        c->rope_dim = 0;
    for (int i = 0; i < N_SIZES; i++)
        if (given(set, i) > 0)
            *field(c, i) = given(set, i);
    if (set->bias || set->no_bias)
        config_set_bias(c, set->bias);
    if (set->tied || set->untied)
        c->tied_output = set->tied;
}
// @end model-replace

// @begin model-change
lll_status change_model(model_config *c, const settings *set, lll_error *err)
{
    replace_sizes(c, set);
    lll_status status = config_complete(c, "the description", err);
    return status == LLL_OK ? config_check(c, "the description", err)
                            : status;
}
// @end model-change

// @begin model-given
bool sizes_given(const settings *set)
{
    bool any = set->bias || set->no_bias || set->tied || set->untied;
    for (int i = 0; i < N_SIZES; i++)
        any = any || given(set, i) > 0;
    return any;
}

// What was not said, as flags: who wants something else sees how to say it.
static void note_defaults(const settings *set, const model_config *c)
{
    model_config copy = *c;
    int column = fprintf(stderr, "not given, so: --arch %s", c->architecture);
    for (int i = 0; i < N_SIZES; i++) {
        if (given(set, i) > 0 || *field(&copy, i) == 0)
            continue;
        if (column > 60)
            column = fprintf(stderr, "\n ") - 1;
        column += fprintf(stderr, " %s %d", sizes[i].flag, *field(&copy, i));
    }
    fprintf(stderr, "\n");
}
// @end model-given

// @begin model-check-flags
static lll_status check_flags(const settings *set, lll_error *err)
{
    int n_sources = (set->gguf != NULL) + (set->config != NULL)
                    + set->interactive;
    if (n_sources > 1)
        return lll_fail(err, LLL_ERR_USAGE, "--gguf, --config and "
                        "--interactive all describe a model; give one");
    if ((set->tied && set->untied) || (set->bias && set->no_bias))
        return lll_fail(err, LLL_ERR_USAGE, "%s contradict each other; give "
                        "one", set->tied && set->untied ? "--tied and "
                        "--untied" : "--bias and --no-bias");
    if (set->gguf != NULL && (sizes_given(set) || set->arch != NULL))
        return lll_fail(err, LLL_ERR_USAGE, "a GGUF file describes its model "
                        "whole; leave --gguf out to describe another");
    if (set->config != NULL && set->arch != NULL)
        return lll_fail(err, LLL_ERR_USAGE, "a configuration names its "
                        "architecture; leave --arch out");
    if (set->arch != NULL && config_family(set->arch) == NULL)
        return lll_fail(err, LLL_ERR_USAGE, "--arch %s: expected llama, "
                        "gpt2, gptneox or stablelm", set->arch);
    return LLL_OK;
}
// @end model-check-flags

// @begin model-describe
lll_status model_describe(model *m, const settings *set, lll_error *err)
{
    memset(m, 0, sizeof *m);
    lll_status status = check_flags(set, err);
    if (status != LLL_OK)
        return status;
    if (set->gguf != NULL)
        return open_gguf(m, set->gguf, err);
    if (set->config != NULL) {
        status = model_open(m, set->config, err);
        if (status != LLL_OK || !sizes_given(set))
            return status;
        char name[48];
        config_copy_name(name, sizeof name, m->config.name,
                         strlen(m->config.name));
        snprintf(m->config.name, sizeof m->config.name, "%s, changed", name);
        return change_model(&m->config, set, err);
    }
    // The family's best-known member, and what was said instead.
    const model_family *family = config_family(set->arch == NULL
                                               ? "llama" : set->arch);
    m->config = family->kinds;
    status = config_complete(&m->config, family->hf_name, err);
    if (status == LLL_OK && set->interactive)
        return ask_model(&m->config, set, stdin, err);
    if (status == LLL_OK)
        status = change_model(&m->config, set, err);
    if (status == LLL_OK && sizes_given(set)) {
        strcpy(m->config.name, "from the command line");
        note_defaults(set, &m->config);
    }
    return status;
}
// @end model-describe
