// A description by question and answer.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chapters/02-parameter-calculator/calculator.h"

// @begin ask-line
// The conversation so far.
typedef struct {
    FILE *in;
    bool ended;                 // no more answers: everything stays
} dialogue;

// A line without its end; what does not fit is read and left out. False at
// the end of input.
static bool read_line(FILE *in, char *line, size_t capacity)
{
    size_t n = 0;
    int c = getc(in);
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(in))
        if (n < capacity - 1)
            line[n++] = c == '\0' ? '?' : (char)c;  // no end of a text
    line[n] = '\0';
    return true;
}
// @end ask-line

// @begin ask-question
// Show a question and read a line; false when the answer is empty, or there
// is none.
static bool ask(dialogue *d, const char *question, const char *keeps,
                char *answer, size_t capacity)
{
    if (d->ended)
        return false;
    fprintf(stderr, "%s [%s]: ", question, keeps);
    if (!read_line(d->in, answer, capacity)) {
        fprintf(stderr, "\nend of input: the rest stays as it is\n");
        d->ended = true;
        return false;
    }
    size_t start = strspn(answer, " \t"), n = strlen(answer + start);
    memmove(answer, answer + start, n + 1);
    while (n > 0 && strchr(" \t\r", answer[n - 1]) != NULL)
        answer[--n] = '\0';
    // A terminal has shown what was typed; a pipe shows nothing.
    if (!isatty(fileno(d->in)))
        fprintf(stderr, "%s\n", answer);
    return n > 0;
}
// @end ask-question

// @begin ask-kinds
static const model_family *ask_family(dialogue *d, const char *now)
{
    char answer[80];
    while (ask(d, "family (llama, gpt2, gptneox, stablelm)", now, answer,
               sizeof answer)) {
        if (config_family(answer) != NULL)
            return config_family(answer);
        fprintf(stderr, "found \"%s\", expected one of the four\n", answer);
    }
    return config_family(now);
}

static bool ask_yes(dialogue *d, const char *question, bool now)
{
    char answer[80];
    while (ask(d, question, now ? "yes" : "no", answer, sizeof answer)) {
        if (strcmp(answer, "yes") == 0 || strcmp(answer, "y") == 0)
            return true;
        if (strcmp(answer, "no") == 0 || strcmp(answer, "n") == 0)
            return false;
        fprintf(stderr, "found \"%s\", expected yes or no\n", answer);
    }
    return now;
}
// @end ask-kinds

// @begin ask-number
// A number from 1 to `highest` that divides `divides`, or 0 to keep `now`;
// where that is 0 there is nothing to keep.
static int64_t ask_number(dialogue *d, const char *question, int now,
                          int highest, int divides)
{
    char answer[80], keeps[16];
    snprintf(keeps, sizeof keeps, now > 0 ? "%d" : "needed", now);
    for (;;) {
        char *end = answer;
        if (!ask(d, question, keeps, answer, sizeof answer)) {
            if (now > 0 || d->ended)
                return 0;
            fprintf(stderr, "found nothing, expected ");
        } else {
            long value = strtol(answer, &end, 10);
            if (*end == '\0' && value >= 1 && value <= highest
                && divides % value == 0)
                return value;
            fprintf(stderr, "found \"%s\", expected ", answer);
        }
        if (divides > 0)
            fprintf(stderr, "a divisor of %d\n", divides);
        else
            fprintf(stderr, "a whole number from 1 to %d\n", highest);
    }
}
// @end ask-number

// @begin ask-sizes
static void ask_sizes(dialogue *d, const model_config *base, settings *set)
{
    const struct {
        const char *question;
        int64_t *answer;
        size_t field;
        int highest;
    } questions[] = {
        {"layers", &set->n_layers, offsetof(model_config, n_layers),
         CONFIG_MAX_LAYERS},
        {"width (d_model)", &set->d_model, offsetof(model_config, d_model),
         CONFIG_MAX_DIMENSION},
        {"query heads", &set->n_heads, offsetof(model_config, n_heads),
         CONFIG_MAX_DIMENSION},
        {"numbers of a head", &set->head_dim,
         offsetof(model_config, head_dim), CONFIG_MAX_HEAD},
        {"key-value heads", &set->n_kv_heads,
         offsetof(model_config, n_kv_heads), CONFIG_MAX_DIMENSION},
        {"feed-forward width", &set->d_ff, offsetof(model_config, d_ff),
         CONFIG_MAX_DIMENSION},
        {"vocabulary", &set->vocab_size, offsetof(model_config, vocab_size),
         CONFIG_MAX_DIMENSION},
        {"positions (block size)", &set->context_length,
         offsetof(model_config, context_length), CONFIG_MAX_DIMENSION},
    };
    // @end ask-sizes
    // @begin ask-sizes-2
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        // What is kept depends on the answers before. A width that the heads
        // do not divide keeps nothing: then the next question is answered.
        model_config now = *base;
        replace_sizes(&now, set);
        config_complete(&now, "", NULL);
        bool of_heads = questions[i].answer == &set->n_kv_heads;
        *questions[i].answer = ask_number(
            d, questions[i].question,
            *(const int *)((const char *)&now + questions[i].field),
            questions[i].highest, of_heads ? now.n_heads : 0);
    }
}
// @end ask-sizes-2

// @begin ask-model
lll_status ask_model(model_config *c, const settings *flags, FILE *in,
                     lll_error *err)
{
    dialogue d = {in, false};
    settings set = *flags;
    lll_status status = LLL_OK;
    const model_family *family = ask_family(&d, c->architecture);
    *c = family->kinds;
    status = config_complete(c, family->hf_name, err);
    ask_sizes(&d, c, &set);
    set.tied = ask_yes(&d, "output head tied to the embeddings",
                       c->tied_output);
    set.untied = !set.tied;
    set.bias = ask_yes(&d, "biases", c->qkv_bias);
    set.no_bias = !set.bias;
    strcpy(c->name, "from the dialogue");
    return status == LLL_OK ? change_model(c, &set, err) : status;
}
// @end ask-model
