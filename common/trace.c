#include "common/trace.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/size.h"

enum { MAX_COUNT = 1 << 20 };   // tokens, heads, channels: more is damage

// @begin trace-count
static lll_status get_count(const gguf_file *file, const char *key, int *out,
                            lll_error *err)
{
    uint64_t number;
    lll_status status = gguf_get_u64(file, key, &number, err);
    if (status != LLL_OK)
        return status;
    if (number < 1 || number > MAX_COUNT)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %s is %" PRIu64 ", expected 1 to %d",
                        file->path, key, number, MAX_COUNT);
    *out = (int)number;
    return LLL_OK;
}
// @end trace-count

// @begin trace-numbers
static lll_status read_numbers(trace *t, lll_error *err)
{
    const gguf_file *file = &t->file;
    double eps;
    lll_status status;
    if ((status = get_count(file, "llama.embedding_length", &t->d_model,
                            err)) != LLL_OK
        || (status = get_count(file, "llama.attention.head_count",
                               &t->n_heads, err)) != LLL_OK
        || (status = get_count(file, "llama.attention.head_count_kv",
                               &t->n_kv_heads, err)) != LLL_OK
        || (status = get_count(file, "llama.rope.dimension_count",
                               &t->rope_dim, err)) != LLL_OK
        || (status = gguf_get_f64(file, "llama.rope.freq_base",
                                  &t->rope_theta, err)) != LLL_OK
        || (status = gguf_get_f64(file,
                                  "llama.attention.layer_norm_rms_epsilon",
                                  &eps, err)) != LLL_OK)
        return status;
    t->norm_eps = (float)eps;

    // A model whose heads are not d_model / n_heads wide says so by a key.
    t->head_dim = t->d_model / t->n_heads;
    if (gguf_find_value(file, "llama.attention.key_length") != NULL)
        return get_count(file, "llama.attention.key_length", &t->head_dim,
                         err);
    return LLL_OK;
}
// @end trace-numbers

// @begin trace-check
static lll_status check_numbers(const trace *t, lll_error *err)
{
    const char *path = t->file.path;
    if (t->n_heads % t->n_kv_heads != 0)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %d query heads cannot share %d key-value heads "
                        "evenly", path, t->n_heads, t->n_kv_heads);
    if (t->rope_dim % 2 != 0 || t->rope_dim > t->head_dim)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: llama.rope.dimension_count is %d, expected an "
                        "even number up to the head's %d",
                        path, t->rope_dim, t->head_dim);
    // Rows of n_heads * head_dim are counted in an int.
    if (t->head_dim > MAX_COUNT / t->n_heads)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %d heads of %d numbers, expected at most %d "
                        "numbers in a row", path, t->n_heads, t->head_dim,
                        MAX_COUNT);
    if (!(t->rope_theta > 0) || !isfinite(t->rope_theta)
        || !(t->norm_eps > 0) || !isfinite(t->norm_eps))
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: rope base %g and norm epsilon %g, expected both "
                        "above 0", path, t->rope_theta, (double)t->norm_eps);
    return LLL_OK;
}
// @end trace-check

// @begin trace-array
// An array of the file, or a sentence that says what is there instead.
static lll_status find_array(const gguf_file *file, const char *key,
                             bool strings, const gguf_value **out,
                             lll_error *err)
{
    const gguf_value *value = gguf_find_value(file, key);
    if (value == NULL)
        return lll_fail(err, LLL_ERR_NOT_FOUND, "%s: no key %s, expected in "
                        "a trace", file->path, key);
    bool number = value->item_type != GGUF_STRING
                  && value->item_type != GGUF_ARRAY;
    if (value->type != GGUF_ARRAY || number == strings
        || value->n_items < 1 || value->n_items > MAX_COUNT)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %s is not a list of 1 to %d %s", file->path,
                        key, MAX_COUNT, strings ? "texts" : "numbers");
    *out = value;
    return LLL_OK;
}
// @end trace-array

