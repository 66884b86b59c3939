#include <math.h>
#include <stdio.h>
#include <string.h>

#include "chapters/07-quantization/verbs.h"
#include "common/json_out.h"
#include "common/quant.h"
#include "common/quant_k.h"

// @begin inspect-fields
// Where a block keeps the scale and the minimum that are F16; -1: nowhere.
static const struct {
    dtype type;
    int scale, minimum;
} fields[] = {
    {DTYPE_Q8_0, 0, -1}, {DTYPE_Q4_0, 0, -1}, {DTYPE_Q4_1, 0, 2},
    {DTYPE_Q5_0, 0, -1}, {DTYPE_Q5_1, 0, 2},  {DTYPE_Q2_K, 80, 82},
    {DTYPE_Q3_K, 108, -1}, {DTYPE_Q4_K, 0, 2}, {DTYPE_Q5_K, 0, 2},
    {DTYPE_Q6_K, 208, -1},
};

static uint16_t half_at(const unsigned char *block, int at)
{
    return (uint16_t)(block[at] | block[at + 1] << 8);
}

// A block on the table, and the same numbers of another file beside it.
typedef struct {
    const char *name;
    dtype type;
    const dtype_info *info;
    uint64_t row, number;           // the block's, in its row
    const unsigned char *bytes;
    int scale_at, minimum_at;
    float values[QUANT_SUPER], others[QUANT_SUPER];
    bool has_others;
} laid_open;
// @end inspect-fields

// @begin inspect-find
// The block that was asked for, by row and number or by number alone.
static lll_status find_block(const gguf_file *file, const request *r,
                             const gguf_tensor *tensor, laid_open *b,
                             lll_error *err)
{
    b->type = tensor->type;
    b->info = dtype_find((uint32_t)tensor->type);
    uint64_t a_row = tensor->dims[0] / (uint64_t)b->info->block_size;
    uint64_t n_rows = tensor->n_elements / tensor->dims[0];
    uint64_t n = r->row < 0 ? n_rows * a_row : a_row;
    uint64_t at = (uint64_t)r->block;
    if (r->row >= 0 && (uint64_t)r->row >= n_rows)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: %s has %llu rows, found "
                        "no row %lld", file->path, b->name,
                        (unsigned long long)n_rows, (long long)r->row);
    if (at >= n)
        return lll_fail(err, LLL_ERR_ARGUMENT, "%s: %s has %llu blocks%s, "
                        "found no block %lld", file->path, b->name,
                        (unsigned long long)n, r->row < 0 ? "" : " a row",
                        (long long)r->block);
    if (r->row >= 0)
        at += (uint64_t)r->row * a_row;
    b->row = at / a_row;
    b->number = at % a_row;
    b->bytes = (const unsigned char *)tensor->data
               + at * (size_t)b->info->block_bytes;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].type == b->type) {
            b->scale_at = fields[i].scale;
            b->minimum_at = fields[i].minimum;
        }
    return quant_decode(b->type, b->bytes, b->values,
                        (size_t)b->info->block_size, err);
}
// @end inspect-find

// @begin inspect-others
// The same numbers in another file, in whatever type it has them.
static lll_status find_others(const char *path, const gguf_tensor *tensor,
                              laid_open *b, lll_error *err)
{
    gguf_file file;
    gguf_tensor other;
    lll_status status = gguf_open(&file, path, err);
    if (status != LLL_OK)
        return status;
    status = gguf_find_tensor(&file, b->name, tensor->dims, tensor->n_dims,
                              &other, err);
    uint64_t first = b->row * tensor->dims[0]
                   + b->number * (uint64_t)b->info->block_size;
    for (int i = 0; i < b->info->block_size && status == LLL_OK; i++) {
        // Number by number, because its blocks may be cut elsewhere.
        const dtype_info *info = dtype_find((uint32_t)other.type);
        uint64_t at = first + (uint64_t)i, size = (uint64_t)info->block_size;
        float values[QUANT_SUPER];
        status = quant_decode(other.type, (const unsigned char *)other.data
                              + at / size * (uint64_t)info->block_bytes,
                              values, (size_t)size, err);
        b->others[i] = status == LLL_OK ? values[at % size] : 0;
    }
    b->has_others = true;
    gguf_close(&file);
    return status;
}
// @end inspect-others

// @begin inspect-print
static void print_bytes(const laid_open *b)
{
    for (int i = 0; i < b->info->block_bytes; i++)
        printf("%s%02x", i % 16 > 0 ? " " : i > 0 ? "\n           "
                                                 : "  bytes    ",
               b->bytes[i]);
    printf("\n");
}

static void print_half(const laid_open *b, const char *name, int at)
{
    if (at >= 0)
        printf("  %-8s %-12.6g F16 %04x\n", name,
               (double)f16_to_f32(half_at(b->bytes, at)),
               half_at(b->bytes, at));
}
// @end inspect-print

// @begin inspect-print-2
static void print_values(const char *label, const float *values, int n)
{
    printf("  %-8s", label);
    for (int i = 0; i < n; i++)
        printf("%s%8.4f", i > 0 && i % 8 == 0 ? "\n          " : "",
               (double)values[i]);
    printf("\n");
}

