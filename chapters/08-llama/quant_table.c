// How files compare, as a table or as data.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chapters/08-llama/compare_quant.h"
#include "common/json_out.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin quant-table-name
enum { NAME_WIDTH = 15 };

// The end of a file's name, which tells its type; in `width` columns. Names
// that are cut begin with dots. (No character is cut: what cannot be shown
// in one column each is left to JSON.)
static void print_name(const char *path, int width)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    int n = (int)strlen(name), used = 0;
    if (n > width) {
        name += n - width + 2;
        while ((*name & 0xc0) == 0x80)      // inside a character
            name++;
        used = printf("..");
    }
    used += terminal_text(stdout, name, strlen(name));
    printf("%*s", used < width ? width - used : 0, "");
}
// @end quant-table-name

// @begin quant-table-number
// In `width` columns: with so many decimals if there is room, otherwise with
// as many digits as there is room for. A model that fell apart has a
// perplexity of billions.
static void print_number(double x, int width, int decimals)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.*f", decimals, x);
    for (int digits = 6; n > width && digits > 0; digits--)
        n = snprintf(text, sizeof text, "%.*g", digits, x);
    printf(" %*s", width, text);
}
// @end quant-table-number

// @begin quant-table-row
static void print_row(const quant_row *r)
{
    char size[32];
    size_text((uint64_t)r->bytes, size, sizeof size);
    print_name(r->path, NAME_WIDTH);
    printf(" %10s %5.2f", size, r->bits);
    print_number(100 * r->error, 5, 2);
    printf("%%");
    print_number(r->perplexity, 8, 4);
    print_number(r->divergence, 8, 5);
    printf(" %5.1f%%", 100 * r->same);
    print_number(1e3 * r->prefill, 7, 3);
    print_number(1e3 * r->decode, 6, 3);
    printf("\n");
}
// @end quant-table-row

// @begin quant-table-text
static void print_text(const quant_table *table, bool quiet)
{
    printf("%-*s %10s %5s %6s %8s %8s %6s %7s %6s\n", NAME_WIDTH, "file",
           "weights", "bits", "error", "ppl", "KL", "same", "prefill",
           "decode");
    for (int i = 0; i < table->n_rows; i++)
        print_row(&table->rows[i]);
    if (!quiet)
        fprintf(stderr, "%" PRIu64 " tokens of %s in windows of %d; ppl: "
                "perplexity\nerror, KL divergence, same best token: beside "
                "the first file\nprefill, decode: milliseconds a token, "
                "medians\n", table->n_scored, table->text, table->n_ctx);
}
// @end quant-table-text

// @begin quant-table-json
static void put_row(json_out *json, const quant_row *r)
{
    const struct { const char *key; double value; } numbers[] = {
        {"bytes", r->bytes}, {"bits_per_weight", r->bits},
        {"relative_rms", r->error}, {"perplexity", r->perplexity},
        {"kl_divergence", r->divergence}, {"same_top", r->same},
        {"prefill_seconds", r->prefill}, {"decode_seconds", r->decode},
    };
    json_out_object(json);
    json_out_key(json, "file");
    json_out_text(json, r->path);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_out_key(json, numbers[i].key);
        json_out_f64(json, numbers[i].value);
    }
    json_out_end(json);
}

static lll_status print_json(const quant_table *table, lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "text");
    json_out_text(&json, table->text);
    json_out_key(&json, "tokens");
    json_out_u64(&json, table->n_scored);
    json_out_key(&json, "window");
    json_out_i64(&json, table->n_ctx);
    json_out_key(&json, "interrupted");
    json_out_bool(&json, *table->stop != 0);
    // @end quant-table-json
    // @begin quant-table-json-2
    json_out_key(&json, "files");
    json_out_array(&json);
    for (int i = 0; i < table->n_rows; i++)
        put_row(&json, &table->rows[i]);
    json_out_end(&json);
    json_out_end(&json);
    return json_out_finish(&json, err);
}

lll_status quant_table_print(const quant_table *table, const settings *set,
                             lll_error *err)
{
    if (*table->stop)
        fprintf(stderr, "[interrupted: %d of %d files compared]\n",
                table->n_rows, set->others.n_items + 1);
    if (set->json)
        return print_json(table, err);
    print_text(table, set->quiet);
    return LLL_OK;
}
// @end quant-table-json-2
