#include "common/generate.h"

#include <string.h>

#include "common/machine.h"

// @begin generate-reason
const char *finish_reason_name(finish_reason reason)
{
    static const char *const names[] = {"stop", "length", "stop string",
                                        "interrupted"};
    return names[reason];
}
// @end generate-reason

// @begin generate-history
int32_t *generate_history(const llama *model, int sequence)
{
    return model->history + (size_t)sequence * (size_t)model->request.n_ctx;
}

// Append n tokens, at most a batch of them, to a sequence and its history.
static lll_status feed(llama *m, int sequence, const int32_t *ids, size_t n,
                       bool last, const float **logits, lll_error *err)
{
    int32_t *end = generate_history(m, sequence)
                   + m->caches[sequence].length;
    llama_batch batch = {.n_tokens = (int)n, .ids = ids,
                         .sequence = sequence, .without_logits = !last};
    memcpy(end, ids, n * sizeof *ids);
    return llama_forward(m, &batch, logits, err);
}
// @end generate-history

// @begin generate-prefill
lll_status generate_prefill(llama *model, int sequence, const int32_t *ids,
                            size_t n_ids,
                            const volatile sig_atomic_t *interrupted,
                            const float **logits, lll_error *err)
{
    kv_cache *cache = &model->caches[sequence];
    size_t n_batch = (size_t)model->request.n_batch, n;
    int before = cache->length;
    if (n_ids == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "the prompt is empty: the model needs a token to "
                        "begin with");
    if (n_ids > (size_t)(cache->capacity - cache->length))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "a prompt of %zu tokens after %d does not fit in a "
                        "context of %d; use a larger -c or a shorter prompt",
                        n_ids, cache->length, cache->capacity);
    lll_status s = LLL_OK;
    for (size_t done = 0; done < n_ids && s == LLL_OK; done += n) {
        n = n_ids - done < n_batch ? n_ids - done : n_batch;
        if (interrupted != NULL && *interrupted)
            s = lll_fail(err, LLL_ERR_INTERRUPTED, "interrupted after %zu "
                         "of %zu tokens of the prompt", done, n_ids);
        else
            s = feed(model, sequence, ids + done, n, done + n == n_ids,
                     logits, err);
    }
    if (s != LLL_OK)
        kv_cache_truncate(cache, before);
    return s;
}
// @end generate-prefill

// @begin generate-room
// Is there room for n more tokens? With context_shift it is made.
static bool make_room(llama *m, const generate_options *o, size_t n,
                      generate_report *report)
{
    kv_cache *cache = &m->caches[o->sequence];
    int32_t *history = generate_history(m, o->sequence);
    size_t most = (size_t)(cache->capacity - o->keep);
    while ((size_t)(cache->capacity - cache->length) < n) {
        if (!o->context_shift || n > most)
            return false;
        int drop = (cache->length - o->keep + 1) / 2;
        int left = cache->length - o->keep - drop;
        memmove(history + o->keep, history + o->keep + drop,
                (size_t)left * sizeof *history);
        llama_remove(m, o->sequence, o->keep, drop);
        report->dropped += drop;
    }
    return true;
}
// @end generate-room

// @begin generate-stream
// Text between the model and the caller. Its end is held back as long as it
// could be the beginning of a stop string.
typedef struct {
    const generate_options *options;
    const tokenizer *words;
    utf8_stream characters;
    char *held;             // in the model's memory
    size_t n_held, capacity;
} text_stream;

// Length of the longest end of the held text that begins a stop string.
static size_t could_be_stop(const text_stream *s)
{
    size_t longest = 0;
    for (int i = 0; i < s->options->n_stops; i++) {
        size_t n = strlen(s->options->stops[i]);
        for (size_t k = n < s->n_held ? n : s->n_held; k > longest; k--)
            if (memcmp(s->held + s->n_held - k, s->options->stops[i], k)
                == 0)
                longest = k;
    }
    return longest;
}
// @end generate-stream

// @begin generate-find-stop
// Where the first stop string begins in the held text, or n_held.
static size_t find_stop(const text_stream *s)
{
    for (size_t at = 0; at < s->n_held; at++)
        for (int i = 0; i < s->options->n_stops; i++) {
            size_t n = strlen(s->options->stops[i]);
            if (n > 0 && n <= s->n_held - at
                && memcmp(s->held + at, s->options->stops[i], n) == 0)
                return at;
        }
    return s->n_held;
}

static void emit(text_stream *s, size_t n)
{
    if (n > 0 && s->options->on_text != NULL)
        s->options->on_text(s->options->context, s->held, n);
    s->n_held -= n;
    memmove(s->held, s->held + n, s->n_held);
}
// @end generate-find-stop

