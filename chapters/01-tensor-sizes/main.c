#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/args.h"
#include "common/dtype.h"
#include "common/json_out.h"
#include "common/size.h"
#include "common/terminal.h"

#include "story.h"

// @begin main-shape
typedef struct {
    uint64_t shape[TENSOR_MAX_DIMS];
    int n_dims;
    size_t limit;               // most elements that may be counted
    const dtype_info *only;     // --type, or NULL for all of them
} question;

// "131072", and nothing else: strtoull would read "-1" as 2^64 - 1.
// `shape` is all that was given, for sentences.
static lll_status read_dimension(const char *word, const char *shape, int i,
                                 uint64_t *n, lll_error *err)
{
    if (word[0] == '\0' || strspn(word, "0123456789") != strlen(word))
        return lll_fail(err, LLL_ERR_ARGUMENT, "tensor shape %s: dimension "
                        "%d is \"%s\", expected a whole number in digits",
                        shape, i + 1, word);
    errno = 0;
    uint64_t value = strtoull(word, NULL, 10);
    if (errno == ERANGE)
        return lll_fail(err, LLL_ERR_OVERFLOW, "tensor size overflow: %s: "
                        "dimension %d does not fit in 64 bits", shape, i + 1);
    *n = value;
    return LLL_OK;
}
// @end main-shape

// @begin main-words
static lll_status read_shape(const args_list *words, question *q,
                             lll_error *err)
{
    char shape[400] = "";
    lll_status status = LLL_OK;
    if (words->n_items > TENSOR_MAX_DIMS)
        return lll_fail(err, LLL_ERR_USAGE, "%d dimensions, expected at most "
                        "%d", words->n_items, TENSOR_MAX_DIMS);
    q->n_dims = words->n_items;
    for (int i = 0; i < q->n_dims; i++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%s",
                 i > 0 ? " x " : "", words->items[i]);
    for (int i = 0; i < q->n_dims && status == LLL_OK; i++)
        status = read_dimension(words->items[i], shape, i, &q->shape[i], err);
    return status;
}
// @end main-words

// @begin main-options
static lll_status read_limit(const char *name, size_t *limit, lll_error *err)
{
    static const struct { const char *name; uint64_t most; } limits[] = {
        {"int32", INT32_MAX}, {"uint32", UINT32_MAX}, {"int64", INT64_MAX},
        {"size_t", SIZE_MAX}
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (strcmp(name, limits[i].name) == 0) {
            *limit = (size_t)limits[i].most;
            return LLL_OK;
        }
    }
    return lll_fail(err, LLL_ERR_USAGE, "--limit %s: expected int32, uint32, "
                    "int64 or size_t", name);
}

static lll_status read_type(const char *name, const dtype_info **info,
                            lll_error *err)
{
    dtype type;
    if (!dtype_by_name(name, &type))
        return lll_fail(err, LLL_ERR_USAGE, "--type %s: no storage type has "
                        "this name; F32, F16, Q8_0 and Q4_1 are some", name);
    *info = dtype_find((uint32_t)type);
    return LLL_OK;
}
// @end main-options

// @begin main-row
// "F32   16.00 GiB      17,179,869,184 bytes"
static lll_status print_row(const question *q, dtype type, int name_width)
{
    const dtype_info *info = dtype_find((uint32_t)type);
    char human[32], exact[32];
    size_t n_bytes;
    lll_status status = tensor_size(type, q->shape, q->n_dims, q->limit,
                                    NULL, &n_bytes, NULL);
    if (status == LLL_ERR_OVERFLOW)
        printf("%-*s does not fit in 64 bits\n", name_width, info->name);
    if (status != LLL_OK)
        return status;
    size_text(n_bytes, human, sizeof human);
    number_text(n_bytes, exact, sizeof exact);
    printf("%-*s %10s %19s byte%s", name_width, info->name, human, exact,
           n_bytes == 1 ? "" : "s");
    if (info->block_size > 1)
        printf("%9.4g bits a number",
               8.0 * info->block_bytes / info->block_size);
    putchar('\n');
    return LLL_OK;
}
// @end main-row

// @begin main-table
// One table for each block size: 1, 32, 64, 128, 256.
static void print_group(const question *q, int block_size)
{
    bool titled = block_size == 1;
    lll_status status = LLL_OK;
    for (int t = 0; t < DTYPE_COUNT && status != LLL_ERR_FORMAT; t++) {
        const dtype_info *info = dtype_find((uint32_t)t);
        if (info == NULL || info->block_size != block_size
            || (q->only != NULL && info != q->only))
            continue;
        if (!titled)
            printf("\nin blocks of %d:\n", block_size);
        titled = true;
        status = print_row(q, (dtype)t, block_size == 1 ? 4 : 7);
    }
    if (status == LLL_ERR_FORMAT)
        printf("rows of %" PRIu64 " are not whole blocks\n",
               q->shape[q->n_dims - 1]);
}

