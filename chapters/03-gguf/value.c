#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/terminal.h"

#include "show.h"

// @begin value-number
// These functions return the columns that they have used.
int item_text(const gguf_value *value, uint64_t i, char text[32])
{
    switch (value->item_type) {
    case GGUF_F32:
        return snprintf(text, 32, "%.7g", gguf_item_f64(value, i));
    case GGUF_F64:
        return snprintf(text, 32, "%.16g", gguf_item_f64(value, i));
    case GGUF_BOOL:
        return snprintf(text, 32, gguf_item_i64(value, i) != 0 ? "true"
                                                               : "false");
    case GGUF_U64:              // may exceed what an int64_t holds
        return snprintf(text, 32, "%" PRIu64, gguf_item_u64(value, i));
    default:
        return snprintf(text, 32, "%" PRId64, gguf_item_i64(value, i));
    }
}

static int print_string(gguf_string text, size_t most)
{
    if (text.n_bytes == 0)      // nothing would look like a mistake
        return printf("\"\"");
    size_t n = text.n_bytes;
    if (n > most) {
        // Not in the middle of a character: 10xxxxxx continues one.
        for (n = most; n > 0 && (text.bytes[n] & 0xc0) == 0x80; n--)
            continue;
    }
    int used = terminal_text(stdout, text.bytes, n);
    return n < text.n_bytes ? used + printf("...") : used;
}
// @end value-number

// @begin value-items
// As many items as fit, but one at least.
static int print_items(const gguf_value *value, int columns)
{
    enum { USUAL = 12 };        // columns of an item
    const unsigned char *cursor = value->bytes;
    uint64_t i;
    int used = 0;
    for (i = 0; i < value->n_items; i++) {
        if (i > 0 && used + USUAL > columns)
            break;
        if (i > 0)
            used += printf(", ");
        if (value->type == GGUF_STRING) {
            used += print_string(gguf_next_string(&cursor), (size_t)columns);
        } else if (value->item_type == GGUF_STRING) {
            used += print_string(gguf_next_string(&cursor), 8);
        } else if (value->item_type == GGUF_ARRAY) {
            gguf_value inner = gguf_next_array(&cursor);
            used += printf("[");
            used += print_items(&inner, (columns - used) / 2);
            used += printf("]");
        } else {
            char text[32];
            item_text(value, i, text);
            used += printf("%s", text);
        }
    }
    return i < value->n_items ? used + printf(" ...") : used;
}
// @end value-items

// @begin value-print
void print_value(const gguf_value *value, int columns)
{
    int used = 0;
    if (value->type == GGUF_ARRAY)
        used = printf("%" PRIu64 " x %s: ", value->n_items,
                      gguf_type_name(value->item_type));
    print_items(value, columns - used);
}
// @end value-print
