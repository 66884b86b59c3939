// How a model foresees a text, as its file describes it and otherwise.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/doctor.h"
#include "common/doctor_trial.h"
#include "common/score.h"

// @begin doctor-words
// The beginning of data/tiny.txt, which the tiny model was made from; any
// plain English does for the others.
static const char TEXT[] =
    "A language model is a patient reader. It has read a great deal, and all "
    "that it has learnt is kept in a long list of numbers. Give it the "
    "beginning of a sentence, and it will tell you how likely each word is "
    "to come next. That is all it does. The rest is done by asking again.\n\n"
    "Imagine that you read a story aloud and stop in the middle of a line. A "
    "child who has heard the story before will say the next word. The child "
    "does not look it up in a book. The words that came before make the next "
    "word easy to say. A model works in the same way: the words that came "
    "before make some words likely and other words unlikely.\n\n"
    "Before a model can read, the text is cut into small pieces. The pieces "
    "are called tokens. A short word is often one token, and a long word is "
    "cut into two or three.";
enum { TEXT_IDS = 200 };        // so many of its tokens, at most
// @end doctor-words

// @begin doctor-limits
// Another way is clearly better where it takes this much off the mean of
// -log p, about what storing weights in four bits puts on it, and where the
// gain is so many times its own standard error. Models without a fault gain
// 2.5 errors at most (tiny.gguf), and those that are read wrongly 5.6 and
// more: from an epsilon of 1e-2 to exchanged matrices (32).
static const double CLEAR_GAIN = 0.05, CLEAR_ERRORS = 4;
// A loss above this share of what a fair choice among all tokens has: the
// model has not learnt such texts, and no way to read it is better.
static const double LEARNT = 0.9;
// A text that comes a second time is copied by a model that was trained,
// with a loss below this share of the first time's, known words or not.
static const double COPIED = 0.5;
// @end doctor-limits

// @begin doctor-measure
typedef struct {
    doctor_report *report;
    session *s;
    int32_t ids[2 * TEXT_IDS];
    size_t n_ids;               // of the text
    double fair;                // loss of a fair choice among all tokens
    double loss;                // mean -log p of the model as it is now
    double given[2 * TEXT_IDS]; // and log p of each token but the first
    doctor_trials trials;
    void (*progress)(void *context, double share);
    void *context;
} patient;

static lll_status measure(patient *p, size_t n_ids, double *each,
                          double *loss, lll_error *err)
{
    text_score score = {.each = each};
    lll_status status = score_window(&p->s->model, 0, p->ids, n_ids, &score,
                                     err);
    if (status == LLL_OK)
        status = score_finish(&score, err);
    // Read wrongly, finite weights can give what is no number.
    if (status == LLL_OK || status == LLL_ERR_FORMAT)
        *loss = status == LLL_OK ? score.nll : INFINITY;
    return status == LLL_ERR_FORMAT ? LLL_OK : status;
}
// @end doctor-measure

// @begin doctor-try
// What the text loses or gains when the trial takes the model's place.
static lll_status try_out(patient *p, doctor_trial *t, lll_error *err)
{
    double each[2 * TEXT_IDS], square = 0;
    size_t n = p->n_ids - 1;
    doctor_exchange(&p->trials, t, &p->s->model);
    lll_status status = measure(p, p->n_ids, each, &t->loss, err);
    doctor_exchange(&p->trials, t, &p->s->model);
    if (status != LLL_OK)
        return status;
    t->gain = p->loss - t->loss;
    // Token by token: the same token is hard both ways, and what is common
    // to both cancels.
    for (size_t i = 0; i < n; i++) {
        double off = each[i] - p->given[i] - t->gain;
        square += off * off;
    }
    t->error = isfinite(square) ? sqrt(square / (double)n / (double)n) : 0;
    return LLL_OK;
}

// @end doctor-try

