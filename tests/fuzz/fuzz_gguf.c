// Any bytes at all through the reader of GGUF. What it refuses leaves nothing
// behind; what it takes can be walked to the last byte, written again, and
// read again with nothing changed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf.h"
#include "common/gguf_write.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes);

static void expect(int holds, const char *what, const lll_error *err)
{
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, err->text);
        abort();
    }
}

static unsigned sum_of(const void *bytes, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((const unsigned char *)bytes)[i];
    return sum;
}

// Every getter on every value, items included, whatever their types.
static unsigned walk(const gguf_file *file)
{
    unsigned sum = sum_of(file->path, strlen(file->path));
    for (size_t i = 0; i < file->n_values; i++) {
        const gguf_value *v = &file->values[i];
        const unsigned char *cursor = v->bytes;
        char key[80];
        uint64_t n;
        double x;
        bool b;
        gguf_string text;
        snprintf(key, sizeof key, "%.*s", (int)(v->key.n_bytes % 79),
                 v->key.bytes);
        sum += (unsigned)gguf_get_u64(file, key, &n, NULL);
        sum += (unsigned)gguf_get_f64(file, key, &x, NULL);
        sum += (unsigned)gguf_get_bool(file, key, &b, NULL);
        if (gguf_get_string(file, key, &text, NULL) == LLL_OK)
            sum += sum_of(text.bytes, text.n_bytes);
        for (uint64_t k = 0; k < v->n_items; k++) {
            if (v->item_type == GGUF_STRING) {
                text = gguf_next_string(&cursor);
                sum += sum_of(text.bytes, text.n_bytes);
            } else if (v->item_type != GGUF_ARRAY) {
                sum += (unsigned)gguf_item_i64(v, k);
                sum += (unsigned)gguf_item_u64(v, k);
                sum += gguf_item_f64(v, k) > 0;
            }
        }
    }
    return sum;
}

static unsigned walk_tensors(const gguf_file *file)
{
    unsigned sum = 0;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *t = &file->tensors[i];
        sum += sum_of(t->name.bytes, t->name.n_bytes);
        sum += sum_of(t->data, t->n_bytes);
    }
    return sum;
}

static void copy(const gguf_file *file, const char *path)
{
    gguf_writer out;
    lll_error err = {0};
    gguf_writer_init(&out);
    for (size_t i = 0; i < file->n_values; i++)
        gguf_copy_value(&out, &file->values[i]);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *t = &file->tensors[i];
        gguf_add_named(&out, t->name, t->type, t->dims, t->n_dims, t->data);
    }
    expect(gguf_write(&out, path, &err) == LLL_OK, "not written", &err);
    gguf_writer_free(&out);
}

static void expect_equal(const gguf_file *a, const gguf_file *b)
{
    const lll_error none = {0};
    expect(a->n_values == b->n_values && a->n_tensors == b->n_tensors
           && a->alignment == b->alignment, "the copy has other lists",
           &none);
    for (size_t i = 0; i < a->n_values; i++)
        expect(a->values[i].type == b->values[i].type
               && a->values[i].item_type == b->values[i].item_type
               && a->values[i].n_items == b->values[i].n_items,
               "the copy has another value", &none);
    for (size_t i = 0; i < a->n_tensors; i++) {
        const gguf_tensor *x = &a->tensors[i], *y = &b->tensors[i];
        expect(x->type == y->type && x->n_bytes == y->n_bytes
               && memcmp(x->dims, y->dims, sizeof x->dims) == 0
               && memcmp(x->data, y->data, x->n_bytes) == 0,
               "the copy has another tensor", &none);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes)
{
    static const gguf_file closed;
    gguf_file file, again, third;
    lll_error err = {0};
    memory_file_set("in", bytes, n_bytes);
    if (gguf_open(&file, "in", &err) != LLL_OK) {
        expect(err.text[0] != '\0', "refused without a sentence", &err);
        expect(memcmp(&file, &closed, sizeof file) == 0, "left open", &err);
        memory_file_clear();
        return 0;
    }
    unsigned sum = walk(&file), data = walk_tensors(&file);
    copy(&file, "copy");
    expect(gguf_open(&again, "copy", &err) == LLL_OK, "our copy", &err);
    expect_equal(&file, &again);
    expect(walk(&again) - sum == sum_of("copy", 4) - sum_of("in", 2)
           && walk_tensors(&again) == data, "the copy holds others", &err);
    // A copy of the copy has the same bytes.
    copy(&again, "third");
    expect(gguf_open(&third, "third", &err) == LLL_OK, "its copy", &err);
    expect(third.map.n_bytes == again.map.n_bytes
           && memcmp(third.map.bytes, again.map.bytes, third.map.n_bytes)
              == 0, "the copy of the copy has other bytes", &err);
    gguf_close(&file);
    gguf_close(&again);
    gguf_close(&third);
    memory_file_clear();
    return 0;
}
