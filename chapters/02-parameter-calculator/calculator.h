#ifndef CHAPTERS_02_CALCULATOR_H
#define CHAPTERS_02_CALCULATOR_H

#include "chapters/02-parameter-calculator/memory.h"
#include "common/args.h"
#include "common/config.h"
#include "common/error.h"
#include "common/gguf.h"
#include "common/json_out.h"

// What the files of the calculator share: main.c reads the command line, and
// each of the others shows one thing.

// @begin settings
// What the command line says. A size of 0 was not given.
typedef struct {
    const char *gguf, *config, *arch;
    bool interactive;
    int64_t n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff;
    int64_t vocab_size, context_length;
    bool bias, no_bias, tied, untied;
    bool list, compare, formula, mistakes, json;
    int64_t n_ctx, n_batch, n_threads, n_sequences;
    const char *cache_type;
    cost_settings costs;
} settings;

// Put the rows of these options into `rows`, and tell how many they are.
enum { N_OPTIONS = 30 + N_COST_OPTIONS };
size_t calculator_options(settings *set, args_option *rows);

// Does every flag that is given count for what is to be shown?
// LLL_ERR_USAGE   no: which one, and beside which
lll_status check_asked(const settings *set, lll_error *err);
// Is a table wanted that is about other models than one that is described?
bool asks_of_others(const settings *set);
// Is a size, a bias or tying of the model given?
bool sizes_given(const settings *set);
// @end settings

// @begin model-api
// A model to count, and the file that it came from.
typedef struct {
    model_config config;
    gguf_file file;         // zeroed where it came from somewhere else
} model;

// From a file, GGUF or JSON: its first bytes tell.
lll_status model_open(model *m, const char *path, lll_error *err);
// From whatever the command line names, asking where it says so.
lll_status model_describe(model *m, const settings *set, lll_error *err);
void model_close(model *m);             // accepts a zeroed struct

// Ask for a description on standard error and read the answers from `in`; an
// empty line, or the end of input, keeps what stands in brackets.
lll_status ask_model(model_config *c, const settings *flags, FILE *in,
                     lll_error *err);

// Put other numbers in place of a model's, each where the command line gives
// one. What hangs on them is 0 then: change_model() computes it anew, and
// ends with config_check().
void replace_sizes(model_config *c, const settings *set);
lll_status change_model(model_config *c, const settings *set,
                        lll_error *err);
// @end model-api

// @begin models-api
// All configurations of a folder, the smallest first.
enum { MAX_MODELS = 64 };
typedef struct {
    model_config items[MAX_MODELS];
    int n_items;
} model_list;

lll_status models_read(model_list *list, const char *folder, lll_error *err);
// Those of the files that are named, in that order.
lll_status models_open(model_list *list, const args_list *paths,
                       lll_error *err);

void print_list(const model_list *list);        // a line for each
void print_side_by_side(const model_list *list);
lll_status print_models_json(const model_list *list, lll_error *err);
// @end models-api

// @begin bill-api
// The parameters by part, like a bill.
void print_bill(const model_config *c);
// Keys and values of an object that is open: the description, the parts.
void json_model(json_out *json, const model_config *c);
void json_parameters(json_out *json, const model_config *c);

// Does the file hold what was counted? Says which tensors do not fit.
void print_audit(const model *m);
void json_audit(json_out *json, const model *m);

// The same sums as algebra, with the model's numbers put in.
void print_formula(const model_config *c);
// What other calculators would say of this model, and why.
void print_mistakes(const model_config *c);
void json_mistakes(json_out *json, const model_config *c);
// @end bill-api

#endif
