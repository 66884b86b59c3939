#include <math.h>

#include "chapters/06-attention/lesson.h"
#include "common/attention.h"
#include "common/terminal.h"

enum { SHOWN = 21, LABEL = 12 };

// @begin show-token
// A token's text in at most LABEL columns, filled up to `width`.
static void show_token(const trace *t, int i, int width, FILE *out)
{
    const char *bytes = t->tokens[i].bytes;
    size_t n = t->tokens[i].n_bytes, most = LABEL;
    if (n > 0 && bytes[0] == ' ') {             // the space before a word
        bytes++;
        n--;
    }
    if (n < most)
        most = n;
    // Not in the middle of a character: bytes 10xxxxxx continue one.
    while (most > 0 && most < n
           && ((unsigned char)bytes[most] & 0xc0) == 0x80)
        most--;
    int used = terminal_text(out, bytes, most);
    fprintf(out, "%*s", used < width ? width - used : 0, "");
}

// Column numbers over the cells of tokens `from` to `to`.
static void show_numbers(int margin, int from, int to, FILE *out)
{
    fprintf(out, "%*s", margin, "");
    for (int i = from; i < to; i++)
        if ((i - from) % 2 == 0)            // two columns are too narrow
            fprintf(out, "%2d%s", i % 100, i + 1 < to ? "  " : "");
    fputc('\n', out);
}
// @end show-token

// @begin strongest
// Where weight i of n is largest, the first position left aside: models put
// there what they have no other use for. -1 when there is nothing else.
static int strongest(const float *weight, int n)
{
    int best = n > 1 ? 1 : -1;
    for (int i = 2; i < n; i++)
        if (weight[i] > weight[best])
            best = i;
    return best;
}
// @end strongest

// @begin show-triangle
void show_triangle(const lesson *l, int from, FILE *out, bool color)
{
    const trace *t = &l->recorded;
    int to = t->n_tokens - from < SHOWN ? t->n_tokens : from + SHOWN;
    fprintf(out, "Who looks at whom: layer %d, head %d. A row is a token "
            "that looks, a column one\nthat is looked at; a cell shows the "
            "root of the weight.\n\n", l->layer, l->head);
    show_numbers(LABEL + 5, from, to, out);
    for (int i = from; i < to; i++) {
        const float *row = l->weights + (size_t)i * (size_t)t->n_tokens;
        fprintf(out, "%3d ", i);
        show_token(t, i, LABEL, out);
        fputc(' ', out);
        for (int j = from; j <= i; j++)
            terminal_cell(out, color, sqrt((double)row[j]));
        int best = strongest(row, i + 1);
        if (best >= 0 && best < i && row[best] >= 0.3f) {
            fprintf(out, "%*s %3.0f%% ", 2 * (to - 1 - i), "",
                    100 * (double)row[best]);
            show_token(t, best, 0, out);
        }
        fputc('\n', out);
    }
}
// @end show-triangle

// @begin show-sharing
void show_sharing(const lesson *l, FILE *out, bool color)
{
    const trace *t = &l->recorded;
    int group = t->n_heads / t->n_kv_heads;
    int seen = l->token + 1;
    int from = seen < SHOWN ? 0 : seen - SHOWN;
    size_t row_bytes = 2 * l->cache.row_bytes;      // a key and a value
    fprintf(out, "\n%d query heads share %d key-value heads: what each sees "
            "from token %d, \"", t->n_heads, t->n_kv_heads, l->token);
    terminal_text(out, t->tokens[l->token].bytes,
                  t->tokens[l->token].n_bytes);
    fputs("\"\n\n", out);
    show_numbers(16, from, seen, out);
    for (int head = 0; head < t->n_heads; head++) {
        const float *row = l->token_weights
                           + (size_t)head * (size_t)t->n_tokens;
        if (head % group == 0)
            fprintf(out, "keys %-2d-%c", head / group, group > 1 ? '+' : '-');
        else
            fprintf(out, "%9c", head % group == group - 1 ? '`' : '+');
        fprintf(out, "- %-2d   ", head);
        for (int j = from; j < seen; j++)
            terminal_cell(out, color, sqrt((double)row[j]));
        fputc('\n', out);
    }
    fprintf(out, "\nThe cache keeps %zu bytes for a token and layer; a key "
            "and a value for every\nquery head would take %zu.\n",
            row_bytes * (size_t)t->n_kv_heads,
            row_bytes * (size_t)t->n_heads);
}
// @end show-sharing

// @begin show-online
// Three scores and their values, read one after another and never looked at
// again, against the softmax that has them all before it.
lll_status show_online(FILE *out, lll_error *err)
{
    const float score[3] = {2, 4, 3}, value[3] = {10, 20, 30};
    float average = 0, stable = 0, weight[3] = {2, 4, 3};
    attend_state state = {-INFINITY, 0, &average};

    fputs("\nThe online softmax of scores 2, 4, 3 with values 10, 20, 30\n\n"
          "  read   largest   total     sum of values\n", out);
    for (int i = 0; i < 3; i++) {
        // A single position is a span whose largest score is its own.
        attend_merge(&state, score[i], 1.0f, &value[i], 1);
        fprintf(out, "  %4.0f   %7.0f   %.5f   %8.5f\n", (double)score[i],
                (double)state.maximum, (double)state.total,
                (double)average);
    }
    attend_finish(&state, 1);
    softmax(weight, 3);
    for (int i = 0; i < 3; i++)
        stable += weight[i] * value[i];
    fprintf(out, "\n  sum / total                 %.5f\n"
                 "  stable softmax, two passes  %.5f\n",
            (double)average, (double)stable);
    if (!(fabsf(average - stable) <= 1e-5f * stable))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "the online softmax gives %g, the stable one %g",
                        (double)average, (double)stable);
    return LLL_OK;
}
// @end show-online

// @begin json-rows
static void json_rows(json_out *json, const char *key, const float *x,
                      int n_rows, int n_columns)
{
    json_out_key(json, key);
    json_out_array(json);
    for (int i = 0; i < n_rows; i++) {
        json_out_array(json);
        for (int j = 0; j < n_columns; j++)
            json_out_f32(json, x[(size_t)i * (size_t)n_columns + (size_t)j]);
        json_out_end(json);
    }
    json_out_end(json);
}
// @end json-rows

// @begin json-lesson
void json_lesson(const lesson *l, double worst, json_out *json)
{
    const trace *t = &l->recorded;
    json_out_object(json);
    json_out_key(json, "layer");
    json_out_i64(json, l->layer);
    json_out_key(json, "head");
    json_out_i64(json, l->head);
    json_out_key(json, "token");
    json_out_i64(json, l->token);
    json_out_key(json, "tokens");
    json_out_array(json);
    for (int i = 0; i < t->n_tokens; i++)
        json_out_bytes(json, t->tokens[i].bytes, t->tokens[i].n_bytes);
    json_out_end(json);
    json_out_key(json, "difference");
    json_out_f64(json, worst);
    json_rows(json, "weights", l->weights, t->n_tokens, t->n_tokens);
    json_rows(json, "token_weights", l->token_weights, t->n_heads,
              t->n_tokens);
    json_out_end(json);
}
// @end json-lesson
