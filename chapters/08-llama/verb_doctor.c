#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/verbs.h"
#include "common/doctor.h"
#include "common/json_out.h"
#include "common/terminal.h"

// @begin doctor-print
enum { NAME_COLUMNS = 15, VERDICT_COLUMNS = 9, COLUMNS = 78 };

// Words of a text between two columns, line by line. Its characters may be
// anybody's.
static void print_words(const char *text)
{
    int from = NAME_COLUMNS + VERDICT_COLUMNS, at = from;
    for (const char *end; *text != '\0'; text = end + (*end == ' ')) {
        end = text + strcspn(text, " ");
        if (at > from && at + 1 + (int)(end - text) > COLUMNS) {
            printf("\n%*s", from, "");
            at = from;
        } else if (at > from) {
            at += printf(" ");
        }
        at += terminal_text(stdout, text, (size_t)(end - text));
    }
    printf("\n");
}

static void print_row(const doctor_report *report, doctor_check check)
{
    const doctor_row *row = &report->rows[check];
    const char *verdict = doctor_verdict_name(row->verdict);
    bool sick = row->verdict == DOCTOR_SICK;
    printf("%-*s", NAME_COLUMNS, doctor_check_name(check));
    terminal_paint(stdout, sick && terminal_color(stdout), 1, verdict);
    printf("%*s", VERDICT_COLUMNS - (int)strlen(verdict), "");
    print_words(row->found);
    if (sick && doctor_remedy(check)[0] != '\0') {
        printf("%-*s%-*s", NAME_COLUMNS, "", VERDICT_COLUMNS, "remedy:");
        print_words(doctor_remedy(check));
    }
}
// @end doctor-print

// @begin doctor-json
static lll_status print_json(const doctor_report *report, const char *path,
                             lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "model");
    json_out_text(&json, path);
    json_out_key(&json, "healthy");
    json_out_bool(&json, report->n_sick == 0);
    json_out_key(&json, "checks");
    json_out_array(&json);
    for (int i = 0; i < DOCTOR_CHECKS; i++) {
        const doctor_row *row = &report->rows[i];
        json_out_object(&json);
        json_out_key(&json, "check");
        json_out_text(&json, doctor_check_name((doctor_check)i));
        json_out_key(&json, "verdict");
        json_out_text(&json, doctor_verdict_name(row->verdict));
        json_out_key(&json, "found");
        json_out_text(&json, row->found);
        json_out_key(&json, "remedy");
        if (row->verdict == DOCTOR_SICK)
            json_out_text(&json, doctor_remedy((doctor_check)i));
        else
            json_out_null(&json);
        json_out_end(&json);
    }
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end doctor-json

// @begin verb-doctor
static void show_progress(void *context, double share)
{
    (void)context;
    terminal_progress(stderr, "reading a text otherwise", share);
}

lll_status verb_doctor(session *s, const settings *set, lll_error *err)
{
    doctor_report report;
    session_options options = make_options(set);
    (void)s;                    // it opens what can be opened itself
    lll_status status = doctor_examine(&report, set->model, &options,
                                       set->quiet ? NULL : show_progress,
                                       NULL, err);
    if (status == LLL_OK && set->json)
        status = print_json(&report, set->model, err);
    for (int i = 0; i < DOCTOR_CHECKS && !set->json && status == LLL_OK; i++)
        print_row(&report, (doctor_check)i);
    if (status != LLL_OK || report.n_sick == 0)
        return status;
    int first = 0;
    while (report.rows[first].verdict != DOCTOR_SICK)
        first++;
    return lll_fail(err, LLL_ERR_FORMAT, "%s: found %d fault%s, the first at "
                    "%s; expected none", set->model, report.n_sick,
                    report.n_sick == 1 ? "" : "s",
                    doctor_check_name((doctor_check)first));
}
// @end verb-doctor
