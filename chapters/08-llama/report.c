// What an answer cost, for people and for programs.
#include "chapters/08-llama/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/cost.h"
#include "common/machine.h"
#include "common/peak.h"
#include "common/probe.h"
#include "common/quant.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin report-costs
// What follows from a report, a session and the machine.
typedef struct {
    double prefill, decode;         // tokens a second
    double p50, p95, p99;           // seconds for a token
    uint64_t peak;                  // bytes of memory; 0: not known
    double weights, cache;          // bytes that a token reads, on average
    double reading;                 // bytes a second of both
    double bandwidth;               // bytes a second that the machine could
                                    // read; 0: not asked
    double multiplying;             // multiply-adds a second with weights,
                                    // while the prompt was read
    double possible;                // and what the machine could do
} costs;

static double rate(double amount, double seconds)
{
    return amount > 0 && seconds > 0 ? amount / seconds : 0;
}
// @end report-costs

// @begin report-costs-of
static costs costs_of(const session *s, const generate_report *r)
{
    double decoded = r->completion_tokens - 1;
    costs c = {
        .prefill = rate(r->prompt_tokens, r->prefill_seconds),
        .decode = rate(decoded, r->decode_seconds),
        .p50 = latency_percentile(&r->token_times, 0.50),
        .p95 = latency_percentile(&r->token_times, 0.95),
        .p99 = latency_percentile(&r->token_times, 0.99),
        .peak = machine_peak_bytes(),
        .weights = (double)s->model.weights.bytes_per_token,
    };
    // Only the prompt's last token is multiplied with the output head.
    double head = (double)s->config.vocab_size * s->config.d_model;
    double layers = (double)cost_multiplied(&s->config) - head;
    c.multiplying = rate(layers * r->prompt_tokens + head,
                         r->prefill_seconds);
    if (decoded > 0)
        c.cache = (double)cost_cache_position(&s->config,
                                              s->request.cache_type)
                  * (double)r->positions / decoded;
    c.reading = c.decode * (c.weights + c.cache);
    return c;
}
// @end report-costs-of

// @begin report-probe
// What chapter 2 measures, once for a run. From then on the peak of memory is
// that of the block that was read, which has nothing to do with the model: it
// is told with the first answer, where it was asked for before.
static lll_status measure_memory(costs *c, lll_error *err)
{
    static memory_speed speed;
    lll_status status = LLL_OK;
    size_t block = probe_block_bytes(machine_read_memory().available,
                                     machine_cache_bytes());
    if (speed.n_bytes == 0 && block == 0)
        return lll_fail(err, LLL_ERR_MEMORY, "--probe: there is too little "
                        "free memory to measure it; leave it out");
    if (speed.n_bytes == 0)
        status = probe_memory(block, machine_cores(), 0.2, &speed, err);
    else
        c->peak = 0;
    c->bandwidth = speed.all_cores > speed.one_core ? speed.all_cores
                                                    : speed.one_core;
    return status;
}
// @end report-probe

// @begin report-peak
// And the arithmetic: of codes, or of floats where those are multiplied.
static lll_status measure(const session *s, costs *c, lll_error *err)
{
    static arithmetic_speed speed;
    const matmul *m = &s->model.products;
    lll_status status = measure_memory(c, err);
    if (status == LLL_OK && speed.q8_one_core <= 0)
        status = peak_measure(m->kernels, machine_cores(), 0.1, &speed, err);
    bool codes = m->mode == MATMUL_Q8
                 && quant_is_blocked(s->model.weights.layers[0].q.type);
    double one = codes ? speed.q8_one_core : speed.f32_one_core;
    double all = codes ? speed.q8_all_cores : speed.f32_all_cores;
    c->possible = all > one ? all : one;
    return status;
}
// @end report-peak

// @begin report-line
static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

// A digit behind the point where it says something.
static int digits(double rate)
{
    return rate < 100 ? 1 : 0;
}

static void one_line(const settings *set, const generate_report *r,
                     const costs *c)
{
    fprintf(stderr, "[%s; %d token%s read, %.*f/s; %d written, %.*f/s; "
            "seed %" PRIu64 "]\n", finish_reason_name(r->reason),
            r->prompt_tokens, plural(r->prompt_tokens), digits(c->prefill),
            c->prefill, r->completion_tokens, digits(c->decode), c->decode,
            set->sampling.seed);
}
// @end report-line

// @begin report-reading
// What a token reads, and beside what memory delivers.
static void reading_lines(const costs *c)
{
    char weights[32], cache[32], reading[32], bandwidth[32];
    size_text((uint64_t)c->weights, weights, sizeof weights);
    size_text((uint64_t)c->cache, cache, sizeof cache);
    count_text((uint64_t)c->reading, reading, sizeof reading);
    count_text((uint64_t)c->bandwidth, bandwidth, sizeof bandwidth);
    fprintf(stderr, "  reading   %12s of weights and %s of the cache for a "
            "token,\n", weights, cache);
    fprintf(stderr, "            %11sB a second", reading);
    bool cached = c->weights <= (double)machine_cache_bytes()
                  || c->reading > c->bandwidth;
    if (c->bandwidth > 0 && cached)
        fprintf(stderr, " from a cache; memory delivers %sB", bandwidth);
    else if (c->bandwidth > 0)
        fprintf(stderr, ", %.0f %% of the %sB that memory delivers",
                100 * c->reading / c->bandwidth, bandwidth);
    fputc('\n', stderr);
}
// @end report-reading

