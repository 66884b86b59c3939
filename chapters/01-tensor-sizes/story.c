#include "story.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "common/arena.h"
#include "common/dtype.h"
#include "common/size.h"
#include "common/terminal.h"

// @begin story-tensors
// Shapes as they stand in the models' files, [rows, columns].
static const struct { const char *what; uint64_t shape[2]; } tensors[] = {
    {"GPT-2 embedding",           {50257, 768}},
    {"SmolLM2 135M embedding",    {49152, 576}},
    {"Llama 3.1 8B queries",      {4096, 4096}},
    {"Llama 3.1 8B feed-forward", {14336, 4096}},
    {"Llama 3.1 8B embedding",    {128256, 4096}},
    {"Llama 3.1 405B embedding",  {128256, 16384}},
};

static lll_status real_tensors(bool color, lll_error *err)
{
    static const dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_Q4_0};
    terminal_bold(stdout, color, "Tensors of models you can fetch today");
    printf("\n\n%-26s%-15s", "", "shape");
    for (int t = 0; t < 3; t++)
        printf("%12s", dtype_name((uint32_t)types[t]));
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        char text[64];
        shape_text(tensors[i].shape, 2, text, sizeof text);
        printf("\n%-26s%-15s", tensors[i].what, text);
        for (int t = 0; t < 3; t++) {
            size_t n_bytes;
            lll_status status = tensor_size(types[t], tensors[i].shape, 2,
                                            SIZE_MAX, NULL, &n_bytes, err);
            if (status != LLL_OK)
                return status;
            size_text(n_bytes, text, sizeof text);
            printf("%12s", text);
        }
    }
    printf("\n\n");
    return LLL_OK;
}
// @end story-tensors

// @begin story-product
// The product as a program finds it that keeps sizes in an int: the low 32
// bits. Computed without a sign, because an int that overflows is undefined
// behaviour, and then this program might do anything.
static int32_t int_product(const uint64_t *shape, int n_dims)
{
    uint32_t product = 1;
    for (int i = 0; i < n_dims; i++)
        product *= (uint32_t)shape[i];
    return product <= INT32_MAX ? (int32_t)product
                                : (int32_t)((int64_t)product - 0x100000000);
}
// @end story-product

// @begin story-nothing
// Keys of Llama 3.1 8B for its whole context.
static lll_status nothing_at_all(bool color, lll_error *err)
{
    static const uint64_t shape[] = {32, 131072, 1024};
    size_t n, n_bytes;
    char text[64], human[32], number[32];
    lll_status status = tensor_size(DTYPE_F32, shape, 3, SIZE_MAX, &n,
                                    &n_bytes, err);
    if (status != LLL_OK)
        return status;
    shape_text(shape, 3, text, sizeof text);
    size_text(n_bytes, human, sizeof human);
    number_text(n, number, sizeof number);
    terminal_bold(stdout, color, "A cache that holds nothing at all");
    printf("\n\nKeys of Llama 3.1 8B: 32 layers, 131072 positions, 1024 "
           "numbers each.\n\n");
    printf("    int n = 32 * 131072 * 1024;     n is %" PRId32 "\n",
           int_product(shape, 3));
    printf("    calloc(n, sizeof(float))        gets %" PRId32 " bytes, and "
           "no complaint\n", int_product(shape, 3) * 4);
    printf("    tensor_size(%s)  %s elements, %s\n\n", text, number, human);
    return LLL_OK;
}
// @end story-nothing

// @begin story-refused
static void refuse(dtype type, const uint64_t *shape, int n_dims,
                   size_t limit)
{
    char text[80];
    lll_error err;
    int count = int_product(shape, n_dims);
    shape_text(shape, n_dims, text, sizeof text);
    if (tensor_size(type, shape, n_dims, limit, NULL, NULL, &err) == LLL_OK)
        snprintf(err.text, sizeof err.text, "%s is accepted", text);
    printf("%-28s %-4s %12d %s\n    %s\n", text,
           dtype_name((uint32_t)type), count,
           limit == INT32_MAX ? "int" : "size_t",
           err.text);
}

static void refused(bool color)
{
    static const uint64_t negative[] = {32000, 131072};
    static const uint64_t likely[] = {3, 1431655766};
    static const uint64_t zero[] = {4096, 0, 64};
    static const uint64_t huge[] = {4294967296, 4294967296};
    static const uint64_t bytes[] = {4611686018427387904};
    static const uint64_t odd[] = {128, 100};
    terminal_bold(stdout, color, "Claims that are refused");
    printf("\n\n%-28s %-4s %12s %s\n", "shape", "type", "an int says",
           "we count with");
    refuse(DTYPE_F32, negative, 2, INT32_MAX);
    refuse(DTYPE_F32, likely, 2, INT32_MAX);
    refuse(DTYPE_F32, zero, 3, SIZE_MAX);
    refuse(DTYPE_I8, huge, 2, SIZE_MAX);
    refuse(DTYPE_F32, bytes, 1, SIZE_MAX);
    refuse(DTYPE_Q4_0, odd, 2, SIZE_MAX);
}
// @end story-refused

// @begin story-block
// Two pieces of memory, and a third that does not fit any more.
static lll_status one_block(bool color, lll_error *err)
{
    static const size_t pieces[] = {100, 28, 200};
    arena memory;
    lll_status status = arena_init(&memory, 256, err);
    if (status != LLL_OK)
        return status;
    terminal_bold(stdout, color, "One block of 256 bytes, handed out");
    printf("\n\n");
    for (int i = 0; i < 3; i++) {
        size_t before = memory.used;
        const char *piece = arena_take(&memory, pieces[i]);
        printf("%3zu bytes ", pieces[i]);
        if (piece != NULL)
            printf("at %3zu, the next free byte is %zu\n", before,
                   memory.used);
        else
            printf("do not fit in the %zu that are left\n",
                   memory.capacity - memory.used);
    }
    arena_free(&memory);
    return LLL_OK;
}
// @end story-block

// @begin story
lll_status story(lll_error *err)
{
    bool color = terminal_color(stdout);
    lll_status status = real_tensors(color, err);
    if (status == LLL_OK)
        status = nothing_at_all(color, err);
    if (status != LLL_OK)
        return status;
    refused(color);
    printf("\n");
    return one_block(color, err);
}
// @end story
