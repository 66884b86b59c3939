#include "chapters/08-llama/options.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/generate.h"
#include "common/machine.h"

// @begin options-append
// Append a table to the program's list of options.
#define APPEND(list, n, table) \
    (memcpy((list) + (n), (table), sizeof (table)), \
     (n) + sizeof (table) / sizeof (table)[0])
// @end options-append

// @begin options-model
static size_t model_options(settings *s, args_option *list, size_t n)
{
    const args_option options[] = {
        ARGS_TEXT("-m", "--model", "FILE", &s->model, "GGUF file to run"),
        ARGS_TEXT(NULL, "--requantize", "TYPE", &s->requantize,
                  "run it as Q4_K_M or another; the result is kept"),
        ARGS_TEXT(NULL, "--cache-dir", "DIR", &s->cache_dir,
                  "there, not in ~/.cache/llama-line-by-line"),
    };
    return APPEND(list, n, options);
}
// @end options-model

// @begin options-work
static size_t work_options(settings *s, args_option *list, size_t n)
{
    const args_option options[] = {
        ARGS_TEXT("-p", "--prompt", "TEXT", &s->prompt,
                  "text to continue, taken as it is, special tokens too"),
        ARGS_TEXT("-f", "--file", "FILE", &s->prompt_file,
                  "read the prompt from a file; - is standard input"),
        ARGS_HEADING("What to do (default: continue the prompt)"),
        ARGS_FLAG(NULL, "--chat", &s->chat, "answer as a partner in a talk"),
        ARGS_TEXT(NULL, "--compare", "A B", &s->compare,
                  "talk with two model files side by side"),
        ARGS_TEXT(NULL, "--compare-quant", "A B", &s->compare_quant,
                  "size, error, quality and speed of files of one model"),
        ARGS_TEXT("-sys", "--system-prompt", "TEXT", &s->system,
                  "who the partner is, for --chat (default: the file's)"),
        ARGS_TEXT(NULL, "--chat-template", "NAME", &s->chat_template,
                  "how it marks who speaks (default: as the file says)"),
        ARGS_TEXT(NULL, "--save", "FILE", &s->save,
                  "write the talk there when it ends"),
        ARGS_TEXT(NULL, "--resume", "FILE", &s->resume,
                  "go on with a talk that was saved"),
        // @end options-work
        // @begin options-work-2
        ARGS_FLAG(NULL, "--show-prompt", &s->show_prompt,
                  "show the tokens that it is fed (-n 0: only them)"),
        ARGS_FLAG(NULL, "--logits", &s->logits,
                  "print the ten best next tokens"),
        ARGS_TEXT(NULL, "--perplexity", "FILE", &s->perplexity,
                  "score a text, in windows of the context's length"),
        ARGS_TEXT(NULL, "--importance", "FILE", &s->importance, "note what "
                  "columns met there, for chapter 7's convert --importance"),
        ARGS_TEXT(NULL, "--trace", "FILE", &s->trace,
                  "write every intermediate of the prompt to a GGUF file"),
        ARGS_FLAG(NULL, "--doctor", &s->doctor,
                  "look for what is wrong with a model file"),
        ARGS_FLAG(NULL, "--plan", &s->plan,
                  "print what all this takes of memory, and stop"),
    };
    return APPEND(list, n, options);
}
// @end options-work-2

// @begin options-many
static size_t many_options(settings *s, args_option *list, size_t n)
{
    const args_option options[] = {
        ARGS_TEXT(NULL, "--batch-file", "FILE", &s->batch_file,
                  "answer each line of a file, many of them at once, all "
                  "with one seed; --json says why each answer ended"),
        ARGS_INT("-np", "--parallel", "N", &s->parallel, 0, MOST_PARALLEL,
                 "how many of them (0: 8)"),
        ARGS_FLAG(NULL, "--embed", &s->embed,
                  "print the text as a vector, or each line of -f"),
        ARGS_TEXT(NULL, "--pooling", "NAME", &s->pooling, "made of its "
                  "tokens' vectors: mean, last, or none, which keeps each"),
        ARGS_FLAG(NULL, "--unscaled", &s->unscaled,
                  "leave its length as it is, not 1"),
    };
    return APPEND(list, n, options);
}
// @end options-many

// @begin options-sampling
static size_t sampling_options(settings *s, args_option *list, size_t n)
{
    const args_option options[] = {
        ARGS_HEADING("Choosing tokens"),
        ARGS_REAL(NULL, "--temp", "T", &s->sampling.temperature, 0, 100,
                  "temperature; 0 takes the most likely token"),
        ARGS_INT(NULL, "--top-k", "K", &s->top_k, 0, 1 << 24,
                 "keep the K most likely tokens (0: all)"),
        ARGS_REAL(NULL, "--typical", "P", &s->sampling.typical, 0, 1,
                  "keep those that surprise as expected, up to P (1: all)"),
        ARGS_REAL(NULL, "--top-p", "P", &s->sampling.top_p, 0, 1,
                  "keep the fewest tokens that reach this probability"),
        ARGS_REAL(NULL, "--min-p", "P", &s->sampling.min_p, 0, 1,
                  "drop tokens below this share of the most likely"),
        ARGS_REAL(NULL, "--repeat-penalty", "X", &s->sampling.repeat_penalty,
                  0.01, 100, "make recent tokens less likely (1: off)"),
        ARGS_REAL(NULL, "--presence-penalty", "X",
                  &s->sampling.presence_penalty, -100, 100,
                  "take X off the logit of a recent token"),
        ARGS_REAL(NULL, "--frequency-penalty", "X",
                  &s->sampling.frequency_penalty, -100, 100,
                  "take X off it each time that it is there"),
        ARGS_INT(NULL, "--repeat-last-n", "N", &s->repeat_last_n, -1,
                 1 << 24, "how many tokens count as recent (-1: all)"),
        ARGS_INT("-s", "--seed", "N", &s->seed, -1, 4294967295.0,
                 "of the random choices (-1: from the clock)"),
    };
    return APPEND(list, n, options);
}
// @end options-sampling