// @begin trace-tokens
static lll_status read_tokens(trace *t, lll_error *err)
{
    const gguf_value *tokens;
    lll_status status = find_array(&t->file, "trace.tokens", true, &tokens,
                                   err);
    if (status != LLL_OK)
        return status;
    t->n_tokens = (int)tokens->n_items;
    t->tokens = calloc((size_t)t->n_tokens, sizeof *t->tokens);
    if (t->tokens == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory for %d tokens",
                        t->file.path, t->n_tokens);
    const unsigned char *cursor = tokens->bytes;
    for (int i = 0; i < t->n_tokens; i++)
        t->tokens[i] = gguf_next_string(&cursor);
    return LLL_OK;
}
// @end trace-tokens

// @begin trace-layers
static lll_status read_layers(trace *t, lll_error *err)
{
    const gguf_value *list = NULL;
    // Without a list every layer was recorded.
    lll_status status =
        gguf_find_value(&t->file, "trace.layers") == NULL
        ? get_count(&t->file, "llama.block_count", &t->n_layers, err)
        : find_array(&t->file, "trace.layers", false, &list, err);
    if (status != LLL_OK)
        return status;
    if (list != NULL)
        t->n_layers = (int)list->n_items;
    t->layers = calloc((size_t)t->n_layers, sizeof *t->layers);
    if (t->layers == NULL)
        return lll_fail(err, LLL_ERR_MEMORY, "%s: no memory for %d layers",
                        t->file.path, t->n_layers);
    for (int i = 0, least = 0; i < t->n_layers; i++) {
        // Compared before the 64 bits of the file become an int.
        int64_t layer = list == NULL ? i : gguf_item_i64(list, (uint64_t)i);
        if (layer < least || layer >= MAX_COUNT)
            return lll_fail(err, LLL_ERR_FORMAT,
                            "%s: trace.layers[%d] is %" PRId64 ", expected "
                            "%d to %d: layers rise", t->file.path, i, layer,
                            least, MAX_COUNT - 1);
        t->layers[i] = (int)layer;
        least = (int)layer + 1;
    }
    return LLL_OK;
}
// @end trace-layers

// @begin trace-decode
static lll_status decode(const gguf_tensor *tensor, float **out,
                         lll_error *err)
{
    size_t bytes;
    float *values = NULL;
    if (size_mul(tensor->n_elements, sizeof *values, &bytes))
        values = malloc(bytes);
    if (values == NULL)
        return lll_fail(err, LLL_ERR_MEMORY,
                        "no memory for %zu numbers of a trace",
                        tensor->n_elements);
    if (tensor->type == DTYPE_F32) {
        memcpy(values, tensor->data, bytes);
    } else {
        const uint16_t *half = tensor->data;
        for (size_t i = 0; i < tensor->n_elements; i++)
            values[i] = f16_to_f32(half[i]);
    }
    *out = values;
    return LLL_OK;
}
// @end trace-decode

// @begin trace-scale
// A model with a longer context than it was trained for turns more slowly:
// all pairs by one factor, or each by its own.
static lll_status read_scale(trace *t, lll_error *err)
{
    const char *factor = "llama.rope.scaling.factor";
    gguf_string type;
    t->rope_scale = 1;
    if (gguf_find_value(&t->file, "llama.rope.scaling.type") == NULL)
        return LLL_OK;
    lll_status status = gguf_get_string(&t->file, "llama.rope.scaling.type",
                                        &type, err);
    if (status == LLL_OK && gguf_string_is(type, "none"))
        return LLL_OK;
    if (status == LLL_OK && !gguf_string_is(type, "linear"))
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: llama.rope.scaling.type is neither \"none\" nor "
                        "\"linear\", which is all we can compute",
                        t->file.path);
    if (status == LLL_OK)
        status = gguf_get_f64(&t->file, factor, &t->rope_scale, err);
    if (status == LLL_OK && !(t->rope_scale > 0 && t->rope_scale <= 1e6))
        return lll_fail(err, LLL_ERR_FORMAT, "%s: %s is %g, expected a "
                        "number above 0, at most 1e6", t->file.path, factor,
                        t->rope_scale);
    return status;
}
// @end trace-scale

