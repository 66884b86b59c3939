// The doctor's parts: what is exchanged comes back, and is what it says.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/doctor.h"
#include "common/doctor_trial.h"
#include "tests/ref.h"

enum { N = 9, VOCAB = 512, HEADS = 4, HEAD = 16, WIDTH = HEADS * HEAD };
static const int32_t IDS[N] = {42, 1, 130, 262, 16, 300, 301, 302, 303};

static void start(session *s)
{
    session_options o = session_defaults();
    lll_error err;
    o.n_threads = 1;
    o.float_activations = true;
    if (session_open(s, ref_model(), &o, &err) != LLL_OK)
        fail_msg("%s", err.text);
}

static void forward(session *s, float *logits)
{
    const float *out;
    lll_error err;
    llama_batch batch = {.n_tokens = N, .ids = IDS};
    kv_cache_truncate(&s->model.caches[0], 0);
    assert_int_equal(llama_forward(&s->model, &batch, &out, &err), LLL_OK);
    memcpy(logits, out, VOCAB * sizeof *logits);
}

static void an_exchange_undoes_itself(void **state)
{
    static float before[VOCAB], other[VOCAB], after[VOCAB];
    (void)state;
    session s;
    doctor_trials trials;
    lll_error err;
    int n_other[DOCTOR_CHECKS] = {0};
    start(&s);
    forward(&s, before);
    assert_int_equal(doctor_trials_list(&trials, &s.model, &err), LLL_OK);
    for (int i = 0; i < trials.n; i++) {
        doctor_exchange(&trials, &trials.list[i], &s.model);
        forward(&s, other);
        doctor_exchange(&trials, &trials.list[i], &s.model);
        forward(&s, after);
        assert_memory_equal(before, after, sizeof after);
        assert_memory_not_equal(before, other, sizeof other);
        n_other[trials.list[i].check]++;
    }
    assert_int_equal(n_other[DOCTOR_PAIRS], 1);
    assert_int_equal(n_other[DOCTOR_GATE], 1);
    assert_int_equal(n_other[DOCTOR_BASE], 3);      // four, less its own
    assert_int_equal(n_other[DOCTOR_EPSILON], 1);
    assert_true(trials.base_usual && trials.epsilon_usual
                && trials.epsilon_listed);
    doctor_trials_free(&trials);
    doctor_trials_free(&trials);
    session_close(&s);
}

static void keep_queries(void *context, const char *name, int layer,
                         const float *values, int n_rows, int n_columns)
{
    if (layer == 0 && strcmp(name, "q") == 0)
        memcpy(context, values,
               (size_t)n_rows * (size_t)n_columns * sizeof *values);
}

// Number i of the first half of a head comes to 2i, of the second to 2i + 1,
// and a bias goes with its row.
static void halves_become_neighbours(void **state)
{
    static float before[N * WIDTH], after[N * WIDTH], bias[WIDTH];
    static float logits[VOCAB];
    (void)state;
    session s;
    doctor_trials trials;
    lll_error err;
    start(&s);
    ref_random(5, bias, WIDTH);
    s.model.weights.layers[0].q.bias = bias;
    s.model.observe = keep_queries;
    s.model.observer = before;
    forward(&s, logits);
    assert_int_equal(doctor_trials_list(&trials, &s.model, &err), LLL_OK);
    assert_int_equal(trials.list[0].check, DOCTOR_PAIRS);
    doctor_exchange(&trials, &trials.list[0], &s.model);
    s.model.observer = after;
    forward(&s, logits);
    for (int r = 0; r < N * HEADS; r++)
        for (int i = 0; i < HEAD / 2; i++)
            for (int half = 0; half < 2; half++)
                assert_true(after[r * HEAD + 2 * i + half]
                            == before[r * HEAD + half * HEAD / 2 + i]);
    doctor_trials_free(&trials);
    session_close(&s);
}