// @begin doctor-better
// Of two that are clear, the better; but what is published comes first where
// both do as well.
static bool is_better(const doctor_trial *t, const doctor_trial *best)
{
    return best == NULL
           || t->loss - (t->published ? CLEAR_GAIN : 0)
              < best->loss - (best->published ? CLEAR_GAIN : 0);
}

static double clear_of(const doctor_trial *t)
{
    return fmax(CLEAR_GAIN, CLEAR_ERRORS * t->error);
}

static bool is_clear(const patient *p, const doctor_trial *t)
{
    return t->gain > clear_of(t) && t->loss < LEARNT * p->fair;
}
// @end doctor-better

// @begin doctor-words-of-trial
// Has a published model of this shape what the file says?
static bool is_usual(const doctor_trials *all, doctor_check check)
{
    return (check == DOCTOR_BASE && all->base_usual)
           || (check == DOCTOR_EPSILON && all->epsilon_usual);
}

static const char *way(const doctor_trial *t, char *text, size_t capacity)
{
    if (t->check != DOCTOR_BASE && t->check != DOCTOR_EPSILON)
        return t->name;
    if (t->published)
        snprintf(text, capacity, "%g, as %s", t->value, t->name);
    else
        snprintf(text, capacity, "%g", t->value);
    return text;
}

static void put_trial(patient *p, doctor_verdict verdict,
                      const doctor_trial *t)
{
    static const char *const more[] = {
        [DOCTOR_UNSEEN] = "; this text does not tell", [DOCTOR_GOOD] = "",
        [DOCTOR_UNUSUAL] = "; no model that is known here has such a number",
        [DOCTOR_SICK] = ""};
    char name[96], own[64] = "as it is";
    const model_config *c = &p->s->model.config;
    if (t->check == DOCTOR_BASE || t->check == DOCTOR_EPSILON)
        snprintf(own, sizeof own, "%g%s",
                 t->check == DOCTOR_BASE ? c->rope_theta : c->norm_eps,
                 is_usual(&p->trials, t->check) ? ", as published" : "");
    doctor_put(p->report, t->check, verdict, "%s: loss %.3f; %s: %.3f%s",
               own, p->loss, way(t, name, sizeof name), t->loss,
               more[verdict]);
}
// @end doctor-words-of-trial

// @begin doctor-round
// Try all ways that are left, and take the best that is clearly better: its
// fault has most to say, and hides the others. *found says whether there was
// one.
static lll_status next_fault(patient *p, bool *found, lll_error *err)
{
    doctor_trials *trials = &p->trials;
    doctor_trial *best = NULL;
    for (int i = 0; i < trials->n; i++) {
        doctor_trial *t = &trials->list[i];
        if (p->report->rows[t->check].verdict == DOCTOR_SICK)
            continue;
        lll_status status = try_out(p, t, err);
        if (status != LLL_OK)
            return status;
        if (is_clear(p, t) && is_better(t, best))
            best = t;
        if (p->progress != NULL)
            p->progress(p->context, (i + 1.0) / trials->n);
    }
    *found = best != NULL;
    if (best == NULL)
        return LLL_OK;
    put_trial(p, DOCTOR_SICK, best);
    doctor_exchange(trials, best, &p->s->model);
    return measure(p, p->n_ids, p->given, &p->loss, err);
}
// @end doctor-round

// @begin doctor-judge
// What the text alone does not say clearly: a published model of this shape
// has another value, and the text does not contradict it as clearly.
static bool is_accused(const patient *p, const doctor_trial *t)
{
    return t->published && !is_usual(&p->trials, t->check)
           && t->gain > -clear_of(t);
}

// The trial that says most about a check: one that accuses, and of those the
// one with the lowest loss.
static const doctor_trial *most_telling(const patient *p, doctor_check check,
                                        bool *accused)
{
    const doctor_trial *best = NULL;
    for (int i = 0; i < p->trials.n; i++) {
        const doctor_trial *t = &p->trials.list[i];
        bool accuses = t->check == check && is_accused(p, t);
        if (t->check == check
            && (best == NULL || accuses > *accused
                || (accuses == *accused && t->loss < best->loss))) {
            best = t;
            *accused = accuses;
        }
    }
    return best;
}
// @end doctor-judge

