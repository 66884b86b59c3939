#include <string.h>

#include "verify.h"

// @begin verify-names
void verify_names(report *r)
{
    for (size_t i = 0; i < r->file->n_tensors; i++) {
        gguf_string name = r->file->tensors[i].name;
        if (name.n_bytes == 0)
            finding(r, "tensor %zu of the list: has no name", i);
        else if (!is_utf8(name.bytes, name.n_bytes))
            finding(r, "tensor %.*s: its name is not UTF-8",
                    (int)name.n_bytes, name.bytes);
    }
}
// @end verify-names

// @begin verify-gap
static size_t round_up(size_t n, size_t alignment)
{
    return (n + alignment - 1) / alignment * alignment;
}

// The bytes from `at` to the next multiple of the alignment, as far as the
// part goes, are padding.
static void verify_padding(report *r, const gguf_part *part, size_t at,
                           const char *behind, gguf_string name)
{
    size_t end = round_up(at, part->alignment);
    for (; at < end && at < part->map.n_bytes; at++)
        if (part->map.bytes[at] != 0) {
            finding(r, "byte %zu: the padding behind %s%.*s is not zero", at,
                    behind, (int)name.n_bytes, name.bytes);
            return;
        }
}
// @end verify-gap

// @begin verify-layout
// Tensors first to last - 1 are in one part. Where does its list end?
static size_t list_end(const gguf_file *file, size_t last)
{
    const gguf_tensor *tensor = &file->tensors[last - 1];
    const char *end = tensor->name.bytes + tensor->name.n_bytes;
    const char *bytes = (const char *)gguf_part_of(file, tensor).map.bytes;
    // Number of dimensions, dimensions, type, offset.
    return (size_t)(end - bytes) + 4 + 8 * (size_t)tensor->n_dims + 4 + 8;
}

static void verify_part(report *r, size_t first, size_t last)
{
    const gguf_file *file = r->file;
    gguf_part part = gguf_part_of(file, &file->tensors[first]);
    size_t expected = list_end(file, last), end = 0;
    verify_padding(r, &part, expected, "the lists", (gguf_string){"", 0});
    expected = round_up(expected, part.alignment);
    for (size_t i = first; i < last; i++) {
        const gguf_tensor *tensor = &file->tensors[i];
        size_t at = gguf_data_at(file, tensor);
        if (at != expected)
            finding(r, "tensor %.*s: its data begin at byte %zu, expected "
                    "%zu, right behind those in front: some readers refuse "
                    "it", (int)tensor->name.n_bytes, tensor->name.bytes, at,
                    expected);
        at += tensor->n_bytes;
        verify_padding(r, &part, at, "tensor ", tensor->name);
        expected = round_up(at, part.alignment);
        end = expected > end ? expected : end;
    }
    if (part.map.n_bytes > end)
        finding(r, "byte %zu: %zu bytes behind the last tensor, expected "
                "the end of the file", end, part.map.n_bytes - end);
}
// @end verify-layout

// @begin verify-parts
void verify_layout(report *r)
{
    const gguf_file *file = r->file;
    for (size_t i = 0, first = 0; i < file->n_tensors; i++)
        if (i + 1 == file->n_tensors
            || file->tensors[i + 1].part != file->tensors[first].part) {
            verify_part(r, first, i + 1);
            first = i + 1;
        }
}
// @end verify-parts

// @begin verify-scales
// Where a block holds the numbers that can be NaN or infinite: all of a
// plain type, the scales of a quantized one, whose codes are whole numbers.
typedef enum { NONE, HALF, BRAIN, SINGLE, DOUBLE, POWER, TINY } number_kind;