// @begin trace-factors
static lll_status read_factors(trace *t, lll_error *err)
{
    const char *name = "rope_freqs.weight";
    const uint64_t dims[] = {(uint64_t)t->rope_dim / 2};
    gguf_tensor tensor;
    if (gguf_find_tensor(&t->file, name, NULL, 0, &tensor, NULL)
        == LLL_ERR_NOT_FOUND)
        return LLL_OK;
    lll_status status = gguf_find_tensor(&t->file, name, dims, 1, &tensor,
                                         err);
    if (status == LLL_OK && tensor.type != DTYPE_F32)
        return lll_fail(err, LLL_ERR_UNSUPPORTED, "%s: %s is stored as %s, "
                        "expected F32", t->file.path, name,
                        dtype_name((uint32_t)tensor.type));
    if (status == LLL_OK)
        status = decode(&tensor, &t->rope_factors, err);
    for (int i = 0; i < t->rope_dim / 2 && status == LLL_OK; i++)
        if (!(t->rope_factors[i] > 0) || !isfinite(t->rope_factors[i]))
            status = lll_fail(err, LLL_ERR_FORMAT, "%s: %s[%d] is %g, "
                              "expected a number above 0", t->file.path,
                              name, i, (double)t->rope_factors[i]);
    return status;
}
// @end trace-factors

// @begin trace-open
lll_status trace_open(trace *t, const char *path, lll_error *err)
{
    gguf_string type;
    memset(t, 0, sizeof *t);
    lll_status status = gguf_open(&t->file, path, err);
    if (status != LLL_OK)
        return status;
    if (gguf_get_string(&t->file, "general.type", &type, NULL) != LLL_OK
        || !gguf_string_is(type, "trace"))
        status = lll_fail(err, LLL_ERR_FORMAT,
                          "%s: general.type is not \"trace\": this is no "
                          "recording; chapter-08/run --trace FILE makes one",
                          path);
    if (status == LLL_OK)
        status = read_numbers(t, err);
    if (status == LLL_OK)
        status = check_numbers(t, err);
    if (status == LLL_OK)
        status = read_scale(t, err);
    if (status == LLL_OK)
        status = read_factors(t, err);
    if (status == LLL_OK)
        status = read_tokens(t, err);
    if (status == LLL_OK)
        status = read_layers(t, err);
    if (status != LLL_OK)
        trace_close(t);
    return status;
}
// @end trace-open

// @begin trace-close
void trace_close(trace *t)
{
    free(t->rope_factors);
    free(t->tokens);
    free(t->layers);
    gguf_close(&t->file);
    memset(t, 0, sizeof *t);
}
// @end trace-close

// @begin trace-last-layer
int trace_last_layer(const trace *t)
{
    return t->layers[t->n_layers - 1];
}
// @end trace-last-layer

// @begin trace-find
static lll_status check_layer(const trace *t, int layer, lll_error *err)
{
    char list[128] = "";
    for (int i = 0; i < t->n_layers; i++) {
        size_t used = strlen(list);
        if (t->layers[i] == layer)
            return LLL_OK;
        snprintf(list + used, sizeof list - used, "%s%d", i > 0 ? ", " : "",
                 t->layers[i]);
    }
    return lll_fail(err, LLL_ERR_NOT_FOUND,
                    "%s: layer %d was not recorded, only %s",
                    t->file.path, layer, list);
}