// @begin generate-open
static lll_status open_stream(text_stream *s, const llama *m,
                              const generate_options *o,
                              const tokenizer *words, lll_error *err)
{
    *s = (text_stream){.options = o, .words = words, .held = m->held,
                       .capacity = m->plan.bytes[PLAN_HELD]};
    // Room for the longest stop text and a token's bytes, three for each
    // that is no character.
    if (s->capacity < PLAN_STOP_BYTES + 3 * (words->longest_token + 4))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "tokens of up to %zu bytes, expected a plan made for "
                        "this vocabulary", words->longest_token);
    if (o->context_shift
        && (o->keep < 0 || o->keep >= m->request.n_ctx))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "%d tokens are to be kept, expected 0 to %d, fewer "
                        "than the context has; use a smaller --keep or a "
                        "larger -c", o->keep, m->request.n_ctx - 1);
    for (int i = 0; i < o->n_stops; i++)
        if (strlen(o->stops[i]) > PLAN_STOP_BYTES)
            return lll_fail(err, LLL_ERR_ARGUMENT,
                            "a stop text of %zu bytes, expected at most %d",
                            strlen(o->stops[i]), PLAN_STOP_BYTES);
    return LLL_OK;
}
// @end generate-open

// @begin generate-push
// Take in a token's text and let out what is safe. True at a stop string.
static bool push_token(text_stream *s, int32_t id)
{
    s->n_held += utf8_stream_push(&s->characters, s->words, id,
                                  s->options->special, s->held + s->n_held,
                                  s->capacity - s->n_held);
    size_t stop = find_stop(s);
    if (stop < s->n_held) {
        emit(s, stop);
        s->n_held = 0;                  // what follows is not written, not
        s->characters.n_held = 0;       // even half a character
        return true;
    }
    emit(s, s->n_held - could_be_stop(s));
    return false;
}

static void close_stream(text_stream *s)
{
    s->n_held += utf8_stream_flush(&s->characters, s->held + s->n_held,
                                   s->capacity - s->n_held);
    emit(s, s->n_held);
}
// @end generate-push

// @begin generate-loop
// Choose and feed tokens until something says stop. `logits` are those of
// the last token in the cache.
static lll_status decode(llama *m, text_stream *out, const float *logits,
                         double start, generate_report *report,
                         lll_error *err)
{
    const generate_options *o = out->options;
    kv_cache *cache = &m->caches[o->sequence];
    const int32_t *history = generate_history(m, o->sequence);
    sampler choose;
    sampler_init(&choose, &o->sampling, m->candidates, m->config.vocab_size);
    report->reason = FINISH_LENGTH;
    double before = start, now;
    while (o->max_tokens < 0 || report->completion_tokens < o->max_tokens) {
        if (o->interrupted != NULL && *o->interrupted) {
            report->reason = FINISH_INTERRUPTED;
            return LLL_OK;
        }
        // @end generate-loop
        // @begin generate-token
        int32_t id = sampler_choose(&choose, logits, history, cache->length);
        if (choose.no_number >= 0)
            return lll_fail(err, LLL_ERR_FORMAT,
                            "the model's logits after %d tokens are not "
                            "numbers, that of token %d first: a weight of "
                            "the file is NaN or infinite", cache->length,
                            choose.no_number);
        now = machine_seconds();
        if (report->completion_tokens++ == 0)
            report->first_token_seconds = now - start;
        else {
            latency_add(&report->token_times, now - before);
            report->decode_seconds += now - before;
        }
        before = now;
        if (!o->ignore_end && tokenizer_is_end(out->words, id)) {
            report->reason = FINISH_STOP;
            return LLL_OK;
        }
        bool last = report->completion_tokens == o->max_tokens;
        if (push_token(out, id)) {
            report->reason = FINISH_STOP_STRING;
            last = true;
        }
        // The last token is fed only when something will follow it.
        if ((last && !o->continues) || !make_room(m, o, 1, report))
            return LLL_OK;
        lll_status s = feed(m, o->sequence, &id, 1, true, &logits, err);
        if (s != LLL_OK || last)
            return s;
        report->positions += (uint64_t)cache->length;
    }
    return LLL_OK;
}
// @end generate-token

// @begin generate-prompt
// Feed the prompt. report->reason tells when that was the end of it already.
static lll_status feed_prompt(llama *m, const generate_options *o,
                              const int32_t *prompt, size_t n,
                              const float **logits, generate_report *report,
                              bool *ended, lll_error *err)
{
    kv_cache *cache = &m->caches[o->sequence];
    *ended = true;
    if (!make_room(m, o, n, report) && cache->length > 0
        && n <= (size_t)cache->capacity) {
        report->reason = FINISH_LENGTH;
        return LLL_OK;
    }
    report->prompt_tokens = (int)n;
    lll_status s = generate_prefill(m, o->sequence, prompt, n,
                                    o->interrupted, logits, err);
    if (s == LLL_ERR_INTERRUPTED) {
        report->reason = FINISH_INTERRUPTED;
        return LLL_OK;
    }
    *ended = false;
    return s;
}
// @end generate-prompt

// @begin generate
lll_status generate(llama *model, const tokenizer *words,
                    const int32_t *prompt, size_t n_prompt,
                    const generate_options *options,
                    generate_report *report, lll_error *err)
{
    double start = machine_seconds();
    const float *logits;
    bool ended;
    text_stream out;
    generate_report r = {.prompt_tokens = 0};
    lll_status s = open_stream(&out, model, options, words, err);
    if (s == LLL_OK)
        s = feed_prompt(model, options, prompt, n_prompt, &logits, &r,
                        &ended, err);
    if (s == LLL_OK && !ended) {
        r.prefill_seconds = machine_seconds() - start;
        s = decode(model, &out, logits, start, &r, err);
        close_stream(&out);
    }
    if (s == LLL_OK)
        *report = r;
    return s;
}
// @end generate