static const struct { number_kind kind; int at[4], n; }
scales[DTYPE_COUNT] = {
    [DTYPE_F32]  = {SINGLE, {0}, 1},    [DTYPE_F16]  = {HALF, {0}, 1},
    [DTYPE_BF16] = {BRAIN, {0}, 1},     [DTYPE_F64]  = {DOUBLE, {0}, 1},
    [DTYPE_Q4_0] = {HALF, {0}, 1},      [DTYPE_Q4_1] = {HALF, {0, 2}, 2},
    [DTYPE_Q5_0] = {HALF, {0}, 1},      [DTYPE_Q5_1] = {HALF, {0, 2}, 2},
    [DTYPE_Q8_0] = {HALF, {0}, 1},      [DTYPE_Q8_1] = {HALF, {0, 2}, 2},
    [DTYPE_Q2_K] = {HALF, {80, 82}, 2}, [DTYPE_Q3_K] = {HALF, {108}, 1},
    [DTYPE_Q4_K] = {HALF, {0, 2}, 2},   [DTYPE_Q5_K] = {HALF, {0, 2}, 2},
    [DTYPE_Q6_K] = {HALF, {208}, 1},    [DTYPE_Q8_K] = {SINGLE, {0}, 1},
    [DTYPE_IQ1_S] = {HALF, {0}, 1},     [DTYPE_IQ2_XXS] = {HALF, {0}, 1},
    [DTYPE_IQ2_XS] = {HALF, {0}, 1},    [DTYPE_IQ2_S] = {HALF, {0}, 1},
    [DTYPE_IQ3_XXS] = {HALF, {0}, 1},   [DTYPE_IQ3_S] = {HALF, {0}, 1},
    [DTYPE_IQ4_NL] = {HALF, {0}, 1},    [DTYPE_IQ4_XS] = {HALF, {0}, 1},
    [DTYPE_TQ1_0] = {HALF, {52}, 1},    [DTYPE_TQ2_0] = {HALF, {64}, 1},
    [DTYPE_Q1_0] = {HALF, {0}, 1},      [DTYPE_MXFP4] = {POWER, {0}, 1},
    [DTYPE_NVFP4] = {TINY, {0, 1, 2, 3}, 4},
};
// @end verify-scales

// @begin verify-unsound
// Is the number an infinity or NaN? In all these forms that shows in its
// upper bits: the exponent is full.
static bool is_unsound(number_kind kind, const unsigned char *at)
{
    switch (kind) {
    case HALF:   return (at[1] & 0x7c) == 0x7c;
    case BRAIN:  return (at[1] & 0x7f) == 0x7f && at[0] >= 0x80;
    case SINGLE: return (at[3] & 0x7f) == 0x7f && at[2] >= 0x80;
    case DOUBLE: return (at[7] & 0x7f) == 0x7f && at[6] >= 0xf0;
    case POWER:  return at[0] == 0xff;          // a bare exponent
    case TINY:   return (at[0] & 0x7f) == 0x7f; // NaN; it has no infinity
    default:     return false;
    }
}
// @end verify-unsound

// @begin verify-numbers
static void verify_tensor(report *r, const gguf_tensor *tensor)
{
    const dtype_info *info = dtype_find((uint32_t)tensor->type);
    size_t block_bytes = (size_t)info->block_bytes, n_bad = 0, where = 0;
    for (size_t at = 0; at < tensor->n_bytes; at += block_bytes) {
        const unsigned char *block = tensor->data;
        bool bad = false;
        for (int k = 0; k < scales[tensor->type].n; k++)
            bad = bad || is_unsound(scales[tensor->type].kind, block + at
                                    + scales[tensor->type].at[k]);
        if (bad && n_bad++ == 0)
            where = at / block_bytes * (size_t)info->block_size;
    }
    if (n_bad > 0)
        finding(r, "tensor %.*s: %zu %s NaN or infinite, the first at number "
                "%zu", (int)tensor->name.n_bytes, tensor->name.bytes, n_bad,
                info->block_size > 1 ? "scales of blocks are" : "numbers are",
                where);
}

void verify_numbers(report *r)
{
    for (size_t i = 0; i < r->file->n_tensors; i++) {
        const gguf_tensor *tensor = &r->file->tensors[i];
        // Its scale is scattered over the block, four bits here and there.
        r->n_unchecked += tensor->type == DTYPE_IQ1_M;
        if (scales[tensor->type].kind != NONE)
            verify_tensor(r, tensor);
    }
}
// @end verify-numbers