static void known_models_by_their_shape(void **state)
{
    (void)state;
    model_config c = {.n_layers = 32, .d_model = 4096, .n_heads = 32,
                      .n_kv_heads = 8, .d_ff = 14336, .vocab_size = 32000,
                      .context_length = 32768};
    const doctor_model *m = doctor_known(&c, NULL);
    assert_non_null(m);
    assert_true(m->rope_theta == 1e4);
    m = doctor_known(&c, m);
    assert_non_null(m);
    assert_true(m->rope_theta == 1e6);
    assert_null(doctor_known(&c, m));
    c.context_length = 4096;
    assert_null(doctor_known(&c, NULL));
}

static void what_can_not_be_opened_is_sick(void **state)
{
    (void)state;
    static doctor_report report;
    session_options o = session_defaults();
    lll_error err;
    assert_int_equal(doctor_examine(&report, "/nowhere/x.gguf", &o, NULL,
                                    NULL, &err), LLL_OK);
    assert_int_equal(report.n_sick, 1);
    assert_int_equal(report.rows[DOCTOR_FILE].verdict, DOCTOR_SICK);
    assert_non_null(strstr(report.rows[DOCTOR_FILE].found,
                           "/nowhere/x.gguf"));
    for (int i = 1; i < DOCTOR_CHECKS; i++)
        assert_int_equal(report.rows[i].verdict, DOCTOR_UNSEEN);
}

static void rows_are_counted_once(void **state)
{
    (void)state;
    static doctor_report report;
    doctor_put(&report, DOCTOR_BASE, DOCTOR_SICK, "%d", 1);
    doctor_put(&report, DOCTOR_BASE, DOCTOR_SICK, "%d", 2);
    doctor_put(&report, DOCTOR_GATE, DOCTOR_UNUSUAL, "%d", 3);
    assert_int_equal(report.n_sick, 1);
    assert_string_equal(report.rows[DOCTOR_BASE].found, "2");
    doctor_put(&report, DOCTOR_BASE, DOCTOR_GOOD, "well");
    assert_int_equal(report.n_sick, 0);
    for (int i = 0; i < DOCTOR_CHECKS; i++)
        assert_true(strlen(doctor_check_name((doctor_check)i)) < 15);
}

static void count_calls(void *context, double share)
{
    assert_true(share > 0 && share <= 1);
    ++*(int *)context;
}

static void the_tiny_model_is_well(void **state)
{
    (void)state;
    static doctor_report report;
    session_options o = session_defaults();
    lll_error err;
    int calls = 0;
    if (doctor_examine(&report, ref_model(), &o, count_calls, &calls, &err)
        != LLL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(report.n_sick, 0);
    assert_int_equal(calls, 6);         // trials, in one round
    for (int i = 0; i < DOCTOR_CHECKS; i++)     // it has learnt too little
        assert_int_equal(report.rows[i].verdict,
                         i == DOCTOR_PAIRS || i == DOCTOR_GATE
                         ? DOCTOR_UNSEEN : DOCTOR_GOOD);
}

static void options_are_no_sickness(void **state)
{
    static const struct { const char *isa, *pre, *cache, *says; } cases[] = {
        {"nonsense", NULL, NULL, "no kernels are called nonsense"},
        {NULL, "nonsense", NULL, "nonsense"},
        {NULL, NULL, "nonsense", "unknown cache type"}};
    static doctor_report report;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        session_options o = session_defaults();
        lll_error err = {0};
        report.n_sick = 42;
        o.isa = cases[i].isa != NULL ? cases[i].isa : o.isa;
        o.pre = cases[i].pre;
        o.cache_type = cases[i].cache != NULL ? cases[i].cache
                                              : o.cache_type;
        assert_int_not_equal(doctor_examine(&report, ref_model(), &o, NULL,
                                            NULL, &err), LLL_OK);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_int_equal(report.n_sick, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_undoes_itself),
        cmocka_unit_test(halves_become_neighbours),
        cmocka_unit_test(known_models_by_their_shape),
        cmocka_unit_test(what_can_not_be_opened_is_sick),
        cmocka_unit_test(rows_are_counted_once),
        cmocka_unit_test(the_tiny_model_is_well),
        cmocka_unit_test(options_are_no_sickness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
