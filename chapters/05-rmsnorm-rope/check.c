#include <math.h>
#include <string.h>

#include "chapters/05-rmsnorm-rope/show.h"
#include "common/norm.h"
#include "common/rope.h"

// @begin partner
// Where the other number of a turned pair stands; what was not turned, as
// with apart = 0, stands for itself.
static size_t partner(const trace *t, size_t i, size_t apart)
{
    size_t in_head = i % (size_t)t->head_dim;
    if (apart == 0 || in_head >= (size_t)t->rope_dim)
        return i;
    return in_head / apart % 2 == 0 ? i + apart : i - apart;
}
// @end partner

// @begin worst-share
// The worst of all numbers: how far it is from what was recorded, as a share
// of its own size, or of the larger one of its pair.
static double worst_share(const material *m, const float *recorded,
                          size_t count, size_t apart)
{
    double worst = 0;
    for (size_t i = 0; i < count; i++) {
        float other = recorded[partner(&m->recorded, i, apart)];
        double size = fmax(fabs((double)recorded[i]), fabs((double)other));
        // Below 2^-14 a number in F16 has fewer digits than 11.
        double share = fabs((double)m->work[i] - (double)recorded[i])
                       / fmax(size, 0x1p-14);
        // fmax() would quietly drop a NaN, and a NaN is the worst there is.
        if (isnan(share))
            return share;
        worst = fmax(worst, share);
    }
    return worst;
}
// @end worst-share

// @begin check
// Compute every row of the layer again, and say how far we are from what the
// model itself recorded.
static double check_norm(material *m)
{
    size_t n = (size_t)m->input.n_columns, count = 0;
    for (int row = 0; row < m->input.n_rows; row++, count += n)
        rmsnorm(m->work + count, m->input.values + count, m->weight.values,
                (int)n, m->recorded.norm_eps);
    return worst_share(m, m->after.values, count, 0);
}

static double check_rope(material *m, const trace_rows *before,
                         const trace_rows *after, rotate_function *turn)
{
    const trace *t = &m->recorded;
    size_t n = (size_t)before->n_columns;
    size_t count = (size_t)before->n_rows * n;
    memcpy(m->work, before->values, count * sizeof *m->work);
    for (int row = 0; row < before->n_rows; row++) {
        rope_table(m->table, m->frequencies, t->rope_dim, row);
        for (size_t i = 0; i < n; i += (size_t)t->head_dim)
            turn(m->work + (size_t)row * n + i, m->table, t->rope_dim);
    }
    size_t apart = turn == rope_rotate ? 1 : (size_t)t->rope_dim / 2;
    return worst_share(m, after->values, count, apart);
}
// @end check

// @begin report-one
// `meant` says whether this is the one that ought to agree.
static bool report_one(const char *name, double difference, double limit,
                       bool meant, FILE *out, json_out *json)
{
    bool same = difference <= limit;        // false for a NaN
    if (json != NULL) {
        json_out_key(json, name);
        json_out_f64(json, difference);
    } else {
        fprintf(out, "  %-22s %.2e  (limit %.2e)  %s\n", name, difference,
                limit, same ? "ok" : meant ? "DIFFERS"
                                           : "differs, as it should");
    }
    return same;
}
// @end report-one

// @begin report
// Both pairings are tried; the one that was asked for decides.
lll_status report(material *m, const char *pairing, FILE *out,
                  json_out *json, lll_error *err)
{
    const struct {
        const char *pairing, *q, *k;
        rotate_function *turn;
    } ways[] = {
        {"adjacent", "q_rope in neighbours", "k_rope in neighbours",
         rope_rotate},
        {"halves", "q_rope in halves", "k_rope in halves",
         rope_rotate_halves},
    };

    double limit = trace_limit(m->after.type);
    if (json == NULL)
        fprintf(out, "\nCheck against the recorded layer %d, difference / "
                "size of number or pair\n", m->layer);
    bool rope = false, norm = report_one("attn_norm", check_norm(m), limit,
                                         true, out, json);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        bool meant = strcmp(ways[i].pairing, pairing) == 0;
        double q = check_rope(m, &m->q, &m->q_rope, ways[i].turn);
        double k = check_rope(m, &m->k, &m->k_rope, ways[i].turn);
        bool same_q = report_one(ways[i].q, q, limit, meant, out, json);
        bool same_k = report_one(ways[i].k, k, limit, meant, out, json);
        rope = rope || (meant && same_q && same_k);
    }
    if (norm && rope)
        return LLL_OK;
    return lll_fail(err, LLL_ERR_FORMAT,
                    "%s: layer %d: %s with base %g and pairing %s does not "
                    "give what was recorded", m->recorded.file.path, m->layer,
                    norm ? "RoPE" : "RMSNorm", m->theta, pairing);
}
// @end report
