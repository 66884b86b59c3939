#include "common/doctor.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/config_gguf.h"
#include "common/kernels.h"
#include "common/pretokenize.h"
#include "common/quant.h"
#include "common/size.h"

// @begin doctor-table
static const struct { const char *name, *remedy; } checks[DOCTOR_CHECKS] = {
    [DOCTOR_FILE] = {"file", "fetch it again, or convert the model again"},
    [DOCTOR_VOCABULARY] = {"vocabulary", "take tokenizer and weights from "
                           "one and the same model, and convert again"},
    [DOCTOR_SHAPE] = {"shape", "convert the model again; if it stays, it is "
                      "one that this engine does not run"},
    [DOCTOR_NUMBERS] = {"numbers", "convert the model again; if it stays, "
                        "the weights were broken before"},
    [DOCTOR_TEMPLATE] = {"chat template", "write the template that the model "
                         "was trained with into tokenizer.chat_template, or "
                         "name it with --chat-template"},
    [DOCTOR_BOS] = {"beginning", "set tokenizer.ggml.add_bos_token to "
                    "false, or take the BOS out of the template"},
    [DOCTOR_TEXT] = {"text", ""},
    [DOCTOR_PAIRS] = {"RoPE pairs", "reorder the rows of attn_q and attn_k: "
                      "convert the model again, as a Llama"},
    [DOCTOR_BASE] = {"RoPE base", "set llama.rope.freq_base to the base that "
                     "the model was trained with"},
    [DOCTOR_EPSILON] = {"norm epsilon", "set "
                        "llama.attention.layer_norm_rms_epsilon to the one "
                        "that the model was trained with"},
    [DOCTOR_GATE] = {"gate and up", "exchange the names of ffn_gate and "
                     "ffn_up"},
};
// @end doctor-table

// @begin doctor-names
const char *doctor_check_name(doctor_check check)
{
    return checks[check].name;
}

const char *doctor_remedy(doctor_check check)
{
    return checks[check].remedy;
}

const char *doctor_verdict_name(doctor_verdict verdict)
{
    static const char *const names[] = {"not seen", "good", "unusual",
                                        "sick"};
    return names[verdict];
}
// @end doctor-names

// @begin doctor-put
void doctor_put(doctor_report *report, doctor_check check,
                doctor_verdict verdict, const char *fmt, ...)
{
    doctor_row *row = &report->rows[check];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(row->found, sizeof row->found, fmt, arguments);
    va_end(arguments);
    report->n_sick += (verdict == DOCTOR_SICK)
                      - (row->verdict == DOCTOR_SICK);
    row->verdict = verdict;
}
// @end doctor-put

// @begin doctor-numbers
// The first number of a tensor that is none, or n_elements. Less is read of
// a type that cannot be decoded.
static size_t first_bad(const gguf_tensor *tensor, size_t *n_read)
{
    enum { AT_ONCE = 4096 };            // whole blocks of every type
    const dtype_info *info = dtype_find((uint32_t)tensor->type);
    const unsigned char *at = tensor->data;
    float values[AT_ONCE];
    *n_read = 0;
    for (size_t i = 0; i < tensor->n_elements; i += AT_ONCE) {
        size_t n = tensor->n_elements - i;
        n = n < AT_ONCE ? n : AT_ONCE;
        if (quant_decode(tensor->type, at, values, n, NULL) != LLL_OK)
            return tensor->n_elements;
        *n_read += n;
        for (size_t j = 0; j < n; j++)
            if (!isfinite(values[j]))
                return i + j;
        at += AT_ONCE / (size_t)info->block_size * (size_t)info->block_bytes;
    }
    return tensor->n_elements;
}
// @end doctor-numbers

// @begin doctor-numbers-2
static void look_at_numbers(doctor_report *report, const gguf_file *file)
{
    uint64_t n_numbers = 0;
    size_t n_bad = 0, n_unread = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *t = &file->tensors[i];
        size_t n_read, bad = first_bad(t, &n_read);
        n_numbers += n_read;
        n_unread += bad == t->n_elements && n_read < bad;
        if (bad == t->n_elements || n_bad++ > 0)
            continue;
        char name[NAME_TEXT];
        doctor_put(report, DOCTOR_NUMBERS, DOCTOR_SICK, "%s: number %zu of "
                   "row %zu is NaN or infinite, expected finite numbers",
                   name_text(t->name.bytes, t->name.n_bytes, name),
                   bad % (size_t)t->dims[0], bad / (size_t)t->dims[0]);
    }
    if (n_bad == 0 && n_unread == 0)
        doctor_put(report, DOCTOR_NUMBERS, DOCTOR_GOOD, "all %" PRIu64
                   " are finite", n_numbers);
    else if (n_bad == 0)
        doctor_put(report, DOCTOR_NUMBERS, DOCTOR_UNUSUAL, "%" PRIu64 " are "
                   "finite; %zu tensors are of types that are not decoded "
                   "here", n_numbers, n_unread);
}
// @end doctor-numbers-2

// @begin doctor-options
// A failure of the caller or the machine, not of the file.
static bool is_ours(lll_status status)
{
    return status == LLL_ERR_MEMORY || status == LLL_ERR_ARGUMENT
           || status == LLL_ERR_OVERFLOW;
}

// What no file is to blame for, whatever it holds.
static lll_status check_options(const session_options *o, lll_error *err)
{
    const kernels *set;
    const pretokenizer *pre;
    lll_status status = kernels_select(o->isa, &set, err);
    if (status == LLL_OK && o->pre != NULL)
        status = pretokenize_find(o->pre, strlen(o->pre), &pre, err);
    return status;
}
// @end doctor-options

