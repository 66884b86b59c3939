#include "common/config_json.h"

#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "common/file.h"

// A configuration has a page or two; what is larger is another kind of file.
enum { MAX_FILE_BYTES = 1 << 20 };

// @begin config-json-keys
// What a key says, and where that goes.
typedef enum { SAYS_COUNT, SAYS_REAL, SAYS_FLAG, SAYS_BATCH, SAYS_TEXT,
               SAYS_FRACTION, SAYS_BIAS, SAYS_MORE, SAYS_NEVER,
               SAYS_NOTHING } key_kind;

typedef struct {
    const char *names[4];       // ours, the flag's, Hugging Face's
    key_kind kind;
    size_t offset;              // of the field in model_config
    bool required;
} json_key;

#define FIELD(name) offsetof(model_config, name)
static const json_key keys[] = {
    {{"n_layers", "n_layer", "num_hidden_layers"}, SAYS_COUNT,
     FIELD(n_layers), true},
    {{"d_model", "n_embd", "hidden_size"}, SAYS_COUNT, FIELD(d_model), true},
    {{"n_heads", "n_head", "num_attention_heads"}, SAYS_COUNT,
     FIELD(n_heads), true},
    {{"vocab_size"}, SAYS_COUNT, FIELD(vocab_size), true},
    {{"context_length", "block_size", "n_positions",
      "max_position_embeddings"}, SAYS_COUNT, FIELD(context_length), true},
    {{"n_kv_heads", "n_kv_head", "num_key_value_heads"}, SAYS_COUNT,
     FIELD(n_kv_heads), false},
    {{"head_dim"}, SAYS_COUNT, FIELD(head_dim), false},
    {{"d_ff", "n_inner", "intermediate_size"}, SAYS_COUNT, FIELD(d_ff),
     false},
    {{"batch_size", "batch"}, SAYS_BATCH, FIELD(batch_size), false},
    // @end config-json-keys
    // @begin config-json-keys-2
    {{"name", "_name_or_path"}, SAYS_TEXT, FIELD(name), false},
    {{"tied_output", "tied", "tie_word_embeddings"}, SAYS_FLAG,
     FIELD(tied_output), false},
    {{"bias"}, SAYS_BIAS, 0, false},
    {{"norm_bias"}, SAYS_FLAG, FIELD(norm_bias), false},
    // One name may stand in two rows, and then says both.
    {{"qkv_bias", "use_qkv_bias", "attention_bias"}, SAYS_FLAG,
     FIELD(qkv_bias), false},
    {{"attn_out_bias", "attention_bias"}, SAYS_FLAG, FIELD(attn_out_bias),
     false},
    {{"norm_eps", "rms_norm_eps", "layer_norm_epsilon", "layer_norm_eps"},
     SAYS_REAL, FIELD(norm_eps), false},
    {{"ffn_bias", "mlp_bias"}, SAYS_FLAG, FIELD(ffn_bias), false},
    {{"parallel_residual", "use_parallel_residual"}, SAYS_FLAG,
     FIELD(parallel_residual), false},
    {{"rope_fraction", "rotary_pct", "partial_rotary_factor", "rope_pct"},
     SAYS_FRACTION, FIELD(rope_dim), false},
    {{"rope_theta", "rotary_emb_base"}, SAYS_REAL, FIELD(rope_theta), false},
    // Newer files of theirs keep the two above in an object of its own.
    {{"rope_parameters"}, SAYS_MORE, 0, false},
    {{"qk_layernorm"}, SAYS_NEVER, 0, false},
    {{"architecture", "arch", "model_type"}, SAYS_NOTHING, 0, false},
    {{"note"}, SAYS_NOTHING, 0, false},
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };
// @end config-json-keys-2

// @begin config-json-reader
typedef struct {
    const char *path;
    file_map map;
    json_t *root;
    bool hugging_face;
    double rope_fraction;
    const char *object;             // the key of the one being read, if any
    struct {                        // what filled each row:
        const char *key, *object;   // its name, and where that stood
        const json_t *value;
    } said[N_KEYS];
    lll_error *err;
} reader;

// @end config-json-reader

