#ifndef CHAPTERS_08_REPORT_H
#define CHAPTERS_08_REPORT_H

#include "chapters/08-llama/options.h"
#include "common/error.h"
#include "common/generate.h"
#include "common/json_out.h"
#include "common/session.h"

// @begin report-api
// What an answer cost: a line on standard error, or nothing with -q; with
// --report a page.
lll_status report_lines(const session *s, const settings *set,
                        const generate_report *r, lll_error *err);

// The same as the rest of an open object, which it ends.
lll_status report_json(const session *s, const settings *set,
                       const generate_report *r, json_out *json,
                       lll_error *err);
// @end report-api

#endif
