#include "common/generate.h"

#include <string.h>

#include "common/machine.h"
#include "common/threads.h"

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

// @begin generate-check-prompt
static lll_status check_prompt(const kv_cache *cache, size_t n_ids,
                               lll_error *err)
{
    if (n_ids == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "the prompt is empty: the model needs a token to "
                        "begin with");
    if (n_ids > (size_t)(cache->capacity - cache->length))
        return lll_fail(err, LLL_ERR_ARGUMENT,
                        "a prompt of %zu tokens after %d does not fit in a "
                        "context of %d; use a larger -c or a shorter prompt",
                        n_ids, cache->length, cache->capacity);
    return LLL_OK;
}
// @end generate-check-prompt

// @begin generate-prefill
lll_status generate_prefill(llama *model, int sequence, const int32_t *ids,
                            size_t n_ids,
                            const volatile sig_atomic_t *interrupted,
                            const float **logits, lll_error *err)
{
    kv_cache *cache = &model->caches[sequence];
    size_t n_batch = (size_t)model->request.n_batch, n;
    int before = cache->length;
    lll_status s = check_prompt(cache, n_ids, err);
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

// @begin generate-check
// Is there room for the longest stop text and a token's bytes, three for each
// that is no character? And is what was asked for possible?
static lll_status check_options(const llama *m, const generate_options *o,
                                const tokenizer *words, lll_error *err)
{
    int n = m->request.n_sequences;
    if (o->sequence < 0 || o->sequence >= n)
        return lll_fail(err, LLL_ERR_ARGUMENT, "sequence %d, expected 0 to "
                        "%d", o->sequence, n - 1);
    if (m->plan.bytes[PLAN_HELD] / (size_t)n
        < PLAN_STOP_BYTES + 3 * (words->longest_token + 4))
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
// @end generate-check

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

// @begin generation-begin
lll_status generation_begin(generation *g, llama *model,
                            const tokenizer *words, const int32_t *prompt,
                            size_t n_prompt, const generate_options *options,
                            lll_error *err)
{
    llama *m = model;
    int sequence = options->sequence;
    size_t room = m->plan.bytes[PLAN_HELD] / (size_t)m->request.n_sequences;
    *g = (generation){.options = *options, .start = machine_seconds(),
                      .ended = true, .report = {.reason = FINISH_LENGTH}};
    lll_status s = check_options(m, options, words, err);
    if (s != LLL_OK)
        return s;
    kv_cache *cache = &m->caches[sequence];
    // What fits no more in a talk ends it.
    if (!make_room(m, options, n_prompt, &g->report) && cache->length > 0
        && n_prompt <= (size_t)cache->capacity)
        return LLL_OK;
    s = check_prompt(cache, n_prompt, err);
    if (s != LLL_OK)
        return s;
    memmove(generate_history(m, sequence) + cache->length, prompt,
            n_prompt * sizeof *prompt);
    g->report.prompt_tokens = g->waiting = (int)n_prompt;
    g->before = cache->length;
    g->ended = false;
    g->out = (text_stream){.options = &g->options, .words = words,
                           .held = m->held + (size_t)sequence * room,
                           .capacity = room};
    sampler_init(&g->choose, &options->sampling, (candidate *)m->candidates
                 + (size_t)sequence * (size_t)m->config.vocab_size,
                 m->config.vocab_size);
    return LLL_OK;
}
// @end generation-begin

// @begin generation-end
static void end(generation *g)
{
    close_stream(&g->out);
    g->ended = true;
}

static bool interrupted(const generation *g)
{
    return g->options.interrupted != NULL && *g->options.interrupted;
}

// A prompt is in the cache, or it is not: take back what is in.
static void leave_prompt(llama *m, generation *g)
{
    if (g->report.completion_tokens == 0)
        kv_cache_truncate(&m->caches[g->options.sequence], g->before);
    end(g);
}
// @end generation-end

// @begin generation-gather
// Put the next tokens of a text into the batch, at most n of them.
static void put_tokens(llama *m, generation *g, int n, llama_batch *batch)
{
    size_t most = (size_t)m->request.n_batch;
    int sequence = g->options.sequence, first = batch->n_tokens;
    const int32_t *ids = generate_history(m, sequence)
                         + m->caches[sequence].length;
    batch->n_tokens += n;
    g->waiting -= n;
    if (m->request.n_sequences == 1) {      // they stand side by side already
        batch->ids = ids;
        batch->without_logits = g->waiting > 0;
        return;
    }
    int32_t *sequences = m->gathered + most;
    uint8_t *wants = (uint8_t *)(sequences + most);
    memcpy(m->gathered + first, ids, (size_t)n * sizeof *ids);
    for (int i = first; i < batch->n_tokens; i++) {
        sequences[i] = sequence;
        wants[i] = g->waiting == 0 && i + 1 == batch->n_tokens;
    }
    batch->ids = m->gathered;
    batch->sequences = sequences;
    batch->wants_logits = wants;
}
// @end generation-gather

// @begin generation-share
static bool goes_on(const generation *g)
{
    return !g->ended && !g->paused;
}

// Share out a batch: tokens of answers and of prompts alike, and a prompt
// leaves a place for each text behind it.
static void gather(llama *m, generation *texts, int n, llama_batch *batch)
{
    int behind = 0, rows = 0;
    for (int i = 0; i < n; i++)
        behind += goes_on(&texts[i]);
    for (int i = 0; i < n; i++) {
        generation *g = &texts[i];
        int left = m->request.n_batch - batch->n_tokens;
        g->row = -1;
        if (!goes_on(g) || left == 0)
            continue;
        int share = left - --behind > 0 ? left - behind : 1;
        put_tokens(m, g, g->waiting < share ? g->waiting : share, batch);
        if (g->waiting == 0)
            g->row = rows++;
    }
}
// @end generation-share

// @begin generation-choose
// Texts whose tokens are all in, and whose next is chosen: each by a thread,
// for a vocabulary is a long list.
typedef struct {
    llama *m;
    generation *texts;
    const float *logits;
} choose_job;

static void choose_piece(void *context, int piece, int worker)
{
    const choose_job *job = context;
    generation *g = &job->texts[piece];
    int sequence = g->options.sequence;
    (void)worker;
    if (g->row >= 0)
        g->chosen = sampler_choose(
            &g->choose, job->logits
            + (size_t)g->row * (size_t)job->m->config.vocab_size,
            generate_history(job->m, sequence),
            job->m->caches[sequence].length);
}

// @end generation-choose

// @begin generation-look
// Before: is anything to be chosen?
static void look(generation *g, double now)
{
    generate_report *r = &g->report;
    if (r->completion_tokens == 0)
        r->prefill_seconds = now - g->start;
    bool enough = g->last || r->completion_tokens == g->options.max_tokens;
    if (!enough && interrupted(g))
        r->reason = FINISH_INTERRUPTED;
    else if (!enough)
        return;
    g->row = -1;
    end(g);
}
// @end generation-look

// @begin generation-time
static void note_time(generation *g, int length)
{
    generate_report *r = &g->report;
    double now = machine_seconds();
    if (r->completion_tokens++ == 0) {
        r->first_token_seconds = now - g->start;
    } else {
        latency_add(&r->token_times, now - g->latest);
        r->decode_seconds += now - g->latest;
        r->positions += (uint64_t)length;
    }
    g->latest = now;
}
// @end generation-time

// @begin generation-accept
// After: write the chosen token, and let it wait for the next pass.
static void accept(llama *m, generation *g)
{
    const generate_options *o = &g->options;
    const kv_cache *cache = &m->caches[o->sequence];
    if (g->choose.no_number >= 0) {
        g->status = lll_fail(&g->error, LLL_ERR_FORMAT,
                             "the model's logits after %d tokens are not "
                             "numbers, that of token %d first: a weight of "
                             "the file is NaN or infinite", cache->length,
                             g->choose.no_number);
        end(g);
        return;
    }
    note_time(g, cache->length);
    if (!o->ignore_end && tokenizer_is_end(g->out.words, g->chosen)) {
        g->report.reason = FINISH_STOP;
        end(g);
        return;
    }
    g->last = g->report.completion_tokens == o->max_tokens;
    if (push_token(&g->out, g->chosen)) {
        g->report.reason = FINISH_STOP_STRING;
        g->last = true;
    }
    // The last token is fed only when something will follow it.
    if ((g->last && !o->continues) || !make_room(m, o, 1, &g->report)) {
        end(g);
        return;
    }
    generate_history(m, o->sequence)[cache->length] = g->chosen;
    g->waiting = 1;
}
// @end generation-accept

// @begin generation-pass
lll_status generation_pass(llama *model, generation *texts, int n,
                           lll_error *err)
{
    llama_batch batch = {.sequence = texts[0].options.sequence};
    choose_job job = {.m = model, .texts = texts};
    for (int i = 0; i < n; i++)
        if (goes_on(&texts[i]) && texts[i].report.completion_tokens == 0
            && interrupted(&texts[i])) {
            texts[i].report.reason = FINISH_INTERRUPTED;
            leave_prompt(model, &texts[i]);
        }
    gather(model, texts, n, &batch);
    if (batch.n_tokens == 0)
        return LLL_OK;
    lll_status s = llama_forward(model, &batch, &job.logits, err);
    double now = machine_seconds();
    for (int i = 0; i < n; i++)
        if (s != LLL_OK && !texts[i].ended)
            leave_prompt(model, &texts[i]);
        else if (texts[i].row >= 0)
            look(&texts[i], now);
    if (s != LLL_OK)
        return s;
    threads_run(model->products.team, choose_piece, &job, n);
    for (int i = 0; i < n; i++)
        if (texts[i].row >= 0)
            accept(model, &texts[i]);
    return LLL_OK;
}
// @end generation-pass

// @begin generate
generate_options generate_defaults(void)
{
    return (generate_options){.sampling = sampler_defaults(),
                              .max_tokens = 256};
}

lll_status generate(llama *model, const tokenizer *words,
                    const int32_t *prompt, size_t n_prompt,
                    const generate_options *options,
                    generate_report *report, lll_error *err)
{
    generation g;
    lll_status s = generation_begin(&g, model, words, prompt, n_prompt,
                                    options, err);
    while (s == LLL_OK && !g.ended)
        s = generation_pass(model, &g, 1, err);
    if (s == LLL_OK && g.status != LLL_OK)
        return lll_fail(err, g.status, "%s", g.error.text);
    if (s == LLL_OK && report != NULL)
        *report = g.report;
    return s;
}
// @end generate