// What 32 numbers share, as whole steps of what 256 share.
static void print_shared(const laid_open *b, const open_block *o)
{
    double scale = (double)f16_to_f32(half_at(b->bytes, b->scale_at));
    for (int r = 0; r < QUANT_BLOCK / o->run; r++) {
        printf("  scale    %-12.6g", (double)o->scale[r]);
        if (scale != 0)
            printf(" %4.0f steps", (double)o->scale[r] / scale);
        if (o->has_minimum)
            printf("   minimum %.6g", (double)o->minimum[r]);
        if (o->run < QUANT_BLOCK)
            printf("   of numbers %d to %d", 16 * r, 16 * r + 15);
        printf("\n");
    }
}
// @end inspect-print-2

// @begin inspect-block
static void print_32(const laid_open *b, int part)
{
    open_block o;
    float error[QUANT_BLOCK];
    int first = part * QUANT_BLOCK;
    quant_open(b->type, b->bytes, (size_t)part, &o);
    if (b->info->block_size > QUANT_BLOCK) {
        printf("numbers %d to %d\n", first, first + QUANT_BLOCK - 1);
        print_shared(b, &o);
    }
    printf("  codes   ");
    for (int i = 0; i < QUANT_BLOCK; i++)
        printf("%s%4d", i > 0 && i % 16 == 0 ? "\n          " : "",
               o.code[i]);
    printf("\n");
    print_values("values", b->values + first, QUANT_BLOCK);
    if (!b->has_others)
        return;
    for (int i = 0; i < QUANT_BLOCK; i++)
        error[i] = b->values[first + i] - b->others[first + i];
    print_values("others", b->others + first, QUANT_BLOCK);
    print_values("apart", error, QUANT_BLOCK);
}
// @end inspect-block

// @begin inspect-block-2
static void print_block(const laid_open *b)
{
    printf("%s, %s, row %llu, block %llu: %d bytes for %d number%s\n",
           b->name, b->info->name, (unsigned long long)b->row,
           (unsigned long long)b->number, b->info->block_bytes,
           b->info->block_size, b->info->block_size == 1 ? "" : "s");
    print_bytes(b);
    if (!quant_is_blocked(b->type)) {
        print_values("values", b->values, b->info->block_size);
        if (b->has_others)
            print_values("others", b->others, b->info->block_size);
        return;
    }
    print_half(b, "scale", b->scale_at);
    print_half(b, "minimum", b->minimum_at);
    for (int part = 0; part < b->info->block_size / QUANT_BLOCK; part++)
        print_32(b, part);
}
// @end inspect-block-2

// @begin inspect-json
static void json_floats(json_out *json, const char *key, const float *values,
                        int n)
{
    json_out_key(json, key);
    json_out_array(json);
    for (int i = 0; i < n; i++)
        json_out_f32(json, values[i]);
    json_out_end(json);
}

static void json_parts(json_out *json, const laid_open *b)
{
    open_block o;
    json_out_key(json, "parts");
    json_out_array(json);
    for (int p = 0; p < b->info->block_size / QUANT_BLOCK; p++) {
        quant_open(b->type, b->bytes, (size_t)p, &o);
        json_out_object(json);
        json_floats(json, "scales", o.scale, QUANT_BLOCK / o.run);
        json_floats(json, "minimums", o.minimum,
                    o.has_minimum ? QUANT_BLOCK / o.run : 0);
        json_out_key(json, "codes");
        json_out_array(json);
        for (int i = 0; i < QUANT_BLOCK; i++)
            json_out_i64(json, o.code[i]);
        json_out_end(json);
        json_out_end(json);
    }
    json_out_end(json);
}
// @end inspect-json

// @begin inspect-verb
static lll_status print_json(const laid_open *b, lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "tensor");
    json_out_text(&json, b->name);
    json_out_key(&json, "type");
    json_out_text(&json, b->info->name);
    json_out_key(&json, "row");
    json_out_u64(&json, b->row);
    json_out_key(&json, "block");
    json_out_u64(&json, b->number);
    json_out_key(&json, "bytes");
    json_out_array(&json);
    for (int i = 0; i < b->info->block_bytes; i++)
        json_out_u64(&json, b->bytes[i]);
    json_out_end(&json);
    if (quant_is_blocked(b->type))
        json_parts(&json, b);
    json_floats(&json, "values", b->values, b->info->block_size);
    if (b->has_others)
        json_floats(&json, "others", b->others, b->info->block_size);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end inspect-verb

// @begin inspect-verb-2
lll_status verb_inspect(const gguf_file *file, const char *name,
                        const request *r, lll_error *err)
{
    gguf_tensor tensor;
    laid_open b = {.name = name};
    lll_status status = gguf_find_tensor(file, name, NULL, 0, &tensor, err);
    if (status == LLL_OK)
        status = find_block(file, r, &tensor, &b, err);
    if (status == LLL_OK && r->against != NULL)
        status = find_others(r->against, &tensor, &b, err);
    if (status == LLL_OK && r->json)
        return print_json(&b, err);
    if (status == LLL_OK)
        print_block(&b);
    return status;
}
// @end inspect-verb-2