// @begin config-json-line
// The line where a key stands, which the parsed tree no longer knows: in the
// outermost object or in one inside of it, as that is being read; else in the
// first that has it; 0 when it was written with escapes.
static int line_of(const reader *r, const char *key)
{
    const char *text = (const char *)r->map.bytes;
    size_t n_key = strlen(key);
    int line = 1, depth = 0, other = 0;
    for (size_t i = 0; i < r->map.n_bytes; i++) {
        line += text[i] == '\n';
        depth += (text[i] == '{' || text[i] == '[')
                 - (text[i] == '}' || text[i] == ']');
        if (text[i] != '"')
            continue;
        size_t start = ++i;
        while (i < r->map.n_bytes && text[i] != '"')
            i += text[i] == '\\' ? 2 : 1;
        size_t next = i + 1;
        while (next < r->map.n_bytes && strchr(" \t\r\n", text[next]) != NULL)
            next++;
        if (i - start != n_key || next >= r->map.n_bytes
            || text[next] != ':' || memcmp(text + start, key, n_key) != 0)
            continue;
        if ((depth == 1) == (r->object == NULL))
            return line;
        other = other == 0 ? line : other;
    }
    return other;
}
// @end config-json-line

// @begin config-json-wrong
// "c.json: line 5", or the name of the file alone where no line is known.
enum { PLACE_BYTES = 512 };
static const char *place(const reader *r, const char *key,
                         char text[PLACE_BYTES])
{
    int line = line_of(r, key);
    if (line > 0)
        snprintf(text, PLACE_BYTES, "%s: line %d", r->path, line);
    return line > 0 ? text : r->path;
}

static lll_status wrong(const reader *r, lll_status code, const char *key,
                        const json_t *value, const char *expected)
{
    char *found = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    char where[PLACE_BYTES], some[61] = "something";
    if (found != NULL)
        config_copy_name(some, sizeof some, found, strlen(found));
    lll_status status = lll_fail(r->err, code, "%s: %s: found %s, expected "
                                 "%s", place(r, key, where), key, some,
                                 expected);
    free(found);
    return status;
}
// @end config-json-wrong

// @begin config-json-value
static lll_status read_number(reader *r, const json_key *k, const char *key,
                              const json_t *value, model_config *c)
{
    void *field = (char *)c + k->offset;
    json_int_t count = json_integer_value(value);
    double real = json_number_value(value);
    if (k->kind == SAYS_COUNT) {
        if (!json_is_integer(value) || count < 1
            || count > CONFIG_MAX_DIMENSION)
            return wrong(r, LLL_ERR_FORMAT, key, value,
                         "a whole number from 1 to 16777216");
        *(int *)field = (int)count;
    } else if (k->kind == SAYS_BATCH) {
        if (!json_is_integer(value) || count < 0 || count > CONFIG_MAX_BATCH)
            return wrong(r, LLL_ERR_FORMAT, key, value,
                         "a whole number from 1 to 65536, or 0 for not said");
        *(int *)field = (int)count;
    } else if (k->kind == SAYS_FRACTION) {
        if (!(real > 0 && real <= 1))
            return wrong(r, LLL_ERR_FORMAT, key, value,
                         "a number above 0 and up to 1");
        r->rope_fraction = real;
    } else {
        if (!(real > 0))
            return wrong(r, LLL_ERR_FORMAT, key, value, "a number above 0");
        *(double *)field = real;
    }
    return LLL_OK;
}
// @end config-json-value

// @begin config-json-value-2
static lll_status read_object(reader *r, const char *name, json_t *object,
                              model_config *c);