// @begin doctor-vocabulary
// Do the list of tokens and the table of their vectors belong together?
static lll_status look_at_vocabulary(doctor_report *report,
                                     const gguf_file *file, const char *pre,
                                     lll_error *err)
{
    const gguf_value *list = gguf_find_value(file, "tokenizer.ggml.tokens");
    gguf_tensor table;
    tokenizer words;
    lll_error own;
    lll_status status = gguf_find_tensor(file, "token_embd.weight", NULL, 0,
                                         &table, &own);
    if (status == LLL_OK)
        status = tokenizer_init(&words, file, pre, &own);
    if (is_ours(status))
        return lll_fail(err, status, "%s", own.text);
    if (status != LLL_OK) {
        doctor_put(report, DOCTOR_VOCABULARY, DOCTOR_SICK, "%s", own.text);
        return LLL_OK;
    }
    bool fits = table.n_dims == 2 && list->n_items == table.dims[1];
    doctor_put(report, DOCTOR_VOCABULARY, fits ? DOCTOR_GOOD : DOCTOR_SICK,
               "%" PRIu64 " tokens, and token_embd.weight has %" PRIu64
               " rows", list->n_items, table.dims[1]);
    if (fits && words.add_bos && words.bos < 0)
        doctor_put(report, DOCTOR_VOCABULARY, DOCTOR_SICK, "texts begin with "
                   "a BOS, and tokenizer.ggml.bos_token_id is missing");
    tokenizer_free(&words);
    return LLL_OK;
}
// @end doctor-vocabulary

// @begin doctor-shape
static void look_at_shape(doctor_report *report, const gguf_file *file,
                          model_config *c)
{
    lll_error err;
    char count[32];
    if (config_from_gguf(c, file, &err) != LLL_OK
        || config_check_llama(c, file->path, &err) != LLL_OK) {
        doctor_put(report, DOCTOR_SHAPE, DOCTOR_SICK, "%s", err.text);
        return;
    }
    snprintf(count, sizeof count, "%.4g million numbers",
             (double)config_count(c).total / 1e6);
    const doctor_model *known = doctor_known(c, NULL);
    doctor_put(report, DOCTOR_SHAPE, DOCTOR_GOOD, "a Llama of %d layers, %s"
               "%s%s", c->n_layers, count,
               known != NULL ? ", as " : "",
               known != NULL ? known->name : "");
}
// @end doctor-shape

// @begin doctor-run
// Run the model, which the rows so far have found to be whole.
static lll_status look_inside(doctor_report *report, const char *path,
                              const model_config *c,
                              const session_options *options,
                              void (*progress)(void *, double),
                              void *context, lll_error *err)
{
    session s;
    lll_error own;
    session_options o = *options;
    o.n_ctx = c->context_length < DOCTOR_CONTEXT ? c->context_length
                                                 : DOCTOR_CONTEXT;
    o.n_batch = o.n_outputs = DOCTOR_BATCH;
    lll_status status = session_open(&s, path, &o, &own);
    if (is_ours(status))
        return lll_fail(err, status, "%s", own.text);
    if (status != LLL_OK) {
        doctor_put(report, DOCTOR_SHAPE, DOCTOR_SICK, "%s", own.text);
        return LLL_OK;
    }
    doctor_talk(report, &s.file, &s.words);
    if (report->rows[DOCTOR_NUMBERS].verdict != DOCTOR_SICK)
        status = doctor_text(report, &s, progress, context, err);
    session_close(&s);
    return status;
}
// @end doctor-run

// @begin doctor-outside
// What can be seen without running anything.
static lll_status look_outside(doctor_report *report, const gguf_file *file,
                               const char *pre, model_config *config,
                               lll_error *err)
{
    char size[32];
    size_text(file->n_bytes, size, sizeof size);
    doctor_put(report, DOCTOR_FILE, DOCTOR_GOOD, "GGUF %" PRIu32 ", %zu "
               "tensors, %s", file->version, file->n_tensors, size);
    lll_status status = look_at_vocabulary(report, file, pre, err);
    if (status != LLL_OK)
        return status;
    if (report->n_sick == 0)
        look_at_shape(report, file, config);
    look_at_numbers(report, file);
    return LLL_OK;
}
// @end doctor-outside

// @begin doctor-examine
lll_status doctor_examine(doctor_report *report, const char *path,
                          const session_options *options,
                          void (*progress)(void *, double), void *context,
                          lll_error *err)
{
    doctor_report r = {0};
    gguf_file file;
    model_config config;
    lll_error own;
    lll_status status = check_options(options, err);
    if (status != LLL_OK)
        return status;
    status = gguf_open(&file, path, &own);
    if (status == LLL_ERR_MEMORY)
        return lll_fail(err, status, "%s", own.text);
    for (int i = 0; i < DOCTOR_CHECKS; i++)
        doctor_put(&r, (doctor_check)i, DOCTOR_UNSEEN,
                   "what is wrong above comes first");
    if (status != LLL_OK) {
        doctor_put(&r, DOCTOR_FILE, DOCTOR_SICK, "%s", own.text);
        status = LLL_OK;
    } else {
        status = look_outside(&r, &file, options->pre, &config, err);
    }
    if (status == LLL_OK && r.rows[DOCTOR_SHAPE].verdict == DOCTOR_GOOD)
        status = look_inside(&r, path, &config, options, progress, context,
                             err);
    gguf_close(&file);
    if (status == LLL_OK)
        *report = r;
    return status;
}
// @end doctor-examine