static void print_table(const question *q, size_t n)
{
    char text[128], number[32];
    shape_text(q->shape, q->n_dims, text, sizeof text);
    number_text(n, number, sizeof number);
    printf("%s = %s element%s\n", text, number, n == 1 ? "" : "s");
    print_group(q, 1);
    for (int size = 32; size <= 256; size *= 2)
        print_group(q, size);
}
// @end main-table

// @begin main-json
static void print_json_types(json_out *json, const question *q)
{
    size_t n_bytes;
    json_out_object(json);
    for (int t = 0; t < DTYPE_COUNT; t++) {
        const dtype_info *info = dtype_find((uint32_t)t);
        if (info == NULL || (q->only != NULL && info != q->only))
            continue;
        json_out_key(json, info->name);
        if (tensor_size((dtype)t, q->shape, q->n_dims, q->limit, NULL,
                        &n_bytes, NULL) == LLL_OK)
            json_out_u64(json, n_bytes);
        else
            json_out_null(json);
    }
    json_out_end(json);
}
// @end main-json

// @begin main-json-shape
static lll_status print_json(const question *q, size_t n, lll_error *err)
{
    json_out json;
    json_out_begin(&json, stdout);
    json_out_object(&json);
    json_out_key(&json, "shape");
    json_out_array(&json);
    for (int i = 0; i < q->n_dims; i++)
        json_out_u64(&json, q->shape[i]);
    json_out_end(&json);
    json_out_key(&json, "elements");
    json_out_u64(&json, n);
    json_out_key(&json, "bytes");
    print_json_types(&json, q);
    json_out_end(&json);
    return json_out_finish(&json, err);
}
// @end main-json-shape

// @begin main-answer
static lll_status answer(question *q, const char *limit, const char *type,
                         const args_list *words, bool json, lll_error *err)
{
    lll_status status = read_limit(limit, &q->limit, err);
    if (status == LLL_OK && type != NULL)
        status = read_type(type, &q->only, err);
    if (status == LLL_OK)
        status = read_shape(words, q, err);
    if (status != LLL_OK)
        return status;
    if (q->n_dims == 0 && (json || type != NULL || q->limit != SIZE_MAX))
        return lll_fail(err, LLL_ERR_USAGE, "no shape given; try 32000 2048");
    if (q->n_dims == 0)
        return story(err);
    // Everything that can be refused is refused before anything is printed.
    dtype asked = DTYPE_I8;
    size_t n;
    if (q->only != NULL)
        dtype_by_name(q->only->name, &asked);
    status = tensor_size(asked, q->shape, q->n_dims, q->limit, &n, NULL, err);
    if (status != LLL_OK)
        return status;
    if (json)
        return print_json(q, n, err);
    print_table(q, n);
    return LLL_OK;
}
// @end main-answer

// @begin main
int main(int argc, char **argv)
{
    question q = {.limit = SIZE_MAX};
    bool json = false, help = false;
    const char *limit = "size_t", *type = NULL;
    const args_option options[] = {
        ARGS_TEXT(NULL, "--type", "NAME", &type, "only this storage type"),
        ARGS_TEXT(NULL, "--limit", "TYPE", &limit, "count elements as a "
                  "program does that uses int32, uint32, int64 or size_t"),
        ARGS_FLAG(NULL, "--json", &json, "print JSON; a type whose blocks do "
                  "not divide the rows, or whose bytes overflow, has null"),
    };
    const args_program program = {
        args_name(argv[0], "./chapter-01/run"), "[DIMENSION...]",
        "Say how many elements and bytes a tensor has. Without a shape: why "
        "that is not as easy as it looks.", options,
        sizeof options / sizeof options[0]};
    args_list words;
    lll_error err;
    lll_status status = args_parse(&program, argc, argv, &words, &help, &err);
    if (status == LLL_OK && help)
        args_help(&program, stdout);
    else if (status == LLL_OK)
        status = answer(&q, limit, type, &words, json, &err);
    // A size that overflows is an answer, not a mishap: it stands alone.
    if (status == LLL_ERR_OVERFLOW) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return args_finish(&program, status, &err);
}
// @end main
