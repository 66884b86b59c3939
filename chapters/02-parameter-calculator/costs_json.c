// What a model costs, as data.
#include "chapters/02-parameter-calculator/memory.h"
#include "common/size.h"

// @begin costs-json-items
// A size that does not fit in size_t is null.
static void put_bytes(json_out *json, const char *key, size_t bytes)
{
    json_out_key(json, key);
    if (bytes == SIZE_MAX)
        json_out_null(json);
    else
        json_out_u64(json, bytes);
}

static void put_real(json_out *json, const char *key, double value)
{
    json_out_key(json, key);
    json_out_f64(json, value);
}

static void put_text(json_out *json, const char *key, const char *text)
{
    json_out_key(json, key);
    if (text == NULL)
        json_out_null(json);
    else
        json_out_text(json, text);
}

static void put_object(json_out *json, const char *key)
{
    json_out_key(json, key);
    json_out_object(json);
}
// @end costs-json-items

// @begin costs-json-stored
// Weights of `bytes`, of which a number has `number`; without a type those
// of a file, which has several.
static void put_stored(json_out *json, const cost_question *q,
                       const char *name, const char *type, double number,
                       size_t bytes)
{
    double empty = cost_token_bytes(q->config, number, q->run.cache_type, 0);
    double full = cost_token_bytes(q->config, number, q->run.cache_type,
                                   q->run.n_ctx);
    put_object(json, name);
    put_text(json, "type", type);
    put_real(json, "bits", 8 * number);
    put_bytes(json, "bytes", bytes);
    put_real(json, "token_bytes", empty);
    put_real(json, "token_bytes_full", full);
    if (q->bandwidth > 0) {
        put_real(json, "tokens_per_second", q->bandwidth / empty);
        put_real(json, "tokens_per_second_full", q->bandwidth / full);
    }
    json_out_end(json);
}
// @end costs-json-stored

// @begin costs-json-weights
static void put_weights(json_out *json, const cost_question *q)
{
    const model_config *c = q->config;
    put_object(json, "weights");
    if (q->file_bytes > 0)
        put_stored(json, q, "this file", NULL, q->number_bytes,
                   q->tensor_bytes);
    for (int i = 0; i < N_STORED_TYPES; i++) {
        const stored_type *s = &stored_types[i];
        put_stored(json, q, s->name, dtype_name((uint32_t)s->type),
                   cost_number_bytes(c, s->type), cost_weights(c, s->type));
    }
    json_out_end(json);
}
// @end costs-json-weights

// @begin costs-json-cache
static void put_cache(json_out *json, const cost_question *q)
{
    static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q8_0};
    put_object(json, "cache");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (plan_kv_check(types[i], q->config->head_dim, NULL) != LLL_OK)
            continue;
        put_object(json, dtype_name((uint32_t)types[i]));
        put_bytes(json, "position", cost_cache_position(q->config, types[i]));
        put_bytes(json, "context",
                  size_times((size_t)q->run.n_sequences,
                             plan_kv_cache(q->config, types[i],
                                           q->run.n_ctx)));
        json_out_end(json);
    }
    json_out_end(json);
}
// @end costs-json-cache

// @begin costs-json-operations
static void put_operations(json_out *json, const cost_question *q)
{
    operation_count f = cost_forward(q->config, q->run.n_ctx);
    operation_count t = cost_forward_backward(q->config, &q->training);
    put_object(json, "operations");
    put_real(json, "forward_matrices", f.matrices);
    put_real(json, "forward_attention", f.attention);
    put_real(json, "training_matrices", t.matrices);
    put_real(json, "training_attention", t.attention);
    json_out_end(json);
}

static void put_training(json_out *json, const cost_question *q)
{
    training_cost t = cost_training(q->config, &q->training);
    put_object(json, "training");
    json_out_key(json, "texts");
    json_out_i64(json, q->training.activations.n_batch);
    json_out_key(json, "block");
    json_out_i64(json, q->training.activations.n_block);
    json_out_key(json, "trained");
    json_out_u64(json, t.n_trained);
    for (int i = 0; i < TRAIN_PARTS; i++)
        put_bytes(json, train_part_name((train_part)i), t.bytes[i]);
    put_bytes(json, "total", t.total);
    put_object(json, "kept");
    for (int i = 0; i < KEPT_PARTS; i++)
        put_bytes(json, kept_part_name((kept_part)i), t.kept.bytes[i]);
    json_out_end(json);
    put_bytes(json, "layer_linear", t.kept.layer_linear);
    put_bytes(json, "layer_square", t.kept.layer_square);
    json_out_end(json);
}
// @end costs-json-operations

// @begin costs-json-verdict
static void put_verdict(json_out *json, const cost_question *q)
{
    const model_config *c = q->config;
    const stored_type *best = advice_type(c, &q->run, q->memory);
    const training_way *way = advice_training(c, &q->training, q->memory);
    size_t run = advice_run_bytes(c, q->weight_bytes, &q->run);
    size_t train = cost_training(c, &q->training).total;
    put_object(json, "verdict");
    put_bytes(json, "memory", q->memory);
    put_text(json, "weights", q->weights);
    put_bytes(json, "running", run);
    json_out_key(json, "runs");
    json_out_bool(json, run <= q->memory);
    json_out_key(json, "trains");
    json_out_bool(json, train <= q->memory);
    json_out_key(json, "longest_context");
    json_out_i64(json, advice_context(c, q->weight_bytes, &q->run,
                                      q->memory));
    json_out_key(json, "longest_block");
    json_out_i64(json, advice_block(c, &q->training, q->memory));
    put_text(json, "best_type", best == NULL ? NULL : best->name);
    put_text(json, "training", way == NULL ? NULL : way->name);
    put_text(json, "advice", advice_by_size(config_count(c).total));
    json_out_end(json);
}

// @end costs-json-verdict

// @begin costs-json
void json_plan(json_out *json, const memory_plan *plan,
               const cost_question *q)
{
    put_object(json, "memory");
    for (int i = 0; i < PLAN_PARTS; i++)
        put_bytes(json, plan_part_name((plan_part)i), plan->bytes[i]);
    put_bytes(json, "total", plan->total);
    json_out_end(json);
    if (q->file_bytes > 0)
        put_bytes(json, "mapped_bytes", (size_t)q->file_bytes);
}

void json_costs(json_out *json, const cost_question *q)
{
    if (q->bandwidth > 0)
        put_real(json, "bandwidth", q->bandwidth);
    put_weights(json, q);
    put_cache(json, q);
    put_operations(json, q);
    put_training(json, q);
    if (q->memory > 0)
        put_verdict(json, q);
    if (q->one_core > 0) {
        put_real(json, "one_core", q->one_core);
        put_real(json, "all_cores", q->bandwidth);
        put_real(json, "all_cores_in_order", q->in_order);
    }
}
// @end costs-json