// @begin report-multiplying
// What the prompt's tokens are multiplied with, and what can be done at most.
static void multiplying_line(const session *s, const costs *c)
{
    char done[32], possible[32];
    count_text((uint64_t)c->multiplying, done, sizeof done);
    count_text((uint64_t)c->possible, possible, sizeof possible);
    fprintf(stderr, "  products  %12s multiply-adds a second, %.0f %% of "
            "the %s\n            that %s does\n", done,
            100 * c->multiplying / c->possible, possible,
            s->model.products.kernels->name);
}
// @end report-multiplying

// @begin report-page
// What was not measured has no line.
static void page(const session *s, const generate_report *r, const costs *c)
{
    char peak[32];
    size_text(c->peak, peak, sizeof peak);
    fprintf(stderr, "  computed with %s, %d thread%s\n",
            s->model.products.kernels->name, s->request.n_threads,
            plural(s->request.n_threads));
    fprintf(stderr, "  opened in    %9.1f ms\n", 1e3 * s->load_seconds);
    if (r->completion_tokens > 0)
        fprintf(stderr, "  first token  %9.1f ms after the question\n",
                1e3 * r->first_token_seconds);
    if (r->token_times.n > 0)
        fprintf(stderr, "  the others   %9.2f ms each (p50), %.2f (p95), "
                "%.2f (p99)\n", 1e3 * c->p50, 1e3 * c->p95, 1e3 * c->p99);
    if (c->peak > 0)
        fprintf(stderr, "  memory    %12s at most\n", peak);
    if (c->possible > 0 && c->multiplying > 0)
        multiplying_line(s, c);
    if (r->token_times.n > 0)
        reading_lines(c);
}

// @end report-page

// @begin report-lines
lll_status report_lines(const session *s, const settings *set,
                        const generate_report *r, lll_error *err)
{
    costs c = costs_of(s, r);
    lll_status status = LLL_OK;
    if (!set->quiet)
        one_line(set, r, &c);
    if (set->probe)
        status = measure(s, &c, err);
    if (set->report || set->probe)
        page(s, r, &c);
    return status;
}
// @end report-lines

// @begin report-times
static void report_times(const session *s, const generate_report *r,
                         const costs *c, json_out *json)
{
    const struct { const char *name; double value; } rows[] = {
        {"load_seconds", s->load_seconds},
        {"time_to_first_token_seconds", r->first_token_seconds},
        {"prefill_tokens_per_second", c->prefill},
        {"decode_tokens_per_second", c->decode},
        {"token_seconds_p50", c->p50},
        {"token_seconds_p95", c->p95},
        {"token_seconds_p99", c->p99},
        {"bytes_read_per_second", c->reading},
        {"multiply_adds_per_second", c->multiplying},
        {"memory_bytes_per_second", c->bandwidth},
        {"bandwidth_share", rate(c->reading, c->bandwidth)},
        {"peak_multiply_adds_per_second", c->possible},
        {"peak_share", rate(c->multiplying, c->possible)},
    };
    // The last four are there when the machine was measured.
    size_t n = sizeof rows / sizeof rows[0] - (c->bandwidth > 0 ? 0 : 4);
    for (size_t i = 0; i < n; i++) {
        json_out_key(json, rows[i].name);
        if (rows[i].value > 0)
            json_out_f64(json, rows[i].value);
        else
            json_out_null(json);    // no token took it
    }
}
// @end report-times

// @begin report-json
lll_status report_json(const session *s, const settings *set,
                       const generate_report *r, json_out *json,
                       lll_error *err)
{
    json_out_key(json, "finish_reason");
    json_out_text(json, finish_reason_name(r->reason));
    json_out_key(json, "isa");
    json_out_text(json, s->model.products.kernels->name);
    costs c = costs_of(s, r);
    lll_status status = set->probe ? measure(s, &c, err) : LLL_OK;
    const struct { const char *name; uint64_t value; } counts[] = {
        {"prompt_tokens", (uint64_t)r->prompt_tokens},
        {"completion_tokens", (uint64_t)r->completion_tokens},
        {"seed", set->sampling.seed},
        {"threads", (uint64_t)s->request.n_threads},
        {"weight_bytes_per_token", (uint64_t)c.weights},
        {"cache_bytes_per_token", (uint64_t)c.cache},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        json_out_key(json, counts[i].name);
        json_out_u64(json, counts[i].value);
    }
    if (c.peak > 0) {
        json_out_key(json, "peak_bytes");
        json_out_u64(json, c.peak);
    }
    report_times(s, r, &c, json);
    json_out_end(json);
    lll_status written = json_out_finish(json, err);
    return status != LLL_OK ? status : written;
}
// @end report-json
