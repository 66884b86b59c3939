#include "common/gguf_read.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/size.h"

// @begin gguf-endian
// Numbers are copied out of the file as they are.
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "GGUF files are little-endian, and so must the machine be");
// @end gguf-endian

// @begin gguf-fail
lll_status gguf_fail_at(const gguf_reader *r, lll_status code, size_t at,
                        const char *fmt, ...)
{
    char name[NAME_TEXT], rest[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(rest, sizeof rest, fmt, args);
    va_end(args);
    name_text(r->name.bytes, r->name.n_bytes, name);
    return lll_fail(r->err, code, "%s: byte %zu: %s%s%s: %s", r->path, at,
                    r->kind, name[0] != '\0' ? " " : "", name, rest);
}
// @end gguf-fail

// @begin gguf-too-long
lll_status gguf_too_long(const gguf_reader *r, uint64_t n, const char *what)
{
    return gguf_fail_at(r, LLL_ERR_FORMAT, r->at, "%" PRIu64 " %s, but only "
                        "%zu bytes remain in the file; it is cut off or "
                        "damaged: fetch it again", n, what,
                        r->n_bytes - r->at);
}
// @end gguf-too-long

// @begin gguf-expect
lll_status gguf_expect(gguf_reader *r, uint64_t n, size_t entry_bytes,
                       const char *what)
{
    if (!gguf_fits(r, n, entry_bytes))
        return gguf_too_long(r, n, what);
    if (n > GGUF_MAX_ENTRIES - r->n_entries)
        return gguf_fail_at(r, LLL_ERR_UNSUPPORTED, r->at, "%" PRIu64 " %s, "
                            "expected at most %d in a file", n, what,
                            GGUF_MAX_ENTRIES);
    r->n_entries += n;
    return LLL_OK;
}
// @end gguf-expect

// @begin gguf-take-string
// A text: its length in 8 bytes, then its bytes.
static lll_status take_string(gguf_reader *r, gguf_string *text)
{
    uint64_t n = 0;
    lll_status status = gguf_take_number(r, &n, sizeof n);
    if (status != LLL_OK)
        return status;
    if (!gguf_fits(r, n, 1))
        return gguf_too_long(r, n, "bytes of text are announced");
    text->bytes = (const char *)r->bytes + r->at;
    text->n_bytes = (size_t)n;
    r->at += (size_t)n;
    return LLL_OK;
}
// @end gguf-take-string

// @begin gguf-skip
static lll_status take_type(gguf_reader *r, gguf_type *type)
{
    uint32_t number = 0;
    size_t at = r->at;
    lll_status status = gguf_take_number(r, &number, sizeof number);
    if (status != LLL_OK)
        return status;
    if (number >= GGUF_TYPE_COUNT)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "value type %" PRIu32 ", "
                            "expected 0 to %d", number, GGUF_TYPE_COUNT - 1);
    *type = (gguf_type)number;
    return LLL_OK;
}

static lll_status skip_numbers(gguf_reader *r, gguf_type type, uint64_t n)
{
    size_t size = gguf_type_bytes(type);
    if (!gguf_fits(r, n, size))
        return gguf_too_long(r, n, "numbers are announced");
    r->at += (size_t)n * size;
    return LLL_OK;
}

static lll_status skip_bools(gguf_reader *r, uint64_t n)
{
    lll_status status = gguf_expect(r, n, 1, "truths are announced");
    for (uint64_t i = 0; i < n && status == LLL_OK; i++) {
        if (r->bytes[r->at] > 1)
            return gguf_fail_at(r, LLL_ERR_FORMAT, r->at, "a BOOL of %d, "
                                "expected 0 or 1", r->bytes[r->at]);
        r->at++;
    }
    return status;
}
// @end gguf-skip

// @begin gguf-skip-items
static lll_status skip_strings(gguf_reader *r, uint64_t n)
{
    gguf_string text;
    uint64_t length;
    // Each has a length of 8 bytes, and may have nothing else.
    lll_status status = gguf_expect(r, n, sizeof length, "texts are "
                                    "announced");
    if (status != LLL_OK)
        return status;
    // A vocabulary has 100,000 of them: here opening a file spends its time.
    // Each length says where the next one is, and until it has arrived there
    // is nothing to do but check the one before: the checks cost no time as
    // long as they are beside that chain, not links of it. Hence `text_at`,
    // known before the length is, and the place in a register.
    const unsigned char *bytes = r->bytes;
    size_t at = r->at, end = r->n_bytes;
    for (size_t text_at; n > 0 && end - at >= sizeof length; n--) {
        memcpy(&length, bytes + at, sizeof length);
        text_at = at + sizeof length;
        if (length > end - text_at)
            break;
        at = text_at + (size_t)length;
    }
    r->at = at;
    return n == 0 ? LLL_OK : take_string(r, &text);     // says what is wrong
}

// Everything but arrays.
static lll_status skip_items(gguf_reader *r, gguf_type type, uint64_t n)
{
    if (type == GGUF_STRING)
        return skip_strings(r, n);
    return type == GGUF_BOOL ? skip_bools(r, n) : skip_numbers(r, type, n);
}
// @end gguf-skip-items