static lll_status read_value(reader *r, const json_key *k, const char *key,
                             json_t *value, model_config *c)
{
    void *field = (char *)c + k->offset;
    if (json_is_null(value) || k->kind == SAYS_NOTHING)
        return LLL_OK;
    if (k->kind == SAYS_TEXT) {
        if (!json_is_string(value))
            return wrong(r, LLL_ERR_FORMAT, key, value, "a text");
        config_copy_name(c->name, sizeof c->name, json_string_value(value),
                         json_string_length(value));
        return LLL_OK;
    }
    if (k->kind == SAYS_COUNT || k->kind == SAYS_BATCH
        || k->kind == SAYS_FRACTION || k->kind == SAYS_REAL)
        return read_number(r, k, key, value, c);
    if (k->kind == SAYS_MORE)
        return json_is_object(value) ? read_object(r, key, value, c)
               : wrong(r, LLL_ERR_FORMAT, key, value, "an object in { }");
    if (!json_is_boolean(value))
        return wrong(r, LLL_ERR_FORMAT, key, value, "true or false");
    if (k->kind == SAYS_NEVER && json_is_true(value))
        return wrong(r, LLL_ERR_UNSUPPORTED, key, value,
                     "false: norms inside of attention cannot be described");
    if (k->kind == SAYS_FLAG)
        *(bool *)field = json_is_true(value);
    return LLL_OK;                      // SAYS_BIAS: read_keys() was first
}
// @end config-json-value-2

// @begin config-json-unknown
static lll_status unknown_key(const reader *r, const char *key)
{
    const char *nearest = NULL;
    char where[PLACE_BYTES];
    // Further away, or half of the word, it is another one and not a slip.
    int best = strlen(key) < 8 ? (int)strlen(key) / 2 + 1 : 4;
    for (int i = 0; i < N_KEYS; i++)
        for (int j = 0; j < 4 && keys[i].names[j] != NULL; j++) {
            int d = args_distance(key, strlen(key), keys[i].names[j]);
            if (d < best) {
                best = d;
                nearest = keys[i].names[j];
            }
        }
    return lll_fail(r->err, LLL_ERR_FORMAT,
                    "%s: found an unknown key %s, expected %s%s",
                    place(r, key, where), key,
                    nearest != NULL ? nearest : "one like n_layers",
                    nearest != NULL ? "?" : "; a Hugging Face file has "
                    "model_type beside it");
}
// @end config-json-unknown

// @begin config-json-twice
static bool same_value(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))     // 10000 and 10000.0
        return !(json_number_value(a) < json_number_value(b))
               && !(json_number_value(a) > json_number_value(b));
    return json_equal(a, b);
}

// A row that is filled may be filled again, if with the same.
static lll_status check_twice(const reader *r, int row, const char *key,
                              const json_t *value)
{
    const char *first = r->said[row].key, *object = r->said[row].object;
    char where[PLACE_BYTES];
    if (first == NULL || json_is_null(value)
        || same_value(value, r->said[row].value))
        return LLL_OK;
    return lll_fail(r->err, LLL_ERR_FORMAT,
                    "%s: found %s%s%s beside %s%s%s, expected one of the two"
                    ", or the same in both", place(r, key, where), key,
                    r->object != NULL ? " in " : "",
                    r->object != NULL ? r->object : "", first,
                    object != NULL ? " in " : "",
                    object != NULL ? object : "");
}
// @end config-json-twice

// @begin config-json-key
// One key and its value, in every row that knows the name.
static lll_status read_key(reader *r, const char *key, json_t *value,
                           model_config *c)
{
    bool known = false;
    for (int i = 0; i < N_KEYS; i++)
        for (int j = 0; j < 4 && keys[i].names[j] != NULL; j++) {
            if (strcmp(key, keys[i].names[j]) != 0)
                continue;
            known = true;
            lll_status s = check_twice(r, i, key, value);
            if (s == LLL_OK)
                s = read_value(r, &keys[i], key, value, c);
            if (s != LLL_OK)
                return s;
            if (!json_is_null(value)) {
                r->said[i].key = key;
                r->said[i].object = r->object;
                r->said[i].value = value;
            }
        }
    return known || r->hugging_face ? LLL_OK : unknown_key(r, key);
}
// @end config-json-key

// @begin config-json-object
static lll_status read_object(reader *r, const char *name, json_t *object,
                              model_config *c)
{
    const char *key, *outer = r->object;
    json_t *value;
    lll_status s = LLL_OK;
    r->object = name;
    json_object_foreach(object, key, value)
        if (s == LLL_OK)
            s = read_key(r, key, value, c);
    r->object = outer;
    return s;
}
// @end config-json-object