// @begin doctor-judge-2
// Good is what a published model has, or what the text speaks for clearly. A
// small loss or gain is no evidence of either.
static doctor_verdict verdict_of(const patient *p, const doctor_trial *t)
{
    bool learnt = p->loss < LEARNT * p->fair;
    if (is_usual(&p->trials, t->check))
        return learnt ? DOCTOR_GOOD : DOCTOR_UNSEEN;
    if (t->check == DOCTOR_EPSILON && !p->trials.epsilon_listed)
        return DOCTOR_UNUSUAL;
    return learnt && -t->gain > clear_of(t) ? DOCTOR_GOOD : DOCTOR_UNSEEN;
}

static void judge(patient *p)
{
    static const doctor_check checks[] = {DOCTOR_PAIRS, DOCTOR_BASE,
                                          DOCTOR_EPSILON, DOCTOR_GATE};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        bool accused = false;
        const doctor_trial *t = most_telling(p, checks[i], &accused);
        if (t != NULL && p->report->rows[checks[i]].verdict != DOCTOR_SICK)
            put_trial(p, accused ? DOCTOR_SICK : verdict_of(p, t), t);
    }
}
// @end doctor-judge-2

// @begin doctor-copies
// A loss like a fair choice's says that nothing was learnt, or that the words
// are not those that were learnt. In the second case the model still copies.
static lll_status look_at_loss(patient *p, lll_error *err)
{
    size_t n = p->n_ids;
    double each[2 * TEXT_IDS], loss, again = 0;
    bool learnt = p->loss < LEARNT * p->fair;
    doctor_put(p->report, DOCTOR_TEXT, learnt ? DOCTOR_GOOD : DOCTOR_UNUSUAL,
               "%zu tokens, loss %.3f; a fair choice has %.3f%s", n - 1,
               p->loss, p->fair, learnt ? "" : ": nothing can be told from a "
               "model that has not learnt such texts");
    if (learnt || 2 * n > (size_t)p->s->request.n_ctx)
        return LLL_OK;
    memcpy(p->ids + n, p->ids, n * sizeof *p->ids);
    lll_status status = measure(p, 2 * n, each, &loss, err);
    if (status != LLL_OK)
        return status;
    for (size_t i = n; i < 2 * n - 1; i++)
        again -= each[i] / (double)(n - 1);
    if (again < COPIED * p->loss)
        doctor_put(p->report, DOCTOR_VOCABULARY, DOCTOR_SICK, "the model "
                   "copies a text (loss %.3f) that it does not understand "
                   "(%.3f): its words are others", again, p->loss);
    return LLL_OK;
}
// @end doctor-copies

// @begin doctor-text
static lll_status begin(patient *p, lll_error *err)
{
    tokenizer_encoder e;
    size_t most = (size_t)p->s->request.n_ctx;
    most = most < TEXT_IDS ? most : TEXT_IDS;
    lll_status status = session_text(p->s, TEXT, sizeof TEXT - 1, &e, err);
    if (status == LLL_OK)
        status = tokenizer_more(&e, p->ids, most, &p->n_ids, err);
    if (status == LLL_OK)
        status = doctor_trials_list(&p->trials, &p->s->model, err);
    if (status == LLL_OK)
        status = measure(p, p->n_ids, p->given, &p->loss, err);
    return status;
}

lll_status doctor_text(doctor_report *report, session *s,
                       void (*progress)(void *, double), void *context,
                       lll_error *err)
{
    patient p = {.report = report, .s = s, .progress = progress,
                 .context = context,
                 .fair = log((double)s->config.vocab_size)};
    bool found = true;
    lll_status status = begin(&p, err);
    while (status == LLL_OK && found)
        status = next_fault(&p, &found, err);
    if (status == LLL_OK) {
        judge(&p);
        status = look_at_loss(&p, err);
    }
    doctor_trials_free(&p.trials);
    return status;
}
// @end doctor-text
