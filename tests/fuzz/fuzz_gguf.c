// Any bytes at all through the reader of GGUF. What it refuses leaves nothing
// behind; what it takes can be walked to the last byte, written again, and
// read again with nothing changed. From its last "GGUF" on the input is a
// second file, too: the second part of a model in two.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gguf.h"
#include "common/gguf_split.h"
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

// Every item, whatever its type, and of arrays of arrays what is in them.
static unsigned walk_items(const gguf_value *v)
{
    const unsigned char *cursor = v->bytes;
    unsigned sum = 0;
    for (uint64_t k = 0; k < v->n_items; k++) {
        if (v->item_type == GGUF_STRING) {
            gguf_string text = gguf_next_string(&cursor);
            sum += sum_of(text.bytes, text.n_bytes);
        } else if (v->item_type == GGUF_ARRAY) {
            gguf_value inner = gguf_next_array(&cursor);
            sum += walk_items(&inner);
        } else {
            sum += (unsigned)gguf_item_i64(v, k);
            sum += (unsigned)gguf_item_u64(v, k);
            sum += gguf_item_f64(v, k) > 0;
        }
    }
    return sum + sum_of(v->bytes, (size_t)(gguf_value_end(v) - v->bytes));
}

// Every getter on every value, whatever their types.
static unsigned walk(const gguf_file *file)
{
    unsigned sum = 0;
    for (size_t i = 0; i < file->n_values; i++) {
        const gguf_value *v = &file->values[i];
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
        sum += walk_items(v);
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

// A name of 64 bytes is read, and not written.
static int has_long_name(const gguf_file *file)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (file->tensors[i].name.n_bytes > GGUF_NAME_WRITTEN)
            return 1;
    return 0;
}

static void copy(const gguf_file *file, const char *path)
{
    gguf_writer out;
    lll_error err = {0};
    gguf_writer_init(&out);
    for (size_t i = 0; i < file->n_values; i++)
        // What a part says of itself is not true of a copy that holds all.
        if (file->n_others == 0 || !gguf_split_is_key(file->values[i].key))
            gguf_copy_value(&out, &file->values[i]);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const gguf_tensor *t = &file->tensors[i];
        gguf_add_named(&out, t->name, t->type, t->dims, t->n_dims, t->data);
    }
    expect(gguf_write(&out, path, &err) == LLL_OK, "not written", &err);
    gguf_writer_free(&out);
}

static void expect_equal_values(const gguf_file *a, const gguf_file *b)
{
    const lll_error none = {0};
    expect(a->n_values == b->n_values, "the copy has other values", &none);
    for (size_t i = 0; i < a->n_values; i++)
        expect(a->values[i].type == b->values[i].type
               && a->values[i].item_type == b->values[i].item_type
               && a->values[i].n_items == b->values[i].n_items,
               "the copy has another value", &none);
    expect(walk(a) == walk(b), "the copy has other metadata", &none);
}

static void expect_equal_tensors(const gguf_file *a, const gguf_file *b)
{
    const lll_error none = {0};
    expect(a->n_tensors == b->n_tensors && a->alignment == b->alignment,
           "the copy has other tensors", &none);
    for (size_t i = 0; i < a->n_tensors; i++) {
        const gguf_tensor *x = &a->tensors[i], *y = &b->tensors[i];
        expect(x->type == y->type && x->n_bytes == y->n_bytes
               && memcmp(x->dims, y->dims, sizeof x->dims) == 0
               && memcmp(x->data, y->data, x->n_bytes) == 0,
               "the copy has another tensor", &none);
    }
}

static void expect_copies(const gguf_file *file)
{
    gguf_file again, third;
    lll_error err = {0};
    copy(file, "copy");
    expect(gguf_open(&again, "copy", &err) == LLL_OK, "our copy", &err);
    if (file->n_others == 0)
        expect_equal_values(file, &again);
    expect_equal_tensors(file, &again);
    // A copy of the copy has the same bytes.
    copy(&again, "third");
    expect(gguf_open(&third, "third", &err) == LLL_OK, "its copy", &err);
    expect(third.map.n_bytes == again.map.n_bytes
           && memcmp(third.map.bytes, again.map.bytes, third.map.n_bytes)
              == 0, "the copy of the copy has other bytes", &err);
    gguf_close(&again);
    gguf_close(&third);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n_bytes)
{
    static const char first[] = "m-00001-of-00002.gguf";
    static const gguf_file closed;
    gguf_file file;
    lll_error err = {0};
    memory_file_set(first, bytes, n_bytes);
    for (size_t at = n_bytes; at-- > 1;)
        if (n_bytes - at >= 4 && memcmp(bytes + at, "GGUF", 4) == 0) {
            memory_file_set("m-00002-of-00002.gguf", bytes + at,
                            n_bytes - at);
            break;
        }
    if (gguf_open(&file, first, &err) == LLL_OK) {
        (void)walk_tensors(&file);
        if (!has_long_name(&file))
            expect_copies(&file);
        gguf_close(&file);
    } else {
        expect(err.text[0] != '\0', "refused without a sentence", &err);
        expect(memcmp(&file, &closed, sizeof file) == 0, "left open", &err);
    }
    memory_file_clear();
    return 0;
}