// @begin config-json-family
// What the family says, before the keys say more.
static lll_status read_family(reader *r, model_config *c)
{
    const char *const names[] = {"model_type", "architecture", "arch"};
    const char *key = NULL;
    for (int i = 0; i < 3 && key == NULL; i++)
        if (json_object_get(r->root, names[i]) != NULL
            && !json_is_null(json_object_get(r->root, names[i])))
            key = names[i];
    if (key == NULL)
        return lll_fail(r->err, LLL_ERR_NOT_FOUND,
                        "%s: the key architecture is missing, expected "
                        "llama, gpt2, gptneox or stablelm", r->path);
    const json_t *value = json_object_get(r->root, key);
    const char *text = json_string_value(value);
    const model_family *f = text != NULL ? config_family(text) : NULL;
    if (f == NULL)
        return wrong(r, LLL_ERR_UNSUPPORTED, key, value,
                     "llama, gpt2, gptneox or stablelm");
    r->hugging_face = strcmp(key, "model_type") == 0;
    *c = f->kinds;
    c->n_layers = c->d_model = c->n_heads = c->n_kv_heads = c->d_ff = 0;
    c->vocab_size = c->context_length = 0;
    memset(c->name, 0, sizeof c->name);
    c->rope_theta = 10000.0;
    if (r->hugging_face) {
        // What their files may leave out has their default.
        c->tied_output = f->hf_tied;
        c->qkv_bias = f->hf_qkv_bias;
    }
    return LLL_OK;
}
// @end config-json-family

// @begin config-json-keys-all
static lll_status read_keys(reader *r, model_config *c)
{
    lll_status s = read_family(r, c);
    // It speaks of all biases, and keys behind or before it of single ones.
    const json_t *bias = json_object_get(r->root, "bias");
    if (s == LLL_OK && json_is_boolean(bias))
        config_set_bias(c, json_is_true(bias));
    if (s == LLL_OK)
        s = read_object(r, NULL, r->root, c);
    if (s != LLL_OK)
        return s;
    for (int i = 0; i < N_KEYS; i++)
        if (keys[i].required && r->said[i].key == NULL)
            return lll_fail(r->err, LLL_ERR_NOT_FOUND,
                            "%s: the key %s is missing, expected a whole "
                            "number", r->path, keys[i].names[0]);
    c->shared_norm = c->parallel_residual
                     && config_family(c->architecture)->parallel_shares_norm;
    s = config_complete(c, r->path, r->err);
    if (s == LLL_OK && r->rope_fraction > 0
        && c->position == POSITION_ROTARY)
        c->rope_dim = config_rope_dim(c->head_dim, r->rope_fraction);
    return s == LLL_OK ? config_check(c, r->path, r->err) : s;
}
// @end config-json-keys-all

// @begin config-from-json
lll_status config_from_json(model_config *config, const char *path,
                            lll_error *err)
{
    reader r = {.path = path, .err = err};
    json_error_t place;
    model_config c;
    lll_status s = file_map_open(&r.map, path, err);
    if (s != LLL_OK)
        return s;
    if (r.map.n_bytes > MAX_FILE_BYTES)
        s = lll_fail(err, LLL_ERR_IO, "%s: found %zu bytes, expected a "
                     "configuration of at most %d", path, r.map.n_bytes,
                     (int)MAX_FILE_BYTES);
    else
        r.root = json_loadb((const char *)r.map.bytes, r.map.n_bytes,
                            JSON_REJECT_DUPLICATES, &place);
    if (s == LLL_OK && r.root == NULL)
        s = lll_fail(err, LLL_ERR_FORMAT, "%s: line %d, column %d: %s, "
                     "expected JSON", path, place.line, place.column,
                     place.text);
    if (s == LLL_OK && !json_is_object(r.root))
        s = lll_fail(err, LLL_ERR_FORMAT, "%s: line 1: found a list, "
                     "expected an object in { }", path);
    if (s == LLL_OK)
        s = read_keys(&r, &c);
    if (s == LLL_OK)
        *config = c;
    json_decref(r.root);
    file_map_close(&r.map);
    return s;
}
// @end config-from-json
