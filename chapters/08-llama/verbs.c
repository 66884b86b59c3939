#include "chapters/08-llama/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chapters/08-llama/compare_quant.h"

// @begin verbs-companions
// Options that say more about some verbs, and nothing about the others.
typedef struct {
    const char *option;
    bool given, fits;
    const char *verbs;
} companion;

static lll_status check_rows(const companion *rows, size_t n, lll_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].given && !rows[i].fits)
            return lll_fail(err, LLL_ERR_USAGE, "%s is for %s, which is not "
                            "asked for", rows[i].option, rows[i].verbs);
    return LLL_OK;
}

static lll_status check_companions(const settings *set, lll_error *err)
{
    const companion rows[] = {
        {"-sys", set->system != NULL, set->chat || set->compare != NULL,
         "--chat or --compare"},
        {"--chat-template", set->chat_template != NULL, set->chat, "--chat"},
        {"--importance", set->importance != NULL, set->perplexity != NULL,
         "--perplexity"},
        {"--cache-dir", set->cache_dir != NULL, set->requantize != NULL,
         "--requantize"},
        {"--save", set->save != NULL, set->chat, "--chat"},
        {"--resume", set->resume != NULL, set->chat, "--chat"},
        {"--pooling", set->pooling != NULL, set->embed, "--embed"},
        {"--unscaled", set->unscaled, set->embed, "--embed"},
        {"--parallel", set->parallel > 0, set->batch_file != NULL,
         "--batch-file"},
    };
    return check_rows(rows, sizeof rows / sizeof rows[0], err);
}
// @end verbs-companions

// @begin verbs-answers
// The same for what says more about an answer or a result.
static lll_status check_answers(const settings *set, lll_error *err)
{
    bool table = set->compare_quant != NULL;
    bool named = set->model != settings_defaults().model;
    bool writes = set->perplexity == NULL && set->trace == NULL && !table
                  && !set->logits && !set->version && !set->doctor
                  && !set->embed;
    bool one = writes && set->batch_file == NULL;
    bool reads = set->perplexity == NULL && !set->version && !set->doctor
                 && set->batch_file == NULL;
    bool prints = (set->trace == NULL && !set->version) || set->plan;
    const companion rows[] = {
        {"-m", named, !table && set->compare == NULL, "work on one model"},
        {"--json", set->json, prints, "a printed result"},
        {"-p", set->prompt != NULL, reads && !table, "work on a prompt"},
        {"-f", set->prompt_file != NULL, reads, "work on a prompt"},
        {"--show-prompt", set->show_prompt, one, "one answer"},
        {"--stop", set->stops.n_items > 0, writes, "an answer"},
        {"--context-shift", set->context_shift, writes, "an answer"},
        {"--report", set->report, one, "one answer"},
        // It reads a block of memory that no plan counts.
        {"--probe", set->probe, one && !set->plan, "one answer"},
    };
    return check_rows(rows, sizeof rows / sizeof rows[0], err);
}
// @end verbs-answers

// @begin verbs-compare-quant
static lll_status check_compare_quant(const settings *set, lll_error *err)
{
    if (set->compare_quant == NULL)
        return LLL_OK;
    if (set->others.n_items < 1 || set->others.n_items >= QUANT_FILES
        || set->plan || set->fit || set->requantize != NULL)
        return lll_fail(err, LLL_ERR_USAGE, "--compare-quant wants 2 to %d "
                        "model files, as they are; --plan, --fit and "
                        "--requantize want one, with -m", QUANT_FILES);
    if (set->prompt_file != NULL && strcmp(set->prompt_file, "-") == 0)
        return lll_fail(err, LLL_ERR_USAGE, "--compare-quant reads its text "
                        "several times, and standard input comes once; put "
                        "it in a file");
    return LLL_OK;
}
// @end verbs-compare-quant

// @begin verbs-pairs
// Options that cannot be together.
static lll_status check_pairs(const settings *set, lll_error *err)
{
    if (set->requantize != NULL && set->compare != NULL)
        return lll_fail(err, LLL_ERR_USAGE, "--requantize is for one model, "
                        "with -m; leave it or --compare out");
    if (set->doctor && (set->requantize != NULL || set->plan || set->fit))
        return lll_fail(err, LLL_ERR_USAGE, "--doctor examines one file as "
                        "it is; leave --requantize, --plan and --fit out");
    if (set->resume != NULL && set->system != NULL)
        return lll_fail(err, LLL_ERR_USAGE, "the talk of --resume has its "
                        "system prompt already; leave -sys out");
    if (set->compare != NULL && (set->others.n_items != 1 || set->plan))
        return lll_fail(err, LLL_ERR_USAGE, "--compare wants two model "
                        "files, and --plan one, with -m");
    if (set->requantize != NULL && set->plan)
        return lll_fail(err, LLL_ERR_USAGE, "--requantize writes a file, and "
                        "--plan nothing; convert first, with chapter 7");
    if ((set->report || set->probe) && set->quiet && !set->json)
        return lll_fail(err, LLL_ERR_USAGE, "--report and --probe ask for a "
                        "report, and -q for none; leave one out");
    return LLL_OK;
}
// @end verbs-pairs

