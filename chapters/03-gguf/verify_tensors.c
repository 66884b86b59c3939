#include <stdio.h>

#include "verify.h"

// @begin verify-names
void verify_names(report *r)
{
    for (size_t i = 0; i < r->file->n_tensors; i++) {
        gguf_string name = r->file->tensors[i].name;
        char shown[NAME_TEXT];
        name_text(name.bytes, name.n_bytes, shown);
        if (name.n_bytes == 0)
            finding(r, "tensor %zu of the list: has no name", i);
        else if (!is_utf8(name.bytes, name.n_bytes))
            finding(r, "tensor %s: its name is not UTF-8", shown);
        if (name.n_bytes > GGUF_NAME_WRITTEN)
            finding(r, "tensor %s: a name of %zu bytes, expected at most %d: "
                    "llama.cpp refuses it", shown, name.n_bytes,
                    GGUF_NAME_WRITTEN);
    }
}
// @end verify-names

// @begin verify-gap
// One of the files of a model, and the first of its tensors behind it.
typedef struct {
    report *report;
    gguf_part part;
    size_t number;              // 0 is the first
} place;

static size_t round_up(size_t n, size_t alignment)
{
    return (n + alignment - 1) / alignment * alignment;
}

// "byte 160", in a model of several files "part 2, byte 160".
static const char *byte_text(const place *p, size_t at, char text[64])
{
    char part[32] = "";
    if (p->report->file->n_others > 0)
        snprintf(part, sizeof part, "part %zu, ", p->number + 1);
    snprintf(text, 64, "%sbyte %zu", part, at);
    return text;
}

// The bytes from `at` to the next multiple of the alignment, as far as the
// part goes, are padding.
static void verify_padding(const place *p, size_t at, const char *behind)
{
    size_t end = round_up(at, p->part.alignment);
    char text[64];
    for (; at < end && at < p->part.map.n_bytes; at++)
        if (p->part.map.bytes[at] != 0) {
            finding(p->report, "%s: the padding behind %s is not zero",
                    byte_text(p, at, text), behind);
            return;
        }
}
// @end verify-gap

// @begin verify-layout
// Where is a tensor expected, and what is behind it?
static size_t verify_place(const place *p, const gguf_tensor *tensor,
                           size_t expected)
{
    size_t at = gguf_data_at(p->report->file, tensor);
    char shown[NAME_TEXT], behind[NAME_TEXT + 8];
    name_text(tensor->name.bytes, tensor->name.n_bytes, shown);
    if (at != expected)
        finding(p->report, "tensor %s: its data begin at byte %zu, expected "
                "%zu, right behind those in front: some readers refuse it",
                shown, at, expected);
    snprintf(behind, sizeof behind, "tensor %s", shown);
    verify_padding(p, at + tensor->n_bytes, behind);
    return round_up(at + tensor->n_bytes, p->part.alignment);
}

// @end verify-layout
// @begin verify-part
// The tensors from `first` on that are in this part; how many they are.
static size_t verify_part(const place *p, size_t first)
{
    const gguf_file *file = p->report->file;
    size_t i = first, expected = round_up(p->part.lists_end,
                                          p->part.alignment);
    size_t end = expected;
    char text[64];
    verify_padding(p, p->part.lists_end, "the lists");
    for (; i < file->n_tensors && file->tensors[i].part == p->number; i++) {
        expected = verify_place(p, &file->tensors[i], expected);
        end = expected > end ? expected : end;
    }
    if (p->part.map.n_bytes > end)
        finding(p->report, "%s: %zu byte%s behind the %s, expected the end "
                "of the file", byte_text(p, end, text),
                p->part.map.n_bytes - end,
                p->part.map.n_bytes - end == 1 ? "" : "s",
                i > first ? "last tensor" : "lists");
    return i - first;
}
// @end verify-part

// @begin verify-parts
void verify_layout(report *r)
{
    size_t first = 0;
    for (size_t i = 0; i <= r->file->n_others; i++)
        first += verify_part(&(place){r, gguf_part_at(r->file, i), i}, first);
}
// @end verify-parts

// @begin verify-scales
// Where a block holds the numbers that can be NaN or infinite: all of a
// plain type, the scales of a quantized one, whose codes are whole numbers.
typedef enum { NONE, HALF, BRAIN, SINGLE, DOUBLE, POWER, TINY,
               SPREAD } number_kind;

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
    [DTYPE_IQ1_M] = {SPREAD, {48}, 1},
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
    // A half in the upper four bits of four numbers of 16 bits.
    case SPREAD: return (((at[7] & 0xf0) | at[5] >> 4) & 0x7c) == 0x7c;
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
    char shown[NAME_TEXT];
    static const char *const what[2][2] = {
        {"numbers are", "number is"},
        {"scales of blocks are", "scale of a block is"}};
    if (n_bad > 0)
        finding(r, "tensor %s: %zu %s NaN or infinite, the first at number "
                "%zu",
                name_text(tensor->name.bytes, tensor->name.n_bytes, shown),
                n_bad, what[info->block_size > 1][n_bad == 1], where);
}

void verify_numbers(report *r)
{
    for (size_t i = 0; i < r->file->n_tensors; i++) {
        const gguf_tensor *tensor = &r->file->tensors[i];
        if (scales[tensor->type].kind != NONE)
            verify_tensor(r, tensor);
    }
}
// @end verify-numbers