// @begin options-ending
static size_t ending_options(settings *s, args_option *list, size_t n)
{
    const args_option options[] = {
        ARGS_HEADING("How long to go on, and what to write"),
        ARGS_INT("-n", "--predict", "N", &s->n_predict, -1, 1 << 24,
                 "tokens to generate at most (-1: while there is room)"),
        ARGS_TEXTS("-r", "--stop", "TEXT", &s->stops,
                   "end before this text; may be given several times"),
        ARGS_FLAG(NULL, "--context-shift", &s->context_shift,
                  "at its end drop half of the context and go on, "
                  "approximately"),
        ARGS_INT(NULL, "--keep", "N", &s->keep, 0, 1 << 24,
                 "tokens at the beginning that it never drops"),
        ARGS_FLAG(NULL, "--ignore-eos", &s->ignore_end,
                  "go on after the model ends, for measuring"),
        ARGS_FLAG(NULL, "--special", &s->special,
                  "write special tokens as their names"),
    };
    return APPEND(list, n, options);
}
// @end options-ending

// @begin options-machine
static size_t machine_options(settings *s, args_option *list, size_t n)
{
    const args_option options[] = {
        ARGS_HEADING("The machine"),
        ARGS_INT("-c", "--ctx-size", "N", &s->n_ctx, 0, 1 << 24,
                 "positions of the context (0: the model's, at most 4096)"),
        ARGS_INT("-b", "--batch-size", "N", &s->n_batch, 1, 1 << 16,
                 "tokens of a prompt that go through together"),
        ARGS_INT("-t", "--threads", "N", &s->n_threads, 0, 1024,
                 "threads (0: one for each core)"),
        ARGS_TEXT(NULL, "--activations", "TYPE", &s->activations,
                  "q8: int8 products; f32: floats, for comparing"),
        ARGS_TEXT("-ctk", "--cache-type", "TYPE", &s->cache_type,
                  "of keys and values: f32, f16 or q8_0"),
        ARGS_TEXT(NULL, "--isa", "NAME", &s->isa,
                  "instruction set of the kernels; scalar is the book's"),
        ARGS_FLAG(NULL, "--fit", &s->fit,
                  "step down, context first, until memory suffices"),
        ARGS_TEXT(NULL, "--pre", "NAME", &s->pre,
                  "cut text as this pre-tokenizer does, not the file's"),
        ARGS_HEADING("Output"),
        ARGS_FLAG(NULL, "--json", &s->json, "print the result as JSON"),
        ARGS_FLAG(NULL, "--report", &s->report,
                  "say what the answer cost: times, memory, bytes read"),
        ARGS_FLAG(NULL, "--probe", &s->probe,
                  "measure what memory delivers, and compare (seconds)"),
        ARGS_FLAG("-q", "--quiet", &s->quiet, "no report"),
        ARGS_FLAG(NULL, "--version", &s->version,
                  "name the kernels built in and the one in use"),
    };
    return APPEND(list, n, options);
}
// @end options-machine

// @begin options-list
size_t settings_list(settings *s, args_option *list)
{
    size_t n = model_options(s, list, 0);
    n = work_options(s, list, n);
    n = many_options(s, list, n);
    n = sampling_options(s, list, n);
    n = ending_options(s, list, n);
    return machine_options(s, list, n);
}
// @end options-list

// @begin options-defaults
settings settings_defaults(void)
{
    sampler_params sampling = sampler_defaults();
    return (settings){
        .model = TINY_MODEL, .sampling = sampling,
        .n_predict = generate_defaults().max_tokens,
        .seed = -1, .keep = 4, .top_k = sampling.top_k,
        .repeat_last_n = sampling.repeat_last_n, .n_batch = 512,
        .activations = "q8",
    };
}
// @end options-defaults

// @begin options-check
lll_status settings_check(settings *s, lll_error *err)
{
    if (strcmp(s->activations, "q8") != 0
        && strcmp(s->activations, "f32") != 0)
        return lll_fail(err, LLL_ERR_USAGE,
                        "--activations %s: expected q8 or f32",
                        s->activations);
    if (s->prompt != NULL && s->prompt_file != NULL)
        return lll_fail(err, LLL_ERR_USAGE,
                        "-p and -f both give a prompt; leave one out");
    for (int i = 0; i < s->stops.n_items; i++)
        if (s->stops.items[i][0] == '\0')
            return lll_fail(err, LLL_ERR_USAGE,
                            "--stop with an empty text would end everything "
                            "at once");
    s->sampling.top_k = (int)s->top_k;
    s->sampling.repeat_last_n = (int)s->repeat_last_n;
    s->sampling.seed = s->seed >= 0 ? (uint64_t)s->seed
                     : ((uint64_t)time(NULL) * 2654435761u
                        ^ (uint64_t)(1e9 * machine_seconds())
                        ^ (uint64_t)getpid()) & 0xffffffffu;
    return LLL_OK;
}
// @end options-check
