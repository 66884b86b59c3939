#include "chapters/08-llama/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

// @begin verbs-companions
// Options that say more about some verbs, and nothing about the others.
static lll_status check_companions(const settings *set, lll_error *err)
{
    const struct {
        const char *option;
        bool given, fits;
        const char *verbs;
    } rows[] = {
        {"-sys", set->system != NULL, set->chat || set->compare != NULL,
         "--chat or --compare"},
        {"--chat-template", set->chat_template != NULL, set->chat,
         "--chat"},
        {"--importance", set->importance != NULL, set->perplexity != NULL,
         "--perplexity"},
        {"--cache-dir", set->cache_dir != NULL, set->requantize != NULL,
         "--requantize"},
        {"--requantize", set->requantize != NULL, set->compare == NULL,
         "one model, with -m"},
        {"--save", set->save != NULL, set->chat, "--chat"},
        {"--resume", set->resume != NULL, set->chat, "--chat"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].given && !rows[i].fits)
            return lll_fail(err, LLL_ERR_USAGE, "%s is for %s; give both or "
                            "neither", rows[i].option, rows[i].verbs);
    if (set->compare != NULL && (set->compare_with == NULL || set->plan))
        return lll_fail(err, LLL_ERR_USAGE, "--compare wants two model "
                        "files, and --plan one, with -m");
    return LLL_OK;
}
// @end verbs-companions

// @begin verbs-choose
lll_status verb_choose(const settings *set, verb *out, lll_error *err)
{
    const verb verbs[] = {
        {"--version", set->version, verb_version, 0},
        {"--perplexity", set->perplexity != NULL, verb_perplexity, 64},
        {"--trace", set->trace != NULL, verb_trace, 1 << 16},
        {"--logits", set->logits, verb_logits, 1},
        {"--compare", set->compare != NULL, verb_compare, 0},
        {"--chat", set->chat, verb_chat, 1},
        {NULL, true, verb_generate, 1},
    };
    const verb *v = verbs;
    while (!v->wanted)
        v++;
    for (const verb *other = v; other->option != NULL; other++)
        if (other != v && other->wanted)
            return lll_fail(err, LLL_ERR_USAGE, "%s and %s each do another "
                            "thing; give one", v->option, other->option);
    lll_status status = check_companions(set, err);
    if (status == LLL_OK)
        *out = *v;
    return status;
}
// @end verbs-choose

// @begin verbs-open
static void note(const char *line)
{
    fprintf(stderr, "fit: %s\n", line);
}

lll_status open_session(session *s, const char *model, const settings *set,
                        int n_outputs, lll_error *err)
{
    session_options options = session_defaults();
    options.n_ctx = (int)set->n_ctx;
    options.n_batch = (int)set->n_batch;
    options.n_outputs = n_outputs;
    options.n_threads = (int)set->n_threads;
    options.cache_type = set->cache_type;
    options.float_activations = strcmp(set->activations, "f32") == 0;
    options.isa = set->isa;
    options.pre = set->pre;
    options.trace = set->trace;
    options.importance = set->importance;
    options.save = set->save;
    options.fit = set->fit;
    options.plan_only = set->plan;
    options.note = note;
    return session_open(s, model, &options, err);
}
// @end verbs-open

// @begin verbs-name
lll_status name_model(const session *s, lll_status status, lll_error *err)
{
    if (status != LLL_ERR_FORMAT || err == NULL)
        return status;
    return lll_fail(err, status, "%s: %s", s->file.path, err->text);
}
// @end verbs-name

// @begin verbs-prompt
const char default_prompt[] = "A language model";

lll_status read_prompt(const session *s, const settings *set,
                       const int32_t **ids, size_t *n_ids, lll_error *err)
{
    const char *text = set->prompt != NULL ? set->prompt : default_prompt;
    if (set->prompt_file == NULL)
        return session_encode(s, text, strlen(text), ids, n_ids, err);
    file_map map;
    lll_status status = file_map_open(&map, set->prompt_file, err);
    if (status != LLL_OK)
        return status;
    status = session_encode(s, (const char *)map.bytes, map.n_bytes, ids,
                            n_ids, err);
    file_map_close(&map);
    return status;
}
// @end verbs-prompt

// @begin verbs-buffers
// The C library would ask for buffers of its own when the first text goes
// through; with these the planner's number is all there is.
void own_buffers(void)
{
    static char in[4096], out[4096];
    setvbuf(stdin, in, _IOFBF, sizeof in);
    setvbuf(stdout, out, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof out);
}
// @end verbs-buffers