// @begin gguf-array
// An array: the type of its items, their number, then the items, which may
// be arrays again.
static lll_status take_array(gguf_reader *r, gguf_value *value, int depth)
{
    gguf_value inner;
    uint64_t n = 0;
    lll_status status = take_type(r, &value->item_type);
    if (status == LLL_OK)
        status = gguf_take_number(r, &n, sizeof n);
    if (status != LLL_OK)
        return status;
    value->n_items = n;
    value->bytes = r->bytes + r->at;

    if (value->item_type != GGUF_ARRAY)
        return skip_items(r, value->item_type, n);
    // A file can nest as deep as it is long; our stack can not.
    if (depth == GGUF_MAX_NESTING)
        return gguf_fail_at(r, LLL_ERR_UNSUPPORTED, r->at, "arrays nested "
                            "more than %d deep", GGUF_MAX_NESTING);
    // A type and a count each.
    status = gguf_expect(r, n, 12, "arrays are announced");
    for (uint64_t i = 0; i < n && status == LLL_OK; i++)
        status = take_array(r, &inner, depth + 1);
    return status;
}
// @end gguf-array

// @begin gguf-value
// One metadata entry: key, type, value.
lll_status gguf_take_value(gguf_reader *r, gguf_value *value)
{
    size_t at = r->at;
    r->kind = "key";
    r->name.n_bytes = 0;
    lll_status status = take_string(r, &value->key);
    if (status != LLL_OK)
        return status;
    r->name = value->key;
    // An empty key means nothing, and a hole in a file is full of them.
    if (value->key.n_bytes < 1 || value->key.n_bytes > GGUF_MAX_KEY)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "a key of %zu bytes, "
                            "expected 1 to %d", value->key.n_bytes,
                            GGUF_MAX_KEY);
    status = take_type(r, &value->type);
    if (status != LLL_OK)
        return status;

    value->item_type = value->type;
    value->n_items = 1;
    value->bytes = r->bytes + r->at;
    if (value->type == GGUF_ARRAY)
        return take_array(r, value, 1);
    return skip_items(r, value->type, 1);
}
// @end gguf-value

// @begin gguf-dims
static lll_status take_dims(gguf_reader *r, gguf_tensor *tensor)
{
    uint32_t n_dims = 0;
    size_t at = r->at;
    lll_status status = gguf_take_number(r, &n_dims, sizeof n_dims);
    if (status != LLL_OK)
        return status;
    if (n_dims < 1 || n_dims > 4)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "%" PRIu32 " dimensions, "
                            "expected 1 to 4", n_dims);
    tensor->n_dims = (int)n_dims;
    for (int i = 0; i < 4; i++)
        tensor->dims[i] = 1;
    for (uint32_t i = 0; i < n_dims && status == LLL_OK; i++)
        status = gguf_take_number(r, &tensor->dims[i],
                                  sizeof tensor->dims[i]);
    return status;
}
// @end gguf-dims

// @begin gguf-check-size
static lll_status check_size(const gguf_reader *r, size_t at, uint32_t type,
                             gguf_tensor *tensor)
{
    // Chapter 1 writes the row length last, the file first.
    uint64_t shape[4];
    lll_error why;
    for (int i = 0; i < tensor->n_dims; i++)
        shape[i] = tensor->dims[tensor->n_dims - 1 - i];
    if (dtype_find(type) == NULL)
        return gguf_fail_at(r, LLL_ERR_UNSUPPORTED, at, "its numbers are "
                            "stored as type %" PRIu32 ", which we do not "
                            "know; convert the model to another type", type);
    tensor->type = (dtype)type;
    lll_status status = tensor_size(tensor->type, shape, tensor->n_dims,
                                    SIZE_MAX, &tensor->n_elements,
                                    &tensor->n_bytes, &why);
    if (status != LLL_OK)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "%s", why.text);
    return LLL_OK;
}
// @end gguf-check-size

// @begin gguf-tensor
// One entry of the list of tensors: name, shape, type, and where its bytes
// are, counted from the start of the data.
lll_status gguf_take_tensor(gguf_reader *r, gguf_tensor *tensor)
{
    size_t at = r->at;
    uint32_t type = 0;
    uint64_t offset;
    r->kind = "tensor";
    r->name.n_bytes = 0;
    tensor->data = NULL;
    tensor->part = 0;
    lll_status status = take_string(r, &tensor->name);
    if (status != LLL_OK)
        return status;
    r->name = tensor->name;
    if (tensor->name.n_bytes > GGUF_MAX_NAME)
        return gguf_fail_at(r, LLL_ERR_FORMAT, at, "a name of %zu bytes, "
                            "expected at most %d", tensor->name.n_bytes,
                            GGUF_MAX_NAME);
    at = r->at;
    status = take_dims(r, tensor);
    if (status == LLL_OK)
        status = gguf_take_number(r, &type, sizeof type);
    if (status == LLL_OK)
        status = check_size(r, at, type, tensor);
    if (status == LLL_OK)
        status = gguf_take_number(r, &offset, sizeof offset);
    return status;
}
// @end gguf-tensor

// @begin gguf-offset
size_t gguf_offset_at(const gguf_reader *r, const gguf_tensor *tensor,
                      uint64_t *offset)
{
    // Behind the name: how many dimensions, the dimensions, the type.
    const char *end = tensor->name.bytes + tensor->name.n_bytes;
    size_t at = (size_t)(end - (const char *)r->bytes) + 4
                + 8 * (size_t)tensor->n_dims + 4;
    memcpy(offset, r->bytes + at, sizeof *offset);
    return at;
}
// @end gguf-offset