// The step's tensor. A recording of a whole pass has no "input", because that
// is what the layer before left behind.
static lll_status find_step(const trace *t, int layer, const char *name,
                            gguf_tensor *tensor, char *full, size_t capacity,
                            lll_error *err)
{
    snprintf(full, capacity, "blk.%d.%s", layer, name);
    lll_status status = gguf_find_tensor(&t->file, full, NULL, 0, tensor,
                                         err);
    if (status != LLL_ERR_NOT_FOUND || strcmp(name, "input") != 0)
        return status;
    if (layer == 0)
        snprintf(full, capacity, "embedding");
    else
        snprintf(full, capacity, "blk.%d.ffn_residual", layer - 1);
    return gguf_find_tensor(&t->file, full, NULL, 0, tensor, err);
}
// @end trace-find

// @begin trace-shape
// What the settings say about the shape of a step.
static void expected_shape(const trace *t, const char *name, uint64_t *rows,
                           uint64_t *columns)
{
    int heads = name[0] == 'q' ? t->n_heads : t->n_kv_heads;
    bool per_head = name[0] == 'q' || name[0] == 'k' || name[0] == 'v';
    *rows = strcmp(name, "attn_norm.weight") == 0 ? 1
                                                  : (uint64_t)t->n_tokens;
    *columns = per_head ? (uint64_t)heads * (uint64_t)t->head_dim
                        : (uint64_t)t->d_model;
}
// @end trace-shape

// @begin trace-read
lll_status trace_read(const trace *t, int layer, const char *name,
                      trace_rows *out, lll_error *err)
{
    char full[64];
    gguf_tensor tensor;
    uint64_t rows, columns;
    lll_status status = check_layer(t, layer, err);
    if (status != LLL_OK)
        return status;
    status = find_step(t, layer, name, &tensor, full, sizeof full, err);
    if (status != LLL_OK)
        return status;

    expected_shape(t, name, &rows, &columns);
    if (tensor.dims[0] != columns || tensor.n_elements != rows * columns)
        return lll_fail(err, LLL_ERR_FORMAT,
                        "%s: %s holds %zu numbers in rows of %" PRIu64
                        ", expected %" PRIu64 " rows of %" PRIu64,
                        t->file.path, full, tensor.n_elements,
                        tensor.dims[0], rows, columns);
    if (tensor.type != DTYPE_F32 && tensor.type != DTYPE_F16)
        return lll_fail(err, LLL_ERR_UNSUPPORTED,
                        "%s: %s is stored as %s, expected F32 or F16",
                        t->file.path, full,
                        dtype_name((uint32_t)tensor.type));
    float *values = NULL;
    status = decode(&tensor, &values, err);
    if (status == LLL_OK)
        *out = (trace_rows){(int)rows, (int)columns, tensor.type, values};
    return status;
}

// @end trace-read

// @begin trace-free
void trace_rows_free(trace_rows *rows)
{
    free(rows->values);
    memset(rows, 0, sizeof *rows);
}
// @end trace-free

// @begin trace-difference
double trace_difference(const float *a, const float *b, size_t n)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        // fmax() would quietly drop a NaN, and a NaN is the worst there is.
        if (isnan(difference))
            return difference;
        worst = fmax(worst, difference);
        largest = fmax(largest, fabs((double)b[i]));
    }
    return largest > 0 ? worst / largest : worst;
}
// @end trace-difference

// @begin trace-limit
double trace_limit(dtype type)
{
    // F16 keeps 11 bits, so storing a number moves it by up to 2^-11 of
    // itself. The result was moved once. The input was too, and that counts
    // at most twice: a turned pair mixes two numbers, the norm has its mean.
    // Three times 2^-11, rounded up to a power of two: 2^-9.
    if (type == DTYPE_F16)
        return 0x1p-9;
    // Floats are rounded by 2^-24 a step, and 1e-5 is 167 of those: the
    // longest chain, one of the norm's sixteen sums, has 132 steps for a
    // vector of 2048 channels.
    return 1e-5;
}
// @end trace-limit
