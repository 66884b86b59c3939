#include "common/importance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf_write.h"
#include "common/size.h"

// @begin importance-inputs
// What is multiplied, and with which matrices: names of the watched steps,
// and of tensors. The last is outside of layers.
static const struct {
    const char *step;
    const char *matrices[3];
} inputs[IMPORTANCE_INPUTS + 1] = {
    {"attn_norm", {"attn_q", "attn_k", "attn_v"}},
    {"attention", {"attn_output"}},
    {"ffn_norm", {"ffn_gate", "ffn_up"}},
    {"ffn_act", {"ffn_down"}},
    {"final_norm", {"output"}},
};

static size_t width(const model_config *c, int input)
{
    return input == 1 ? (size_t)c->n_heads * (size_t)c->head_dim
         : (size_t)(input == 3 ? c->d_ff : c->d_model);
}
// @end importance-inputs

// @begin importance-inputs-2
// Where the sums of an input begin. Layer n_layers is the output.
static size_t place(const model_config *c, int layer, int input)
{
    size_t layer_width = 0, before = 0;
    for (int i = 0; i < IMPORTANCE_INPUTS; i++) {
        layer_width += width(c, i);
        if (i < input)
            before += width(c, i);
    }
    return (size_t)layer * layer_width + before;
}

static size_t sums_bytes(const model_config *c)
{
    size_t n = size_plus(place(c, c->n_layers, 0), (size_t)c->d_model);
    return size_times(n, sizeof(double));
}
// @end importance-inputs-2

// @begin importance-watch
static void watch(void *context, const char *name, int layer,
                  const float *values, int n_rows, int n_columns)
{
    importance *seen = context;
    const model_config *c = &seen->model->config;
    int input = 0;
    while (input <= IMPORTANCE_INPUTS
           && strcmp(inputs[input].step, name) != 0)
        input++;
    if (input > IMPORTANCE_INPUTS)
        return;
    double *sums = seen->sums + (layer < 0 ? place(c, c->n_layers, 0)
                                           : place(c, layer, input));
    // Token by token, so that batches do not change the order of the sums.
    for (int r = 0; r < n_rows; r++)
        for (int i = 0; i < n_columns; i++) {
            double x = (double)values[(size_t)r * (size_t)n_columns
                                      + (size_t)i];
            sums[i] += x * x;
        }
    if (layer < 0)
        seen->n_final += (uint64_t)n_rows;
    else if (layer == 0 && input == 0)
        seen->n_tokens += (uint64_t)n_rows;
}
// @end importance-watch

// @begin importance-begin
lll_status importance_begin(importance *seen, llama *model, lll_error *err)
{
    size_t bytes = sums_bytes(&model->config);
    double *sums = calloc(1, bytes);
    if (sums == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "no memory for %zu bytes of "
                        "sums of squares", bytes);
    *seen = (importance){.model = model, .sums = sums};
    model->observe = watch;
    model->observer = seen;
    return LLL_OK;
}

void importance_end(importance *seen)
{
    if (seen->model != NULL) {
        seen->model->observe = NULL;
        seen->model->observer = NULL;
    }
    free(seen->sums);
    memset(seen, 0, sizeof *seen);
}
// @end importance-begin

// @begin importance-list
enum {
    NAME_BYTES = 64,
    VALUES_BYTES = 512      // of all entries, with a file's name among them
};

static size_t n_tensors(const model_config *c)
{
    return ((size_t)c->n_layers * 7 + 1) * 2;
}

size_t importance_bytes(const model_config *config, const char *path)
{
    return size_plus(sums_bytes(config),
                     gguf_writer_bytes(VALUES_BYTES, n_tensors(config),
                                       path));
}