// @begin verbs-choose
static int texts_at_once(const settings *set)
{
    int asked = set->parallel > 0 ? (int)set->parallel : 8;
    return set->batch_file != NULL ? asked : 1;
}

lll_status verb_choose(const settings *set, verb *out, lll_error *err)
{
    const verb verbs[] = {
        {"--version", set->version, verb_version, 0},
        {"--doctor", set->doctor, verb_doctor, 0},
        {"--perplexity", set->perplexity != NULL, verb_perplexity,
         SCORED_AT_ONCE},
        {"--trace", set->trace != NULL, verb_trace, 1 << 16},
        {"--logits", set->logits, verb_logits, 1},
        {"--compare", set->compare != NULL, verb_compare, 0},
        {"--compare-quant", set->compare_quant != NULL, verb_compare_quant,
         0},
        {"--chat", set->chat, verb_chat, 1},
        {"--batch-file", set->batch_file != NULL, verb_batch,
         texts_at_once(set)},
        {"--embed", set->embed, verb_embed, 1},
        {NULL, true, verb_generate, 1},
    };
    // @end verbs-choose
    // @begin verbs-choose-2
    const verb *v = verbs;
    while (!v->wanted)
        v++;
    for (const verb *other = v; other->option != NULL; other++)
        if (other != v && other->wanted)
            return lll_fail(err, LLL_ERR_USAGE, "%s and %s each do another "
                            "thing; give one", v->option, other->option);
    lll_status status = check_companions(set, err);
    if (status == LLL_OK)
        status = check_answers(set, err);
    if (status == LLL_OK)
        status = check_compare_quant(set, err);
    if (status == LLL_OK)
        status = check_pairs(set, err);
    if (status == LLL_OK)
        *out = *v;
    if (status == LLL_OK && set->plan && v->n_outputs > 0)
        out->run = verb_plan;           // of what v would take
    return status;
}
// @end verbs-choose-2

// @begin verbs-open
static void note(const char *line)
{
    fprintf(stderr, "fit: %s\n", line);
}

session_options make_options(const settings *set)
{
    session_options options = session_defaults();
    options.n_ctx = (int)set->n_ctx;
    options.n_batch = (int)set->n_batch;
    options.n_threads = (int)set->n_threads;
    options.n_sequences = texts_at_once(set);
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
    return options;
}

lll_status open_session(session *s, const char *model, const settings *set,
                        int n_outputs, lll_error *err)
{
    session_options options = make_options(set);
    options.n_outputs = n_outputs;
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

// @begin verbs-input
// All of standard input, as far as the memory planned for a line goes.
static lll_status read_input(const session *s, const char **text, size_t *n,
                             lll_error *err)
{
    size_t most = s->model.text_bytes;
    *text = s->model.line;
    *n = fread(s->model.line, 1, most, stdin);
    if (*n < most || getchar() == EOF)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_OVERFLOW, "-f -: more than %zu bytes on "
                    "standard input, expected a prompt; use a larger -c, or "
                    "-f with a file", most);
}
// @end verbs-input

// @begin verbs-prompt
lll_status prompt_text(const session *s, const settings *set, file_map *map,
                       const char **text, size_t *n, lll_error *err)
{
    *map = (file_map){NULL, 0};
    if (set->prompt_file == NULL) {
        *text = set->prompt != NULL ? set->prompt : "A language model";
        *n = strlen(*text);
        return LLL_OK;
    }
    if (strcmp(set->prompt_file, "-") == 0)
        return read_input(s, text, n, err);
    lll_status status = file_map_open(map, set->prompt_file, err);
    *text = (const char *)map->bytes;
    *n = map->n_bytes;
    return status;
}
// @end verbs-prompt

// @begin verbs-lines
bool cut_line(const char **text, size_t *n_bytes, const char **line,
              size_t *n_line)
{
    if (*n_bytes == 0)
        return false;
    const char *end = memchr(*text, '\n', *n_bytes);
    size_t n = end != NULL ? (size_t)(end - *text) : *n_bytes;
    size_t taken = end != NULL ? n + 1 : n;
    *line = *text;
    *n_line = n > 0 && (*text)[n - 1] == '\r' ? n - 1 : n;
    *text += taken;
    *n_bytes -= taken;
    return true;
}
// @end verbs-lines

// @begin verbs-read
lll_status read_prompt(const session *s, const settings *set,
                       const int32_t **ids, size_t *n_ids, lll_error *err)
{
    file_map map;
    const char *text;
    size_t n;
    lll_status status = prompt_text(s, set, &map, &text, &n, err);
    if (status == LLL_OK)
        status = session_encode(s, text, n, ids, n_ids, err);
    if (status == LLL_OK && *n_ids == 0)
        status = lll_fail(err, LLL_ERR_ARGUMENT, "the prompt is empty: the "
                          "model needs a token to begin with");
    file_map_close(&map);
    return status;
}
// @end verbs-read

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