// Both tensors of a matrix: columns first, as files have it.
static void list_matrix(gguf_writer *out, const char *matrix, int layer,
                        size_t columns)
{
    const uint64_t dims[] = {columns, 1}, one[] = {1, 1};
    char name[NAME_BYTES];
    int n = layer < 0 ? snprintf(name, sizeof name, "%s.weight", matrix)
          : snprintf(name, sizeof name, "blk.%d.%s.weight", layer, matrix);
    snprintf(name + n, sizeof name - (size_t)n, ".in_sum2");
    gguf_add_tensor(out, name, DTYPE_F32, dims, 2, NULL);
    snprintf(name + n, sizeof name - (size_t)n, ".counts");
    gguf_add_tensor(out, name, DTYPE_F32, one, 2, NULL);
}
// @end importance-list

// @begin importance-values
static lll_status write_matrix(gguf_writer *out, const double *sums,
                               size_t columns, uint64_t n, lll_error *err)
{
    enum { AT_ONCE = 256 };
    float piece[AT_ONCE], count = (float)n;
    lll_status status = LLL_OK;
    for (size_t i = 0; i < columns && status == LLL_OK; i += AT_ONCE) {
        size_t m = columns - i < AT_ONCE ? columns - i : AT_ONCE;
        for (size_t j = 0; j < m; j++)
            piece[j] = (float)sums[i + j];
        status = gguf_write_data(out, piece, m * sizeof *piece, err);
    }
    if (status == LLL_OK)
        status = gguf_write_data(out, &count, sizeof count, err);
    return status;
}
// @end importance-values

// @begin importance-values-2
// Go through all matrices: list them, or write their numbers.
static lll_status each_matrix(const importance *seen, gguf_writer *out,
                              bool list, lll_error *err)
{
    const model_config *c = &seen->model->config;
    lll_status status = LLL_OK;
    for (int layer = 0; layer <= c->n_layers; layer++) {
        bool last = layer == c->n_layers;
        int from = last ? IMPORTANCE_INPUTS : 0;
        int to = last ? IMPORTANCE_INPUTS + 1 : IMPORTANCE_INPUTS;
        for (int k = from * 3; k < to * 3 && status == LLL_OK; k++) {
            const char *matrix = inputs[k / 3].matrices[k % 3];
            if (last && c->tied_output && matrix != NULL)
                matrix = "token_embd";
            if (matrix != NULL && list)
                list_matrix(out, matrix, last ? -1 : layer, width(c, k / 3));
            else if (matrix != NULL)
                status = write_matrix(out, seen->sums
                                      + place(c, layer, last ? 0 : k / 3),
                                      width(c, k / 3), last ? seen->n_final
                                      : seen->n_tokens, err);
        }
    }
    return status;
}
// @end importance-values-2

// @begin importance-write
lll_status importance_write(const importance *seen, const char *path,
                            const char *text, int chunk_size, lll_error *err)
{
    const model_config *c = &seen->model->config;
    const char *slash = strrchr(text, '/');
    const char *name = slash != NULL ? slash + 1 : text;
    const gguf_string read = {name, strlen(name)};
    uint64_t size = (uint64_t)chunk_size;
    gguf_writer out;
    if (seen->n_tokens == 0)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: not written: no token "
                        "went through the model", path);
    gguf_writer_init(&out);
    gguf_writer_reserve(&out, VALUES_BYTES, n_tensors(c));
    gguf_set_string(&out, "general.type", "imatrix", 7);
    gguf_set_strings(&out, "imatrix.datasets", &read, 1);
    gguf_set_u32(&out, "imatrix.chunk_count",
                 (uint32_t)((seen->n_tokens + size - 1) / size));
    gguf_set_u32(&out, "imatrix.chunk_size", (uint32_t)size);
    (void)each_matrix(seen, &out, true, NULL);
    lll_status status = gguf_write_begin(&out, path, err);
    if (status == LLL_OK)
        status = each_matrix(seen, &out, false, err);
    if (status == LLL_OK)
        status = gguf_write_end(&out, err);
    gguf_writer_free(&out);
    return status;
}
// @end importance-write
